"""Pins the index that items come and go from: by id, while it is searched, with words after a refresh."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vretrver.assembly.corpus import open_corpus
from vretrver.assembly.live import open_live
from vretrver.errors import ConfigError, DataError
from vretrver.records import Candidate, parts_of


def item(did: str, text: str) -> Candidate:
    return Candidate(did=did, parts=parts_of(text=text), metadata={"length": len(text)})


def dids(folder: Path, text: str) -> list[str]:
    with open_corpus(str(folder)) as corpus:
        (found,) = corpus.search([text], 5)
    return [hit.candidate.did for hit in found.hits]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with open_live("idx") as live:
        live.put([item("jar", "a jar of stoneware"), item("jug", "a jug")])
    return Path("idx")


def test_items_are_added_replaced_and_deleted_by_id(folder: Path) -> None:
    with open_live(folder) as live:
        done = live.put([item("jar", "a jar of stoneware"), item("jug", "a jug of glass"), item("cup", "a cup")])
        assert (done.unchanged, done.encoded, live.delete(["jar", "unknown"])) == (1, 2, 1)
    assert (dids(folder, "stoneware"), dids(folder, "glass"), dids(folder, "cup")) == ([], ["jug"], ["cup"])


def test_threads_put_items_while_a_corpus_is_searched(folder: Path) -> None:
    with open_live(folder) as live, open_corpus(str(folder)) as corpus, ThreadPoolExecutor(4) as pool:
        putting = [pool.submit(live.put, [item(f"i{number}", f"glass {number}")]) for number in range(12)]
        for _ in range(20):
            assert [hit.candidate.did for hit in corpus.search(["stoneware"], 5)[0].hits] == ["jar"]
        assert [one.result().encoded for one in putting] == [1] * 12
        live.refresh()
        assert len(corpus.search(["glass"], 50)[0].hits) == 12


def test_a_folder_of_others_is_never_written_into(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("")
    with pytest.raises(ConfigError, match=r"the folder holds a\.jpg and no index; name a new folder, as in"):
        open_live(tmp_path)


def test_one_string_is_no_list_of_queries(folder: Path) -> None:
    with open_corpus(str(folder)) as corpus, pytest.raises(DataError, match="the queries are one string"):
        corpus.search("jar", 5)


def test_items_of_another_kind_are_refused_in_a_sentence(folder: Path) -> None:
    with open_live(folder) as live, pytest.raises(ConfigError) as raised:
        live.put([{"did": "a"}])  # type: ignore[list-item]
    said = "items are Candidate objects or paths, got dict; write Candidate(did=..., parts=parts_of(text=...))"
    assert str(raised.value) == said


@pytest.mark.parametrize("k", [0, -1])
def test_no_hits_at_all_cannot_be_asked_for(folder: Path, k: int) -> None:
    with (
        open_corpus(str(folder)) as corpus,
        pytest.raises(ConfigError, match=f"^k must be at least 1, got {k}; it is how many hits a query may have$"),
    ):
        corpus.search(["jar"], k)

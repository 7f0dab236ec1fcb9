"""Pins what is found by words, in which order, and which words are known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vretrver.errors import DataError
from vretrver.retrieval.directory.opening import DatabaseLayout
from vretrver.retrieval.lexical import database
from vretrver.retrieval.lexical.database import WORDS, create_database
from vretrver.retrieval.lexical.index import LexicalIndex

ITEMS = {
    "a": "Invoice INV-2024/0173 of 12 March 2024\nTotal 1.234,50 EUR",
    "b": "Receipt of 13.03.2024: two dogs, $20.00",
    "c": "Müller, 東京タワー",
    "d": "Invoice INV-2024/0174 of 03.12.2024\nTotal 1.234,05 EUR",
}


@pytest.fixture
def index():
    made = LexicalIndex()
    made.put([(did, text, b"") for did, text in ITEMS.items()])
    return made


@pytest.mark.parametrize(
    ("query", "dids"),
    [
        ("INV-2024/0173", ["a"]),
        ("inv 2024 0174", ["d", "a", "b"]),
        ("2024-03-12", ["a"]),
        ("12/03/2024", ["a", "d"]),
        ("Dec 3, 2024", ["d"]),
        ("EUR 1,234.50", ["a"]),
        ("1234.05", ["d"]),
        ("20", ["b"]),
        ("20 EUR", ["b"]),
        ("dog", ["b"]),
        ("the muller", ["c"]),
        ("京タ", ["c"]),
        ("unicorn", []),
        ("", []),
        ("invoice", ["a", "d"]),
    ],
)
def test_items_are_found_by_their_words(index: LexicalIndex, query: str, dids: list[str]):
    ((*found,),) = index.search([query], 10)
    assert sorted(did for did, _ in found) == sorted(dids)
    if dids:
        assert found[0][0] == dids[0]
    assert all(score > 0 for _, score in found)


def test_a_query_says_which_of_its_words_are_known(index: LexicalIndex):
    asked = index.ask("the unicorn of 12 March 2024 and two dogs")
    assert asked.unknown == ("unicorn",)
    assert set(asked.weights) == {"=2024-03-12", "two", "dogs"}
    assert asked.weights["dogs"] > LexicalIndex.ask(index, "invoice").weights["invoice"]


def test_only_what_is_admitted_is_found_and_k_of_that(index: LexicalIndex):
    index.put([(f"n{n}", "invoice", b"") for n in range(600)])
    (found,) = index.search(["invoice"], 2, admits=lambda dids: {did for did in dids if did in ("d", "n599")})
    assert sorted(did for did, _ in found) == ["d", "n599"]


def test_an_item_is_replaced_and_deleted(index: LexicalIndex):
    index.put([("a", "postcard", b"")])
    assert index.search(["INV-2024/0173", "postcard"], 5)[1][0][0] == "a"
    assert index.ask("1234.50").weights == {}
    index.remove(["a", "nobody"])
    assert index.search(["postcard"], 5) == [[]]
    assert len(index) == 3


def test_common_words_are_searched_only_where_there_are_no_others():
    index = LexicalIndex()
    index.put([(str(n), f"photo {'dog' if n == 7 else 'cat'}", b"") for n in range(1500)])
    assert index.search(["photo of a dog"], 5) == [[("7", pytest.approx(6.9, abs=0.1))]]
    assert len(index.search(["photo"], 5)[0]) == 5


def test_threads_share_an_index(index: LexicalIndex):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: index.search(["dog"], 1)[0][0][0], range(40)))
    assert found == ["b"] * 40


def test_a_file_holds_what_it_was_given(tmp_path: Path):
    create_database(tmp_path / WORDS)
    with LexicalIndex(tmp_path / WORDS) as index:
        index.put([(did, text, did.encode()) for did, text in ITEMS.items()])
        index.set_source("1")
    with LexicalIndex(tmp_path / WORDS) as index:
        index.check()
        assert index.source == "1"
        assert index.stamps() == {did: did.encode() for did in ITEMS}
        assert index.search(["INV-2024/0173"], 1)[0][0][0] == "a"


def test_a_file_of_other_tokens_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    create_database(tmp_path / WORDS)
    monkeypatch.setattr(database, "VERSION", 99)
    with pytest.raises(DataError, match="made by another version; run `vretrver index` again"):
        LexicalIndex(tmp_path / WORDS)


def test_a_python_without_full_text_search_is_told_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "LAYOUT", DatabaseLayout(schema="CREATE VIRTUAL TABLE words USING fts99(tokens)"))
    with pytest.raises(
        DataError, match=r"words are not searched: this Python's SQLite 3\S+ has no FTS5; use a Python"
    ):
        LexicalIndex()

"""Pins that the words of an index directory follow its items, and that a file of a stranger runs nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.retrieval.directory.letters import LetterEncoder, anything, texts, update

from vretrver.errors import DataError, IndexBusy
from vretrver.geometry import Box
from vretrver.records import Candidate, ImageRef, TextLine, parts_of
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.lock import WriterLock
from vretrver.retrieval.lexical import update as lexical_update
from vretrver.retrieval.lexical.database import WORDS
from vretrver.retrieval.lexical.index import LexicalIndex
from vretrver.retrieval.lexical.update import WordsReport, update_words

ITEMS = {"1": "a red mug", "2": "a blue bag", "3": "invoice INV-7 of 2024-03-12"}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of three items, without words."""
    metadata = {did: {"price": place, "shop": "Müller"} for place, did in enumerate(ITEMS)}
    update(tmp_path / "idx", texts(ITEMS, metadata), LetterEncoder())
    return tmp_path / "idx"


def dids(index: Path, query: str, where: str | None = None) -> list[str]:
    with DirectoryIndex(index) as opened, LexicalIndex(index / WORDS) as words:
        view = opened if where is None else opened.where(where)
        return [did for did, _ in words.search([query], 5, admits=view.among)[0]]


def test_words_follow_the_items(index: Path):
    assert update_words(index) == WordsReport(indexed=3, anew=True)
    assert (dids(index, "mug"), dids(index, "12.03.2024"), dids(index, "muller price")) == (
        ["1"],
        ["3"],
        ["1", "2", "3"],
    )
    assert update_words(index) == WordsReport()
    changed = {**ITEMS, "1": "a red cup"}
    del changed["2"]
    update(index, texts(changed), LetterEncoder(), delete=anything)
    assert dids(index, "bag") == []  # it is in the words still, and is not found
    assert update_words(index) == WordsReport(indexed=2, removed=1)  # 3 lost its metadata
    assert (dids(index, "mug"), dids(index, "cup"), dids(index, "muller")) == ([], ["1"], [])


def test_a_filter_holds_for_words(index: Path):
    update_words(index)
    assert dids(index, "muller", where="price > 0") == ["2", "3"]


def test_a_stopped_update_goes_on_where_it_was(index: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lexical_update, "_BATCH", 1)
    done: list[tuple[int, int]] = []

    def stop(*seen: int) -> None:
        done.append(seen)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update_words(index, progress=stop)
    assert done == [(1, 3), (2, 3)]
    assert dids(index, "bag") == ["2"]
    assert update_words(index) == WordsReport(indexed=1)


def test_lines_of_pictures_are_found_once_they_are_read(tmp_path: Path):
    image = ImageRef(path="a.png", sha256="0" * 64, width=9, height=9)
    item = Candidate(did="scan", parts=parts_of(images=[image]))
    update(tmp_path / "idx", [item], LetterEncoder())

    class Read:
        """One line on every picture."""

        def lines(self, image: ImageRef) -> tuple[TextLine, ...]:
            """Return the line."""
            assert image.sha256 == "0" * 64
            return (TextLine(text="Total $20.00", box=Box(left=0, top=0, right=5, bottom=5)),)

    update_words(tmp_path / "idx")
    assert dids(tmp_path / "idx", "20") == []
    assert update_words(tmp_path / "idx", texts=Read(), version="1") == WordsReport(indexed=1)
    assert dids(tmp_path / "idx", "20") == ["scan"]
    assert update_words(tmp_path / "idx", texts=Read(), version="1") == WordsReport()


def test_nobody_writes_words_while_the_index_is_written(index: Path):
    lock = WriterLock(index / "lock")
    with pytest.raises(IndexBusy):
        update_words(index)
    lock.close()


def sql(index: Path, *statements: str) -> None:
    connection = sqlite3.connect(index / WORDS)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def remove(index: Path) -> None:
    (index / WORDS).unlink()


def empty(index: Path) -> None:
    (index / WORDS).write_bytes(b"")


def overwrite(index: Path) -> None:
    (index / WORDS).write_bytes(b"no database at all" * 300)


def link(index: Path) -> None:
    (index.parent / "elsewhere").write_bytes((index / WORDS).read_bytes())
    (index / WORDS).unlink()
    (index / WORDS).symlink_to(index.parent / "elsewhere")


def trigger(index: Path) -> None:
    sql(index, "CREATE TRIGGER t AFTER INSERT ON items BEGIN DELETE FROM items; END")


def view(index: Path) -> None:
    sql(index, "ALTER TABLE items RENAME TO other", "CREATE VIEW items AS SELECT * FROM other")


def virtual_table(index: Path) -> None:
    sql(index, "CREATE VIRTUAL TABLE more USING fts5(a, content='items')")


def old(index: Path) -> None:
    sql(index, "UPDATE state SET tokens = 0")


def damaged(index: Path) -> None:
    sql(index, "UPDATE words_data SET block = x'00112233445566778899' WHERE id > 10")


def emptied(index: Path) -> None:
    sql(index, "DELETE FROM words_data")


def use(index: Path) -> None:
    with LexicalIndex(index / WORDS) as words:
        words.search(["mug"], 5)
        words.check()


@pytest.mark.parametrize(
    "harm", [remove, empty, overwrite, link, trigger, view, virtual_table, old, damaged, emptied]
)
def test_words_that_cannot_be_used_are_made_anew(index: Path, harm: Callable[[Path], None]):
    update_words(index)
    harm(index)
    elsewhere = index.parent / "elsewhere"
    before = elsewhere.read_bytes() if elsewhere.exists() else b""
    with pytest.raises(DataError, match=r"words\.sqlite"):
        use(index)
    assert update_words(index) == WordsReport(indexed=3, anew=True)
    assert dids(index, "mug") == ["1"]
    assert not (index / WORDS).is_symlink()
    assert (elsewhere.read_bytes() if elsewhere.exists() else b"") == before

"""Pins what is kept of the texts of pictures: by content, over renames, and nothing of a stranger's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from vretrver.errors import DataError
from vretrver.geometry import Box
from vretrver.records import ImageRef, TextLine
from vretrver.retrieval.directory.texts import TextStore
from vretrver.text.reader import PageText

LINES = (
    TextLine(text="Total 12.50 \u20ac", box=Box(left=1, top=2, right=30, bottom=14), confidence=0.97),
    TextLine(text="\u4e2d\u6587", box=Box(left=0, top=20, right=9, bottom=28)),
)
VICTIM = b"somebody's only copy"


def ref(letter: str, *, page: int = 0, path: str = "a.png") -> ImageRef:
    return ImageRef(path=path, page=page, sha256=letter * 64, width=100, height=100)


def text(*lines: TextLine, reader: str = "ocr 1", complete: bool = True, refused: str = "") -> PageText:
    return PageText(lines=lines, reader=reader, complete=complete, refused=refused)


def missing(folder: Path, *images: ImageRef, **options: object) -> list[str]:
    with TextStore(folder) as store:
        return [image.path for image in store.missing(images, **options)]  # type: ignore[arg-type]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    with TextStore(tmp_path) as store:
        store.keep([(ref("a"), text(*LINES)), (ref("b"), text(complete=False, reader="layer"))])
    return tmp_path


def test_a_text_is_found_under_every_name_of_the_file(kept: Path) -> None:
    with TextStore(kept) as store:
        assert store.lines(ref("a", path="renamed.png")) == LINES
        assert store.lines(ref("b")) is None
        assert store.text(ref("b")) == text(complete=False, reader="layer")
        assert store.lines(ref("a", page=1)) is None
        assert store.lines(ImageRef(path="a.png")) is None
        assert store.lines(ImageRef(path="a.png", sha256="no hash")) is None


def test_without_a_database_nothing_was_read_and_none_is_made(tmp_path: Path) -> None:
    with TextStore(tmp_path) as store:
        assert store.lines(ref("a")) is None
        assert list(store.missing([ref("a")])) == [ref("a")]
        assert store.prune([]) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_named_once_each(kept: Path) -> None:
    images = (ref("a", path="1"), ref("b", path="2"), ref("c", path="3"), ref("c", path="4"), ImageRef(path="5"))
    assert missing(kept, *images) == ["2", "3"]
    assert missing(kept, *images, incomplete=False) == ["3"]
    assert missing(kept, *images, reader="ocr 1") == ["2", "3"]
    assert missing(kept, *images, reader="ocr 2") == ["1", "2", "3"]


def test_a_later_reading_takes_the_place_of_an_earlier_one(kept: Path) -> None:
    with TextStore(kept) as store:
        store.keep([(ref("a"), text(refused="cut \ud800 short"))])
        assert store.text(ref("a")) == text(refused="cut ? short")


def test_prune_removes_what_the_index_has_no_longer(kept: Path) -> None:
    with TextStore(kept) as store:
        assert store.prune([ref("a")]) == 1
        assert (store.text(ref("a")), store.text(ref("b"))) == (text(*LINES), None)


def test_a_store_is_read_while_another_writes(kept: Path) -> None:
    with TextStore(kept) as reader, TextStore(kept) as writer:
        assert reader.lines(ref("c")) is None
        writer.keep([(ref("c"), text(*LINES))])
        assert reader.lines(ref("c")) == LINES


ROW = "UPDATE texts SET lines = "


@pytest.mark.parametrize(
    "statement",
    [
        ROW + "'['",
        ROW + "'{}'",
        ROW + "'[7]'",
        ROW + "'[[\"\", 0, 0, 1, 1, 1]]'",
        ROW + "'[[\"a\", 0, 0, 0, 1, 1]]'",
        ROW + "'[[\"a\", 0, 0, 1.5, 1, 1]]'",
        ROW + "'[[\"a\", -1, 0, 1, 1, 1]]'",
        ROW + "'[[\"a\", 0, 0, 99999999999, 1, 1]]'",
        ROW + "'[[\"a\", 0, 0, 1, 1, 2]]'",
        ROW + "'[[\"a\", 0, 0, 1, 1, NaN]]'",
        ROW + "'[[true, 0, 0, 1, 1, 1]]'",
        ROW + "x'ff'",
        ROW + "'" + "[" * 100_000 + "'",
        "UPDATE texts SET reader = x'00'",
    ],
)
def test_a_row_that_this_package_did_not_write_is_one_sentence(kept: Path, statement: str) -> None:
    run_sql(kept, statement)
    with TextStore(kept) as store, pytest.raises(DataError) as caught:
        store.lines(ref("a"))
    told = str(caught.value)
    assert told.startswith(f"{kept / 'texts.sqlite'}: the text of a.png is damaged (")
    assert told.endswith("); delete this file, and `vretrver index` reads the texts again")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE VIEW more AS SELECT 1", "view 'more'"),
        ("CREATE TRIGGER t AFTER INSERT ON texts BEGIN DELETE FROM texts; END", "trigger 't'"),
        ("CREATE TABLE items (a)", "table 'items'"),
        ("CREATE VIRTUAL TABLE more USING fts5(a)", "table 'more'"),
    ],
)
def test_sql_stored_in_the_database_is_refused(kept: Path, statement: str, what: str) -> None:
    run_sql(kept, statement)
    with pytest.raises(DataError, match=f"holds the {what}, which an index does not have"):
        TextStore(kept)


@pytest.mark.parametrize("name", ["texts.sqlite", "texts.sqlite-wal", "texts.sqlite-journal"])
def test_a_link_in_the_place_of_a_file_is_refused(kept: Path, name: str) -> None:
    victim = kept / "victim"
    victim.write_bytes((kept / "texts.sqlite").read_bytes() if name == "texts.sqlite" else VICTIM)
    before = victim.read_bytes()
    (kept / name).unlink(missing_ok=True)
    (kept / name).symlink_to(victim)
    with pytest.raises(DataError, match="is a symbolic link, which this program does not put there"):
        TextStore(kept)
    assert victim.read_bytes() == before


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "texts.sqlite").symlink_to(tmp_path / "made")
    with pytest.raises(DataError, match="is a symbolic link"):
        TextStore(tmp_path)
    assert not (tmp_path / "made").exists()


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "texts.sqlite").write_bytes(b"SQLite format 3\0 or not" * 200)
    with pytest.raises(DataError):
        TextStore(tmp_path)


def run_sql(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "texts.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()

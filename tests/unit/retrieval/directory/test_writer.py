"""Pins what is on disk after stops, full disks, deletes and compaction, and what readers see meanwhile."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from tests.unit.retrieval.directory.letters import LetterEncoder, found, open_writer, texts, update

from vretrver.errors import DataError, IndexMismatch, StorageError
from vretrver.images import ImageStore
from vretrver.retrieval.directory import database as database_module
from vretrver.retrieval.directory.entries import bare_entry
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.manifest import DATABASE, stored_root
from vretrver.retrieval.directory.update import update_index
from vretrver.retrieval.directory.writer import IndexWriter

ABC = {"1": "aa", "2": "bb", "3": "cc"}
STRIDE = 4 * LetterEncoder.dimension


def size(directory: Path, generation: int = 0) -> int:
    return (directory / f"vectors-{generation}.f32").stat().st_size


def test_vectors_without_rows_are_ignored_and_overwritten(tmp_path: Path):
    update(tmp_path, texts(ABC), LetterEncoder())
    with (tmp_path / "vectors-0.f32").open("ab") as file:
        file.write(b"x" * (STRIDE + 5))
    assert sorted(found(tmp_path, "a")) == ["1", "2", "3"]
    assert size(tmp_path) == 4 * STRIDE + 5
    update(tmp_path, texts({**ABC, "4": "dd"}), LetterEncoder())
    assert size(tmp_path) == 4 * STRIDE
    assert found(tmp_path, "d")[0] == "4"


def test_a_write_that_fails_leaves_the_last_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write, left = os.pwrite, [2]

    def full(descriptor: int, data: memoryview, offset: int) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: len(data) // 2 or 1], offset)  # a short write is gone on with

    update(tmp_path, texts(ABC), LetterEncoder())
    with open_writer(tmp_path) as writer:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(
            StorageError, match=r"No space left on device; what was indexed is kept, run again to go on"
        ):
            update_index(writer, texts({**ABC, "4": "d"}), LetterEncoder(), ImageStore({"": tmp_path}))
        monkeypatch.setattr(os, "pwrite", write)
        assert sorted(found(tmp_path, "a")) == ["1", "2", "3"]
        update_index(writer, texts({**ABC, "4": "d"}), LetterEncoder(), ImageStore({"": tmp_path}))
    assert found(tmp_path, "d")[0] == "4"


def test_a_commit_that_fails_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    update(tmp_path, texts(ABC), LetterEncoder())

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with open_writer(tmp_path) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(database_module.ItemDatabase, "store_manifest", fail)
            with pytest.raises(DataError, match="database or disk is full; what was indexed is kept"):
                writer.put([bare_entry("4")], np.ones((1, LetterEncoder.dimension), np.float32))
        assert writer.manifest.slots == 3
        writer.put([bare_entry("5")], np.ones((1, LetterEncoder.dimension), np.float32))
    assert sorted(found(tmp_path, "a")) == ["1", "2", "3", "5"]


def test_a_database_that_cannot_grow_is_a_storage_error(tmp_path: Path):
    update(tmp_path, texts(ABC), LetterEncoder())
    with open_writer(tmp_path) as writer:
        connection = writer.database._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageError, match="is full; what was indexed is kept, run again to go on"):
            writer.put([bare_entry("x" * 100_000)], np.ones((1, LetterEncoder.dimension), np.float32))
    assert sorted(found(tmp_path, "a")) == ["1", "2", "3"]


def test_compaction_gives_room_back_and_changes_no_result(tmp_path: Path):
    everything = {str(n): "abcdefgh"[n % 8] * (n % 5 + 1) + "ah" for n in range(60)}
    update(tmp_path, texts(everything, {"3": {"price": 3}, "51": {"price": 51}}), LetterEncoder())
    with open_writer(tmp_path) as writer:
        assert writer.delete([str(n) for n in range(0, 60, 3)] + ["gone"]) == 20
        before = [found(tmp_path, letter, 60) for letter in "abc"]
        assert writer.compact() == 20
        assert writer.compact() == 0
        assert [found(tmp_path, letter, 60) for letter in "abc"] == before
        assert writer.live_slots().tolist() == list(range(40))
    assert size(tmp_path, 1) == 40 * STRIDE
    assert not (tmp_path / "vectors-0.f32").exists()
    assert found(tmp_path, "a", where="price > 0") == []
    assert update(tmp_path, texts(everything, {"51": {"price": 51}}), LetterEncoder()).encoded > 0
    assert found(tmp_path, "a", where="price > 0") == ["51"]


def test_a_reader_goes_on_through_updates_and_compaction(tmp_path: Path):
    update(tmp_path, texts({**ABC, "4": "dd"}), LetterEncoder())
    query = LetterEncoder()._rows(["c"])
    with DirectoryIndex(tmp_path) as index:
        assert index.search(query, 1)[0][0][0] == "3"
        with open_writer(tmp_path) as writer:
            writer.delete(["1"])
            assert len(index) == 3
            assert "1" not in dict(index.search(query, 9)[0])
            writer.compact()
            assert index.search(query, 1)[0][0][0] == "3"
            assert index.candidates(["3"])["3"].text == "cc"
            writer.put([bare_entry("5")], query)
            assert index.search(query, 1)[0] == [("5", pytest.approx(1.0))]


def test_files_of_a_compaction_that_was_stopped_are_removed(tmp_path: Path):
    update(tmp_path, texts(ABC), LetterEncoder())
    for name in ("vectors-1.f32", "approximate-0-7.faiss", "approximate-0-7.faiss.new"):
        (tmp_path / name).write_bytes(b"half")
    open_writer(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [DATABASE, "lock", "vectors-0.f32"]


def test_making_an_index_that_was_stopped_is_begun_again(tmp_path: Path):
    (tmp_path / f"{DATABASE}.new").write_bytes(b"half")
    (tmp_path / "vectors-0.f32").write_bytes(b"x" * 40)
    assert update(tmp_path, texts(ABC), LetterEncoder()).encoded == 3
    assert size(tmp_path) == 3 * STRIDE


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("no file", "the vectors are gone; put the file back"),
        ("short", r"holds 40 bytes of 96: the file was cut short; index again"),
        ("format", "index format 2, but this version reads 1; index again"),
        ("manifest", "the manifest is damaged"),
        ("no database", "file is not a database"),
    ],
)
def test_a_damaged_index_is_refused(tmp_path: Path, damage: str, message: str):
    update(tmp_path, texts(ABC), LetterEncoder())
    if damage == "no file":
        (tmp_path / "vectors-0.f32").unlink()
    elif damage == "short":
        os.truncate(tmp_path / "vectors-0.f32", 40)
    elif damage == "no database":
        (tmp_path / DATABASE).write_bytes(b"something else " * 100)
    else:
        with sqlite3.connect(tmp_path / DATABASE) as connection:
            ((text,),) = connection.execute("SELECT value FROM manifest").fetchall()
            value = {**json.loads(text), "format": 2} if damage == "format" else {"format": 1}
            connection.execute("UPDATE manifest SET value = ?", (json.dumps(value),))
        connection.close()
    with pytest.raises(DataError, match=message):
        open_writer(tmp_path)
    if damage != "no file":
        with pytest.raises(DataError, match=message):
            found(tmp_path, "a")


def test_a_database_that_is_damaged_inside_is_one_sentence(tmp_path: Path):
    update(tmp_path, texts({str(n): "abc" * 50 for n in range(500)}), LetterEncoder())
    path = tmp_path / DATABASE
    pages = bytearray(path.read_bytes())
    pages[8192:] = b"\xff" * (len(pages) - 8192)
    path.write_bytes(pages)
    with pytest.raises(DataError, match=r"items\.sqlite: database disk image is malformed"):
        update(tmp_path, texts({str(n): "abc" * 50 for n in range(500)}), LetterEncoder())


def test_a_folder_without_an_index_is_named(tmp_path: Path):
    for opened in (DirectoryIndex, IndexWriter):
        with pytest.raises(DataError, match="no index; make one with `vretrver index SOURCE -o"):
            opened(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_index_in_a_folder_that_cannot_be_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    update(tmp_path, texts(ABC), LetterEncoder())
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert found(tmp_path, "b")[0] == "2"
    assert not (tmp_path / f"{DATABASE}-wal").exists()


def test_vectors_of_another_dimension_are_a_mismatch(tmp_path: Path):
    with open_writer(tmp_path) as writer, pytest.raises(IndexMismatch, match="dimension 8"):
        writer.put([bare_entry("1")], np.ones((1, 3), np.float32))


def test_roots_are_stored_relative_to_the_index(tmp_path: Path):
    assert stored_root(tmp_path / "photos", tmp_path / "indexes" / "a") == "../../photos"
    assert stored_root(tmp_path, tmp_path) == "."
    assert stored_root("s3://bucket/photos", tmp_path) == "s3://bucket/photos"

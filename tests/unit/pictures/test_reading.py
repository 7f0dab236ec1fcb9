"""Pins when a file is read and hashed, when what is known of it may be used, and that threads share one reading."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from vretrver.errors import PictureError
from vretrver.pictures import reading
from vretrver.pictures.reading import SETTLING_NS, FileReader
from vretrver.pictures.roots import Identity
from vretrver.records import ImageRef

A, B = ImageRef(path="a"), ImageRef(path="b")
SECOND = 10**9


class Shelf:
    """A place whose files are written by a test and whose clock ticks every two seconds, as that of FAT does."""

    def __init__(self, *, versions: bool = False, silent: bool = False) -> None:
        self.now = 100 * SECOND
        self.files: dict[str, tuple[bytes, int]] = {}
        self.reads: list[str] = []
        self.looks = 0
        self.versions = versions
        self.silent = silent
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = (data, self.now // (2 * SECOND) * 2 * SECOND)

    def identity(self, ref: ImageRef) -> Identity | None:
        self.looks += 1
        data, ticked = self._found(ref)
        if self.silent:
            return None
        if self.versions:
            return Identity(mark=(ref.path, bytes(data)), changed_ns=None)
        return Identity(mark=(ref.path, len(data), ticked), changed_ns=ticked)

    def read(self, ref: ImageRef, *, max_bytes: int) -> bytes:
        assert max_bytes == 100
        self.reads.append(ref.path)
        self.before()
        data, _ = self._found(ref)
        self.after()
        return data

    def _found(self, ref: ImageRef) -> tuple[bytes, int]:
        if ref.path not in self.files:
            raise PictureError(ref, "gone")
        return self.files[ref.path]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was hashed, in order."""
    found: list[bytes] = []
    sha256_of = reading.sha256_of

    def spy(data: bytes) -> str:
        found.append(data)
        return sha256_of(data)

    monkeypatch.setattr(reading, "sha256_of", spy)
    return found


def reader_of(shelf: Shelf, *, held_bytes: int = 100) -> FileReader:
    return FileReader(max_bytes=100, held_bytes=held_bytes, clock=lambda: shelf.now)


def test_a_settled_file_is_read_and_hashed_once(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    shelf.now += SETTLING_NS
    reader = reader_of(shelf)
    for _ in range(3):
        assert reader.look(shelf, A).sha256 == hashlib.sha256(b"red").hexdigest()
        assert reader.read(shelf, A).data == b"red"
    assert (shelf.reads, hashed) == (["a"], [b"red"])


def test_a_change_of_a_settled_file_is_seen(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    shelf.now += SETTLING_NS
    reader = reader_of(shelf)
    first = reader.look(shelf, A).sha256
    shelf.write("a", b"sky")
    assert reader.look(shelf, A).sha256 != first
    assert reader.read(shelf, A).data == b"sky"


def test_a_file_rewritten_in_the_same_size_and_the_same_tick_is_seen(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    shelf.now += SECOND
    reader = reader_of(shelf)
    before = shelf.identity(A)
    assert reader.read(shelf, A).data == b"red"
    shelf.write("a", b"sky")
    assert shelf.identity(A) == before
    assert reader.read(shelf, A).data == b"sky"
    assert reader.look(shelf, A).sha256 == hashlib.sha256(b"sky").hexdigest()
    assert len(shelf.reads) == len(hashed) == 3


def test_a_young_file_is_remembered_once_it_has_settled(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    reader = reader_of(shelf)
    for waited in (0, SETTLING_NS - 1, 1, 0, 0):
        shelf.now += waited
        reader.look(shelf, A)
    assert shelf.reads == ["a", "a", "a"]


def test_a_time_in_the_future_never_settles(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.now += 50 * SECOND
    shelf.write("a", b"red")
    shelf.now -= 50 * SECOND
    reader = reader_of(shelf)
    reader.look(shelf, A)
    reader.look(shelf, A)
    assert shelf.reads == ["a", "a"]


def test_a_version_needs_no_age(hashed: list[bytes]) -> None:
    shelf = Shelf(versions=True)
    shelf.write("a", b"red")
    reader = reader_of(shelf)
    assert reader.read(shelf, A) == reader.read(shelf, A)
    assert (len(shelf.reads), len(hashed)) == (1, 1)
    shelf.write("a", b"sky")
    assert reader.read(shelf, A).data == b"sky"


def test_where_a_place_tells_nothing_every_use_reads(hashed: list[bytes]) -> None:
    shelf = Shelf(silent=True)
    shelf.write("a", b"red")
    shelf.now += SETTLING_NS
    reader = reader_of(shelf)
    reader.look(shelf, A)
    reader.read(shelf, A)
    assert (len(shelf.reads), len(hashed)) == (2, 2)


def test_a_file_written_while_it_was_read_is_not_remembered(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    shelf.now += SETTLING_NS
    reader = reader_of(shelf)
    shelf.after = lambda: shelf.write("a", b"blue")
    assert reader.read(shelf, A).data == b"red"
    shelf.after = lambda: None
    assert reader.read(shelf, A).data == b"blue"


def test_what_was_read_of_a_file_while_it_was_written_counts_for_neither_version(hashed: list[bytes]) -> None:
    shelf = Shelf(versions=True)
    shelf.write("a", b"red")
    reader = reader_of(shelf)
    shelf.before = lambda: shelf.write("a", b"sky")
    assert reader.read(shelf, A).data == b"sky"
    shelf.before = lambda: None
    shelf.write("a", b"red")
    assert reader.read(shelf, A).data == b"red"
    assert reader.look(shelf, A).sha256 == hashlib.sha256(b"red").hexdigest()


def test_a_known_file_written_while_it_was_read_again_is_hashed(hashed: list[bytes]) -> None:
    shelf = Shelf(versions=True)
    shelf.write("a", b"red")
    reader = reader_of(shelf, held_bytes=0)
    reader.read(shelf, A)
    shelf.before = lambda: shelf.write("a", b"sky")
    read = reader.read(shelf, A)
    assert (read.data, read.sha256) == (b"sky", hashlib.sha256(b"sky").hexdigest())
    assert hashed == [b"red", b"sky"]


def test_a_file_that_vanished_is_refused_though_its_bytes_are_held(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    shelf.now += SETTLING_NS
    reader = reader_of(shelf)
    reader.read(shelf, A)
    del shelf.files["a"]
    for use in (reader.look, reader.read):
        with pytest.raises(PictureError, match="picture a: gone"):
            use(shelf, A)


def test_bytes_are_held_within_the_limit_and_read_again_without_a_hash(hashed: list[bytes]) -> None:
    shelf = Shelf()
    shelf.write("a", b"x" * 60)
    shelf.write("b", b"y" * 60)
    shelf.now += SETTLING_NS
    reader = reader_of(shelf, held_bytes=100)
    for ref in (A, B, A, B):
        assert reader.read(shelf, ref).data[:1] == {"a": b"x", "b": b"y"}[ref.path]
    assert shelf.reads == ["a", "b", "a", "b"]
    assert hashed == [b"x" * 60, b"y" * 60]
    assert reader.look(shelf, A).data is None
    assert len(shelf.reads) == 4


@pytest.mark.parametrize("held_bytes", [100, 0])
def test_threads_that_want_the_same_file_at_once_look_after_one_reading(held_bytes: int) -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    shelf.now += SETTLING_NS
    shelf.after = lambda: time.sleep(0.05)
    reader, start = reader_of(shelf, held_bytes=held_bytes), threading.Barrier(8)

    def look(_: int) -> str:
        start.wait()
        return reader.look(shelf, A).sha256

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(look, range(8))) == {hashlib.sha256(b"red").hexdigest()}
    assert shelf.reads == ["a"]


def test_threads_that_want_different_files_read_them_side_by_side() -> None:
    shelf = Shelf()
    shelf.write("a", b"red")
    shelf.write("b", b"sky")
    both = threading.Barrier(2)
    shelf.after = lambda: both.wait(timeout=10)
    reader = reader_of(shelf)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda ref: reader.read(shelf, ref).data, (A, B)))
    assert found == [b"red", b"sky"]

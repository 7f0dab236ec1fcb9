"""The texts read on the pictures of an index: a database beside that of the items, keyed by what a file holds.

It is derived from the files: removed at any time, it is made again. A text belongs to the bytes of a file and a page,
so a renamed, moved or copied file is not read again. One process writes, under the lock of the index.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..._text import storable
from ...errors import DataError
from ...records import ImageRef, TextLine
from ...text.reader import PageText
from ...text.stored import lines_from_json, lines_to_json
from .opening import DatabaseLayout, connect, create
from .transactions import Transactions

TEXTS = "texts.sqlite"
"""Name of the database in the index directory."""

LAYOUT = DatabaseLayout(
    schema="""
CREATE TABLE texts (
    sha256 BLOB NOT NULL, page INTEGER NOT NULL, reader TEXT NOT NULL, refused TEXT NOT NULL,
    complete INTEGER NOT NULL, lines TEXT NOT NULL, PRIMARY KEY (sha256, page)
) WITHOUT ROWID;
"""
)

_MOST_TEXT = 64 * 2**20  # characters of a page as stored, far above what is written
_DAMAGED = "delete this file, and `vretrver index` reads the texts again"
_HASH = re.compile(r"[0-9a-f]{64}")

Key = tuple[bytes, int]


class TextStore:
    """The texts of an index directory, as `text.reader.Texts`; use it from the thread that opened it.

    Without a database every picture is unread; the first `keep` makes it.

    Args:
        directory: the index directory.

    Raises:
        DataError: the database is damaged, or holds what this program never puts there.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / TEXTS
        self._connection: sqlite3.Connection | None = None
        if self.path.exists() or self.path.is_symlink():
            self._open()

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the database."""
        self.close()

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def lines(self, image: ImageRef) -> tuple[TextLine, ...] | None:
        """Return the lines of a picture in reading order, none where it shows no text; None where it was not read.

        Args:
            image: with its hash, as every picture of an index has it; without one it counts as unread.

        Raises:
            DataError: the row is damaged.
        """
        found = self.text(image)
        return None if found is None else found.found

    def text(self, image: ImageRef) -> PageText | None:
        """Return all that is kept of a picture, likewise."""
        sql = "SELECT reader, refused, complete, substr(lines, 1, ?3) FROM texts WHERE sha256 = ?1 AND page = ?2"
        row = self._row(sql, image, _MOST_TEXT)
        if row is None:
            return None
        try:
            reader, refused, complete, lines = row
            if not (isinstance(reader, str) and isinstance(refused, str) and isinstance(lines, str)):
                raise ValueError("a reader, a reason or lines that are no text")
            return PageText(lines=lines_from_json(lines), reader=reader, refused=refused, complete=complete != 0)
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(
                f"{self.path}: the text of {image} is damaged ({str(error)[:100]}); {_DAMAGED}"
            ) from error

    def missing(
        self, images: Iterable[ImageRef], *, reader: str | None = None, incomplete: bool = True
    ) -> Iterator[ImageRef]:
        """Yield the pictures that are to be read, each content once, in their order.

        Args:
            images: those without a hash are left out.
            reader: read again what another one has read; None takes every reader's word.
            incomplete: read again what was read incompletely.
        """
        sql = "SELECT reader, complete FROM texts WHERE sha256 = ? AND page = ?"
        seen: set[Key | None] = {None}
        for image in images:
            key = _key(image)
            if key in seen:
                continue
            seen.add(key)
            row = self._row(sql, image)
            if row is None or (incomplete and not row[1]) or (reader is not None and row[0] != reader):
                yield image

    def keep(self, texts: Sequence[tuple[ImageRef, PageText]]) -> None:
        """Store what was read, in the place of earlier readings of the same pages; on return it is on disk.

        Pictures without a hash are left out.

        Raises:
            StorageError: the disk is full; nothing of this call is stored.
        """
        if self._connection is None:
            create(self.path, LAYOUT)
            self._open()
        rows = [(*key, *_values(text)) for image, text in texts if (key := _key(image)) is not None]
        with self._transactions.run("BEGIN IMMEDIATE"):
            self._opened.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?, ?, ?)", rows)

    def prune(self, images: Iterable[ImageRef]) -> int:
        """Remove the texts of all other pictures and return how many there were."""
        if self._connection is None:
            return 0
        wanted = {_key(image) for image in images}
        with self._transactions.run("BEGIN IMMEDIATE"):
            kept = [tuple(row) for row in self._opened.execute("SELECT sha256, page FROM texts")]
            gone = [key for key in kept if key not in wanted]
            self._opened.executemany("DELETE FROM texts WHERE sha256 = ? AND page = ?", gone)
        with self._transactions.alone():
            self._opened.execute("VACUUM")
        return len(gone)

    def _row(self, sql: str, image: ImageRef, *more: int) -> tuple[object, ...] | None:
        key = _key(image)
        if self._connection is None or key is None:
            return None
        with self._transactions.alone():
            row: tuple[object, ...] | None = self._connection.execute(sql, (*key, *more)).fetchone()
        return row

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("the database is opened before it is written")
        return self._connection

    def _open(self) -> None:
        self._connection, effort = connect(self.path, self.path.parent, LAYOUT)
        self._transactions = Transactions(self._connection, effort, self.path, damaged=_DAMAGED)


def _key(image: ImageRef) -> Key | None:
    """Return what a picture's text is kept by; None for a picture without a hash."""
    if image.sha256 is None or _HASH.fullmatch(image.sha256) is None:
        return None
    return bytes.fromhex(image.sha256), image.page


def _values(text: PageText) -> tuple[str, str, int, str]:
    return text.reader, storable(text.refused), int(text.complete), storable(lines_to_json(text.lines))

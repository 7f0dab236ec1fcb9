"""Picture books: the bytes a model was shown, by hash, for trajectories that only name them.

A trajectory says how each picture can be reproduced; a book saves the work. Any policy can be recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from ..agent.messages import ShownPicture
from ..agent.policy import Policy, Request
from ..errors import DataError
from ..policies.delegating import DelegatingPolicy


class PictureBytes(Protocol):
    """Gives the bytes of pictures by their hash; a dict does."""

    def get(self, sha256: str, /) -> bytes | None:
        """Return a picture's bytes, or None."""
        ...


class PictureBook:
    """Bytes by SHA-256 in one SQLite file.

    Args:
        path: the file; made when `write` is set.
        write: open the book for adding pictures.

    Raises:
        DataError: there is no such book.
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        if not write and not path.is_file():
            raise DataError(f"{path}: no such picture book; synthesize the trajectories again")
        self.path = path
        self._database = sqlite3.connect(path, check_same_thread=False)
        if write:
            self._database.execute(
                "pragma journal_mode=off"
            )  # an incomplete book is discarded, so it needs no journal
            self._database.execute("pragma synchronous=off")
            self._database.execute("create table if not exists pictures (sha256 text primary key, data blob)")
        else:
            self._database.execute("pragma query_only=on")

    def put(self, pictures: Iterable[ShownPicture]) -> None:
        """Add the pictures that are new."""
        rows = [(shown.picture.sha256, shown.picture.data) for shown in pictures]
        self._database.executemany("insert or ignore into pictures values (?, ?)", rows)

    def hashes(self) -> Iterator[str]:
        """Yield the hash of every picture."""
        yield from (row[0] for row in self._database.execute("select sha256 from pictures"))

    def get(self, sha256: str, /) -> bytes | None:
        """Return a picture's bytes, or None."""
        row = self._database.execute("select data from pictures where sha256 = ?", (sha256,)).fetchone()
        return None if row is None else bytes(row[0])

    def close(self) -> None:
        """Commit and close the file."""
        self._database.commit()
        self._database.close()


class PictureBooks:
    """Several books as one.

    Args:
        books: the books; closed with this one.
    """

    def __init__(self, books: Sequence[PictureBook]) -> None:
        self._books = books
        self._home = {sha256: book for book in books for sha256 in book.hashes()}

    def get(self, sha256: str, /) -> bytes | None:
        """Return a picture's bytes, or None."""
        book = self._home.get(sha256)
        return None if book is None else book.get(sha256)

    def close(self) -> None:
        """Close all books."""
        for book in self._books:
            book.close()


class RecordedPolicy(DelegatingPolicy):
    """A policy whose pictures are kept in a book.

    Threads: `cancel` and `wake` may be called by any thread; one thread makes all other calls.

    Args:
        inner: writes the turns; closed with this one, while the book stays open.
        book: takes the pictures of every request.
    """

    def __init__(self, inner: Policy, book: PictureBook) -> None:
        super().__init__(inner)
        self.book = book

    def submit(self, request: Request) -> None:
        """Keep the pictures and hand the request on."""
        self.book.put(shown for message in request.messages for shown in message.pictures)
        self.inner.submit(request)

"""Reading commits of an index directory from any number of threads: rows, manifest and vectors of one moment.

A connection for each reading under way, kept for the next one. With one connection and a lock, whoever goes through
all items would keep everybody else waiting; with one for each thread, a web server that gives every request a thread
would open and check the file for each, half a millisecond and an empty cache.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from ..encoder import Vectors
from .database import ItemDatabase
from .manifest import Manifest
from .vectors import map_vectors

_IDLE = 8  # connections kept open while nobody reads; each may hold 64 MiB of pages
_TRIES = 5  # a compaction between reading the manifest and mapping is rare


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One state of an index directory, held while it is read."""

    database: ItemDatabase
    """Its rows; for this reading alone."""
    manifest: Manifest
    """What it says of itself."""
    vectors: Vectors
    """[slots, D], mapped from the file, dead ones included."""


class Commits:
    """The commits of an index directory; threads may share one.

    Args:
        directory: the index directory.

    Raises:
        DataError: there is no index, or it is damaged.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._idle = [ItemDatabase(directory)]
        self._closed = False
        self._latest: tuple[Manifest, Vectors | None] = (self._idle[0].manifest(), None)

    @property
    def latest(self) -> Manifest:
        """The manifest that was read last; its encoder and dimension hold for all."""
        return self._latest[0]

    def close(self) -> None:
        """Close the files; a reading under way ends first."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for database in idle:
            database.close()

    @contextmanager
    def rows(self) -> Iterator[ItemDatabase]:
        """Read the rows of one commit, whatever is written meanwhile."""
        database = self._taken()
        try:
            with database.reading():
                yield database
        finally:
            self._given_back(database)

    @contextmanager
    def read(self) -> Iterator[Commit]:
        """Read one commit with its vectors."""
        for left in reversed(range(_TRIES)):
            with self.rows() as database:
                manifest = database.manifest()
                try:
                    vectors = self._mapped(manifest)
                except FileNotFoundError as error:  # compacted since the manifest was read: read again
                    if left:
                        continue
                    raise DataError(f"{self.directory}: {manifest.vector_file} is gone; index again") from error
                yield Commit(database=database, manifest=manifest, vectors=vectors)
                return

    def _mapped(self, manifest: Manifest) -> Vectors:
        """Return the vectors of a commit; those of the last one are mapped already, as long as they stay the same."""
        before, vectors = self._latest
        if vectors is None or before.generation != manifest.generation or len(vectors) != manifest.slots:
            path = self.directory / manifest.vector_file
            vectors = map_vectors(path, slots=manifest.slots, dimension=manifest.dimension)
        self._latest = manifest, vectors
        return vectors

    def _taken(self) -> ItemDatabase:
        with self._lock:
            if self._closed:
                raise DataError(f"{self.directory}: this index was closed; open it again")
            if self._idle:
                return self._idle.pop()
        return ItemDatabase(self.directory)

    def _given_back(self, database: ItemDatabase) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _IDLE:
                self._idle.append(database)
                return
        database.close()

"""Changing an index directory: vectors are written and synced first, then rows and manifest are committed together.

However a process ends, the directory is at one of its commits: vectors without rows are ignored, and overwritten
by the next writer. Deleting only marks; `compact` frees the space.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ..._version import __version__
from ...errors import DataError, StorageError
from ...text.files import ReadTextMode
from ..encoder import Vectors
from ..exact import Slots, longest_row
from ..index import check_vectors
from .database import ItemDatabase, create_database
from .entries import Entry
from .lock import WriterLock
from .manifest import DATABASE, LOCK, Approximate, Manifest
from .sources import SourceRecord
from .vectors import VectorFile, map_vectors, sync_folder

_BLOCK = 8192  # vectors copied at a time by `compact`: 32 MiB at 1,024 numbers


class IndexWriter:
    """The one writer of an index directory, from construction until `close`.

    Args:
        directory: the index directory; made when it is missing.
        new: manifest of the index to create if there is none; None does not create one.

    Raises:
        IndexBusy: another process is writing.
        StorageError: the folder cannot be written.
        DataError: there is no index and `new` is None, or the index is damaged.
    """

    def __init__(self, directory: Path, *, new: Manifest | None = None) -> None:
        self.directory = directory
        if new is None and not (directory / DATABASE).is_file():
            ItemDatabase(directory)  # raises the sentence that says there is no index
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = WriterLock(directory / LOCK)
        except OSError as error:
            raise StorageError(f"{directory}: cannot be written: {error.strerror}; give another folder") from error
        try:
            if new is not None and not (directory / DATABASE).is_file():
                now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
                create_database(directory, replace(new, created=now, package=__version__))
            self.database = ItemDatabase(directory)
        except DataError:
            self._lock.close()
            raise
        try:
            self.manifest = self.database.manifest()
            self._vectors = self._open_vectors()
        except DataError:
            self.database.close()
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the index."""
        self.close()

    def close(self) -> None:
        """Close the files and release the lock."""
        self._vectors.close()
        self.database.close()
        self._lock.close()

    def put(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Store entries with their vectors [N, D]; an entry whose did is there replaces it. On return it is on disk.

        Raises:
            IndexMismatch: the vectors have another dimension.
            DataError: a vector is not finite, or a metadata value is not of its field's kind.
            StorageError: the disk is full. After either, nothing of this call is in the index.
        """
        check_vectors(vectors, self.manifest.dimension)
        if not entries:
            return
        first = self.manifest.slots
        self._vectors.write(first, vectors)
        with self.database.writing():
            manifest = self.database.insert(entries, first, self.manifest)
            longest = max(manifest.longest, longest_row(vectors))
            manifest = self._stored(replace(manifest, slots=first + len(entries), longest=longest))
        self.manifest = manifest

    def change(self, entries: Sequence[tuple[int, Entry]]) -> None:
        """Replace rows at slots, which keep their vectors."""
        if entries:
            with self.database.writing():
                manifest = self._stored(self.database.change(entries, self.manifest))
            self.manifest = manifest

    def delete(self, dids: Sequence[str]) -> int:
        """Delete items; returns how many of them there were."""
        with self.database.writing():
            count = self.database.remove(dids)
            manifest = self._stored(self.manifest)
        self.manifest = manifest
        return count

    def set_roots(self, roots: Mapping[str, str]) -> None:
        """Record where the pictures are."""
        if dict(roots) != dict(self.manifest.roots):
            with self.database.writing():
                manifest = self._stored(replace(self.manifest, roots=dict(roots)))
            self.manifest = manifest

    def set_sources(self, sources: tuple[SourceRecord, ...]) -> None:
        """Record what the index is made of."""
        if sources != self.manifest.sources:
            with self.database.writing():
                manifest = self._stored(replace(self.manifest, sources=sources))
            self.manifest = manifest

    def set_encoder(self, name: str) -> None:
        """Record the encoder's name; the vectors keep their fingerprint."""
        if name != self.manifest.encoder:
            with self.database.writing():
                manifest = self._stored(replace(self.manifest, encoder=name))
            self.manifest = manifest

    def set_read_text(self, mode: ReadTextMode) -> None:
        """Record how much of the text on pictures is read."""
        if mode != self.manifest.read_text:
            with self.database.writing():
                manifest = self._stored(replace(self.manifest, read_text=mode))
            self.manifest = manifest

    def set_approximate(self, approximate: Approximate) -> None:
        """Record a structure for approximate search; the one before it is removed."""
        before = self.manifest.approximate
        with self.database.writing():
            manifest = self._stored(replace(self.manifest, approximate=approximate))
        self.manifest = manifest
        if before is not None and before.file != approximate.file:
            (self.directory / before.file).unlink(missing_ok=True)  # a bare name: the manifest takes no other

    def vectors(self) -> Vectors:
        """Return the committed vectors [slots, D], dead ones included."""
        path = self.directory / self.manifest.vector_file
        return map_vectors(path, slots=self.manifest.slots, dimension=self.manifest.dimension)

    def live_slots(self) -> Slots:
        """Return the slots of items, ascending."""
        mask = np.ones(self.manifest.slots, np.bool_)
        dead = self.database.dead_slots()
        check_slots(self.directory, dead, self.manifest.slots)
        mask[dead] = False
        return np.flatnonzero(mask)

    def compact(self) -> int:
        """Drop dead vectors and return how many there were.

        The live ones go into a new file, and one commit switches to it. A structure for approximate search is
        dropped with the old file: build it again.
        """
        dead = self.database.dead_count()
        if dead == 0:
            return 0
        live, before = self.live_slots(), self.manifest
        after = replace(before, generation=before.generation + 1, slots=len(live), approximate=None)
        (self.directory / after.vector_file).unlink(missing_ok=True)
        file = VectorFile(self.directory / after.vector_file, after.dimension)
        try:
            self._copy(live, file)
            sync_folder(self.directory)
            with self.database.writing():
                self.database.renumber(live)
                after = self._stored(after)
        except BaseException:
            file.close()
            raise
        self.manifest = after
        self._vectors.close()
        self._vectors = file
        self._sweep()
        self.database.shrink()
        return dead

    def _copy(self, slots: Slots, file: VectorFile) -> None:
        source = self.vectors()
        for start in range(0, len(slots), _BLOCK):
            file.write(start, source[slots[start : start + _BLOCK]])

    def _stored(self, manifest: Manifest) -> Manifest:
        """Store the manifest of the next version and return it; it is ours once the transaction has ended."""
        manifest = replace(manifest, version=self.manifest.version + 1)
        self.database.store_manifest(manifest)
        return manifest

    def _open_vectors(self) -> VectorFile:
        path = self.directory / self.manifest.vector_file
        fresh = not os.path.lexists(path)
        if not fresh:
            self.vectors()  # raises when the file is shorter than what was committed
        elif self.manifest.slots:
            raise DataError(f"{path}: the vectors are gone; put the file back, or index again into another folder")
        file = VectorFile(path, self.manifest.dimension)
        file.cut(self.manifest.slots)
        if fresh:
            sync_folder(self.directory)
        self._sweep()
        return file

    def _sweep(self) -> None:
        """Remove files of other generations, left by a compaction or by a writer that was stopped."""
        wanted = {self.manifest.vector_file}
        if self.manifest.approximate is not None:
            wanted.add(self.manifest.approximate.file)
        for pattern in ("vectors-*.f32", "approximate-*"):
            for path in self.directory.glob(pattern):
                if path.name not in wanted:
                    with suppress(OSError):
                        path.unlink()


def check_slots(directory: Path, slots: Slots, count: int) -> None:
    """Raise DataError when a stored slot is outside the index."""
    if len(slots) and (int(slots.min()) < 0 or int(slots.max()) >= count):
        raise DataError(f"{directory}: a slot is not one of its {count}; the index is damaged, index again")

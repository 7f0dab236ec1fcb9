"""The vector file of an index directory: float32 vectors of fixed stride, one after the other, without a header.

Only the database says which of them count; this module knows nothing of commits.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ...errors import DataError, StorageError
from ...files import open_own
from ..encoder import Vectors

_LITTLE = np.dtype("<f4")


class VectorFile:
    """Writes vectors at their slots.

    Args:
        path: the file; made when it is missing.
        dimension: length D of a vector.

    Raises:
        DataError: there is a link or something other than a file in its place.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self.path = path
        self._stride = 4 * dimension
        self._descriptor = open_own(path, os.O_RDWR | os.O_CREAT)

    def write(self, slot: int, vectors: Vectors) -> None:
        """Write vectors [N, D] from a slot on and wait until they are on disk.

        Raises:
            StorageError: the disk is full or fails; what was committed before is untouched.
        """
        left = memoryview(np.ascontiguousarray(vectors, dtype=_LITTLE).data).cast("B")
        offset = slot * self._stride
        try:
            while left:
                written = os.pwrite(self._descriptor, left, offset)
                left, offset = left[written:], offset + written
            os.fsync(self._descriptor)
        except OSError as error:
            raise StorageError(
                f"{self.path}: cannot be written: {error.strerror}; what was indexed is kept, run again to go on"
            ) from error

    def cut(self, slots: int) -> None:
        """Truncate the file to a number of slots; a writer that was stopped may have left more."""
        if os.fstat(self._descriptor).st_size > slots * self._stride:
            os.ftruncate(self._descriptor, slots * self._stride)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def map_vectors(path: Path, *, slots: int, dimension: int) -> Vectors:
    """Return the first vectors of a file as a read-only array [slots, D] that is read when it is used.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: the file is shorter than that, or is a link or something other than a file.
    """
    if slots == 0:
        return np.zeros((0, dimension), np.float32)
    with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < slots * dimension * 4:
            raise DataError(
                f"{path}: holds {size} bytes of {slots * dimension * 4}: the file was cut short; index again"
            )
        return np.asarray(np.memmap(file, dtype=_LITTLE, mode="r", shape=(slots, dimension)))


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

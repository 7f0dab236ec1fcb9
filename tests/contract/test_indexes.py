"""Holds every vector index to the index contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest
from tests.contract.index_contract import IndexContract

from vretrver.retrieval.directory.accelerate import resident
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.encoder import Vectors
from vretrver.retrieval.index import Found, MemoryIndex, VectorIndex

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - hundreds of commits wait for no disk


class TestMemoryIndex(IndexContract):
    def make(self, dimension: int) -> VectorIndex:
        return MemoryIndex(dimension=dimension, fingerprint="test")


class TestDirectoryIndex(IndexContract):
    kind = DirectoryIndex

    @pytest.fixture(autouse=True)
    def folder(self) -> Iterator[None]:
        with TemporaryDirectory(dir=IN_MEMORY) as name, ExitStack() as self.opened:
            self.folder_name = name
            yield

    def make(self, dimension: int) -> VectorIndex:
        directory = Path(mkdtemp(dir=self.folder_name))
        return self.opened.enter_context(self.kind.create(directory, dimension=dimension, fingerprint="test"))


class ResidentIndex(DirectoryIndex):
    """Searches the vectors of the first search in memory at half precision, and later ones on the map."""

    loaded = False

    def search(self, queries: Vectors, k: int, *, where: str | None = None) -> list[Found]:
        if not self.loaded and len(self):
            manifest, matrix = self.mapped()
            self.use(resident(matrix, manifest, megabytes=10))
            self.loaded = True
        return super().search(queries, k, where=where)


class TestResidentIndex(TestDirectoryIndex):
    kind = ResidentIndex

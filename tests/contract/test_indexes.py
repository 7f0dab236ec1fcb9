"""Holds every vector index to the index contract."""

from __future__ import annotations

from vretrver.retrieval.index import MemoryIndex, VectorIndex

from tests.contract.index_contract import IndexContract


class TestMemoryIndex(IndexContract):
    def make(self, dimension: int) -> VectorIndex:
        return MemoryIndex(dimension=dimension, fingerprint="test")

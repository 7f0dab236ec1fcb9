"""Holds every vector index to the index contract."""

from __future__ import annotations

from tests.contract.index_contract import IndexContract

from vretrver.retrieval.index import MemoryIndex, VectorIndex


class TestMemoryIndex(IndexContract):
    def make(self, dimension: int) -> VectorIndex:
        return MemoryIndex(dimension=dimension, fingerprint="test")

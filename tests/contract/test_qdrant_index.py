"""Holds the Qdrant index to the index contract, over the client's in-process engine."""

from __future__ import annotations

import pytest

pytest.importorskip("qdrant_client")
from qdrant_client import QdrantClient
from tests.contract.index_contract import IndexContract

from vretrver.retrieval.index import VectorIndex
from vretrver.retrieval.qdrant.index import QdrantIndex


class TestQdrantIndex(IndexContract):
    def make(self, dimension: int) -> VectorIndex:
        return QdrantIndex.create(QdrantClient(":memory:"), "items", dimension=dimension, fingerprint="test")

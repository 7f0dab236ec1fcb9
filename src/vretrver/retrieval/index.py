"""The interface of vector indexes, and the one without files: exact search over vectors held in memory."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Protocol

import numpy as np

from ..errors import DataError, IndexMismatch
from .encoder import Vectors
from .exact import exact_search, longest_row

Found = list[tuple[str, float]]
"""(did, score) pairs of one query, best first."""


class VectorIndex(Protocol):
    """Vectors with ids, searched by inner product."""

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        ...

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors [N, D] under N new ids.

        Raises IndexMismatch for another D than the index has, DataError for an id that the index already has, a wrong
        number of vectors, or numbers that are not finite; then nothing is added.
        """
        ...

    def search(self, queries: Vectors, k: int) -> list[Found]:
        """Return for each query [N, D] the k best (did, score), best first; fewer when the index holds fewer.

        Equal scores keep the order in which the ids were added. Raises IndexMismatch for another D.
        """
        ...

    def __len__(self) -> int:
        """Return the number of vectors."""
        ...


class MemoryIndex:
    """A `VectorIndex` without files; threads may search one once everything is in it.

    Args:
        dimension: length D of a vector.
        fingerprint: fingerprint of the encoder that makes the vectors.
    """

    def __init__(self, *, dimension: int, fingerprint: str) -> None:
        self.dimension = dimension
        self._fingerprint = fingerprint
        self._known: set[str] = set()
        self._ids: list[str] = []
        self._blocks: list[Vectors] = []
        self._longest = 0.0

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        return self._fingerprint

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self._ids)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors [N, D] under N new ids; see `VectorIndex.add`."""
        self._check(vectors)
        check_ids(ids, vectors, self._known)
        self._known.update(ids)
        self._ids.extend(ids)
        self._longest = max(self._longest, longest_row(vectors))
        if len(vectors):
            self._blocks.append(np.array(vectors, dtype=np.float32))

    def search(self, queries: Vectors, k: int) -> list[Found]:
        """Return the k best (did, score) of each query, best first; see `VectorIndex.search`."""
        self._check(queries)
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        found = exact_search(self._joined(), queries, k, longest=self._longest)
        return [
            [(self._ids[slot], float(score)) for slot, score in zip(slots, scores, strict=True)]
            for slots, scores in found
        ]

    def _joined(self) -> Vectors:
        """Return the vectors as one matrix; the next search finds it joined already."""
        blocks = self._blocks
        if len(blocks) > 1:
            self._blocks = blocks = [np.concatenate(blocks)]
        return blocks[0] if blocks else np.zeros((0, self.dimension), np.float32)

    def _check(self, vectors: Vectors) -> None:
        check_vectors(vectors, self.dimension)


def check_vectors(vectors: Vectors, dimension: int) -> None:
    """Refuse vectors of another dimension with IndexMismatch, and numbers that are not finite with DataError."""
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise IndexMismatch(
            f"vectors of shape {list(vectors.shape)} do not fit an index of dimension {dimension}; "
            "use the encoder the index was made with"
        )
    if not np.isfinite(vectors).all():
        raise DataError("vectors hold numbers that are not finite; the encoder is at fault")


def check_ids(ids: Sequence[str], vectors: Vectors, known: Container[str]) -> None:
    """Refuse a wrong number of ids, ids that come twice, and ids that are known already, with DataError."""
    if len(ids) != len(vectors):
        raise DataError(f"{len(ids)} ids came with {len(vectors)} vectors; give one vector for each id")
    seen: set[str] = set()
    for did in ids:
        if did in seen or did in known:
            raise DataError(f"id {did!r} is in the index already; ids must be unique")
        seen.add(did)

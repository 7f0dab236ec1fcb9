"""Exact nearest-neighbour search by inner product over vectors held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, IndexMismatch
from .encoder import Vectors

Found = list[tuple[str, float]]
"""(did, score) pairs of one query, best first."""

_BLOCK = 4096


class VectorIndex(Protocol):
    """Vectors with ids, searched by inner product."""

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        ...

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors [N, D] under N new ids.

        Raises IndexMismatch for another D than the index has, DataError for an id that is there already, a wrong
        number of vectors, or numbers that are not finite; then nothing was added.
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
    """A `VectorIndex` without files.

    Args:
        dimension: length D of a vector.
        fingerprint: fingerprint of the encoder that makes the vectors.
    """

    def __init__(self, *, dimension: int, fingerprint: str) -> None:
        self.dimension = dimension
        self._fingerprint = fingerprint
        self._places: dict[str, int] = {}
        self._ids: list[str] = []
        self._blocks: list[Vectors] = []

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
        if len(ids) != len(vectors):
            raise DataError(f"{len(ids)} ids came with {len(vectors)} vectors; give one vector for each id")
        new = dict.fromkeys(ids)
        known = next((did for did in new if did in self._places), None)
        if known is not None or len(new) < len(ids):
            repeated = known if known is not None else next(did for did in new if list(ids).count(did) > 1)
            raise DataError(f"id {repeated!r} is in the index already; ids must be unique")
        self._places.update((did, len(self._ids) + place) for place, did in enumerate(ids))
        self._ids.extend(ids)
        if len(vectors):
            self._blocks.append(np.array(vectors, dtype=np.float32))

    def search(self, queries: Vectors, k: int) -> list[Found]:
        """Return the k best (did, score) of each query, best first; see `VectorIndex.search`."""
        self._check(queries)
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        best = [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in queries]
        start = 0
        for block in self._joined():
            scores = _products(queries, block)
            places = np.arange(start, start + len(block))
            best = [
                _best(np.concatenate([old_places, places]), np.concatenate([old_scores, row]), k)
                for (old_places, old_scores), row in zip(best, scores, strict=True)
            ]
            start += len(block)
        return [
            [(self._ids[place], float(score)) for place, score in zip(places, scores, strict=True)]
            for places, scores in best
        ]

    def _joined(self) -> list[Vectors]:
        """Return the vectors in blocks of a fixed size, so that how they were added does not matter."""
        full, last = self._blocks[:-1], self._blocks[-1:]
        if any(len(block) != _BLOCK for block in full) or any(len(block) > _BLOCK for block in last):
            whole = np.concatenate(self._blocks)
            self._blocks = [whole[start : start + _BLOCK] for start in range(0, len(whole), _BLOCK)]
        return self._blocks

    def _check(self, vectors: Vectors) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise IndexMismatch(
                f"vectors of shape {list(vectors.shape)} do not fit an index of dimension {self.dimension}; "
                "use the encoder the index was made with"
            )
        if not np.isfinite(vectors).all():
            raise DataError("vectors hold numbers that are not finite; the encoder is at fault")


def _products(queries: Vectors, block: Vectors) -> Vectors:
    """Return inner products [N, B], summed in 64 bits and rounded once.

    In 32 bits a matrix product rounds equal vectors differently by their place, which would break ties at random.
    """
    return (queries.astype(np.float64) @ block.astype(np.float64).T).astype(np.float32)


def _best(
    places: NDArray[np.int64], scores: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the k best of places in ascending order, by score and then by place."""
    if len(scores) > k:
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        chosen = np.flatnonzero(scores >= least)
        places, scores = places[chosen], scores[chosen]
    order = np.lexsort((places, -scores))[:k]
    return places[order], scores[order]

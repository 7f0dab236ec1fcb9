"""Exact search by inner product over one matrix, in memory or mapped from a file, with an optional mask of rows.

A pass in 32 bits finds a shortlist that is guaranteed to hold the best rows, in whatever order products are summed;
the shortlist is scored again in 64 bits. So equal vectors have equal scores, ties go to the lower row, and results
do not depend on block sizes, threads or the number of queries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .encoder import Vectors

Slots = NDArray[np.int64]
"""Rows of the matrix."""

Best = tuple[Slots, NDArray[np.float32]]
"""Rows of one query and their scores, best first; equal scores by row."""

BLOCK_BYTES = 128 * 2**20
"""Bytes of the matrix in one product, at most; in small blocks starting threads costs more than the arithmetic."""

_QUERIES = 256  # with _MOST_ROWS: a block of scores takes at most 64 MiB
_MOST_ROWS = 65536
_SPARSE = 8  # gathering rows costs more per row than reading the block in order


def longest_row(vectors: Vectors) -> float:
    """Return the largest length of a row, 0.0 without rows."""
    return float(np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64).max(initial=0.0)))


def exact_search(
    matrix: Vectors,
    queries: Vectors,
    k: int,
    *,
    longest: float,
    allowed: NDArray[np.bool_] | None = None,
    first: int = 0,
    block_bytes: int = BLOCK_BYTES,
) -> list[Best]:
    """Return for each query the k best rows, fewer when fewer are allowed.

    Args:
        matrix: [N, D] float32.
        queries: [Q, D] float32.
        k: at least 1.
        longest: an upper bound on the lengths of rows, and so on the rounding error of the first pass.
        allowed: [N] mask of the rows that may be found; None allows all.
        first: rows before this one are not searched.
        block_bytes: bytes of the matrix in one product.
    """
    rows = max(1, min(_MOST_ROWS, block_bytes // (4 * max(1, matrix.shape[1]))))
    found: list[Best] = []
    for start in range(0, len(queries), _QUERIES):
        some = queries[start : start + _QUERIES]
        shortlists = _shortlists(
            matrix, some, k, slack=_slack(some, longest), allowed=allowed, first=first, rows=rows
        )
        found += [rescored(matrix, query, slots, k) for query, slots in zip(some, shortlists, strict=True)]
    return found


def rescored(matrix: Vectors, query: Vectors, slots: Slots, k: int) -> Best:
    """Return the k best of some rows for one query [D]; scores are summed in 64 bits and rounded once."""
    wide = query.astype(np.float64)
    parts = [matrix[slots[at : at + 4096]].astype(np.float64) @ wide for at in range(0, len(slots), 4096)]
    scores = np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
    order = np.lexsort((slots, -scores))[:k]
    return slots[order], scores[order]


def merged(parts: Sequence[Best], k: int) -> Best:
    """Return the k best of results over disjoint rows."""
    slots = np.concatenate([part[0] for part in parts])
    scores = np.concatenate([part[1] for part in parts])
    order = np.lexsort((slots, -scores))[:k]
    return slots[order], scores[order]


def _slack(queries: Vectors, longest: float) -> NDArray[np.float32]:
    """Return [Q]: twice the largest rounding error of a product in 32 bits, whatever the order of summing.

    That error is at most D * 2**-24 * |row| * |query|; 2**-22 is twice that, doubled again as a margin.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", queries, queries, dtype=np.float64))
    return np.asarray(queries.shape[1] * 2.0**-22 * longest * lengths, dtype=np.float32)


def _shortlists(
    matrix: Vectors,
    queries: Vectors,
    k: int,
    *,
    slack: NDArray[np.float32],
    allowed: NDArray[np.bool_] | None,
    first: int,
    rows: int,
) -> list[Slots]:
    """Return for each query rows that hold its k best, in ascending order."""
    lists = [_Shortlist(k, float(extra)) for extra in slack]
    for start in range(first, len(matrix), rows):
        end = min(start + rows, len(matrix))
        mask = None if allowed is None else allowed[start:end]
        slots, scores = _block_scores(matrix[start:end], queries, mask)
        for shortlist, row in zip(lists, scores, strict=True):
            shortlist.take(slots, row, offset=start)
    return [shortlist.slots for shortlist in lists]


def _block_scores(
    block: Vectors, queries: Vectors, mask: NDArray[np.bool_] | None
) -> tuple[Slots | None, NDArray[np.float32]]:
    """Return rows of a block and scores [Q, rows]; None means all rows.

    If few rows are allowed, only those are read; otherwise reading the whole block in order is faster.
    """
    slots = None if mask is None or mask.all() else np.flatnonzero(mask)
    if slots is None:
        return None, queries @ block.T
    if len(slots) * _SPARSE < len(block):
        return slots, queries @ block[slots].T
    return slots, (queries @ block.T)[:, slots]


class _Shortlist:
    """The rows of one query that may still be among its k best."""

    __slots__ = ("_floor", "_k", "_scores", "_slack", "slots")

    def __init__(self, k: int, slack: float) -> None:
        self.slots: Slots = np.zeros(0, np.int64)
        self._scores = np.zeros(0, np.float32)
        self._floor = -np.inf
        self._k = k
        self._slack = slack

    def take(self, slots: Slots | None, scores: NDArray[np.float32], *, offset: int) -> None:
        """Take a block's scores; `slots` are its rows from `offset`, None for all of them in order."""
        chosen = np.flatnonzero(scores >= self._floor)
        if not len(chosen):
            return
        self.slots = np.concatenate([self.slots, (chosen if slots is None else slots[chosen]) + offset])
        self._scores = np.concatenate([self._scores, scores[chosen]])
        if len(self._scores) > self._k:
            place = len(self._scores) - self._k
            self._floor = float(np.partition(self._scores, place)[place]) - self._slack
            kept = np.flatnonzero(self._scores >= self._floor)
            self.slots, self._scores = self.slots[kept], self._scores[kept]

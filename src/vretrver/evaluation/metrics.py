"""Metrics of one query: pure functions of a ranking and the set of relevant items.

A ranking is a sequence of dids, best first, without repeats. The set must not be empty: every metric here is
undefined for a query to which nothing is relevant. `evaluate` applies them to whole runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet


def hit_at_k(ranking: Sequence[str], relevant: AbstractSet[str], k: int) -> float:
    """Return 1 when any of the first k items is relevant, else 0.

    This is what M-BEIR's tables call Recall@k: `compute_recall_at_k` of UniIR's `mbeir_retriever.py`. It differs
    from recall where a query has several relevant items.
    """
    _check(relevant, k)
    return float(any(did in relevant for did in ranking[:k]))


def recall_at_k(ranking: Sequence[str], relevant: AbstractSet[str], k: int) -> float:
    """Return |first k and relevant| / |relevant|, the recall of information retrieval (Manning et al. 2008, 8.3)."""
    _check(relevant, k)
    return sum(did in relevant for did in ranking[:k]) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: AbstractSet[str]) -> float:
    """Return 1 / rank of the first relevant item, 0 when there is none (Voorhees, TREC-8 QA track 1999).

    Its mean over queries is the MRR.
    """
    _check(relevant, 1)
    return next((1 / rank for rank, did in enumerate(ranking, start=1) if did in relevant), 0.0)


def _check(relevant: AbstractSet[str], k: int) -> None:
    if not relevant:
        raise ValueError("a metric is undefined for a query to which nothing is relevant; leave the query out")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")

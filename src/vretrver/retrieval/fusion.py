"""One order of two: reciprocal rank fusion.

An item's score is the sum over rankings of weight / (constant + rank), rank from 1, equal scores sharing a rank; what
a ranking does not hold adds nothing (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and
Individual Rank Learning Methods", SIGIR 2009; the constant is theirs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CONSTANT = 60
"""How little the first ranks stand out; added to every rank."""

EQUAL: Mapping[str, float] = {"words": 1.0, "vectors": 1.0}
"""Weights where the encoder knows words: neither ranking is trusted more."""

WORDS_FIRST: Mapping[str, float] = {"words": 1.0, "vectors": 1e-6}
"""Weights where it knows none: vectors order what words leave equal, and follow behind."""


def fused(
    rankings: Mapping[str, Sequence[tuple[str, float]]], *, weights: Mapping[str, float], constant: int = CONSTANT
) -> list[tuple[str, float]]:
    """Return the fused ranking as (did, score), best first; equal scores keep the order of the first ranking.

    Args:
        rankings: name -> (did, score), best first.
        weights: name -> weight, at least 0.
        constant: at least 0.
    """
    scores: dict[str, float] = {}
    for name, ranking in rankings.items():
        rank, before = 0, None
        for place, (did, score) in enumerate(ranking, start=1):
            if score != before:
                rank, before = place, score
            scores[did] = scores.get(did, 0.0) + weights[name] / (constant + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])

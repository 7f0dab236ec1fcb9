"""Shares of five twins told apart, with one-sided 95 % bounds; it draws and trains nothing.

Wilson's bound takes every picture as independent. Pictures of one family share colours, ground and label, so a
second bound resamples whole families; a verdict uses the less favourable of the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

Z95 = 1.6448536269514722
"""Normal quantile of a one-sided 95 % bound."""

RESAMPLES = 4000
"""Bootstrap resamples of families."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How often something was right, with bounds."""

    right: int
    """Pictures that were right."""
    of: int
    """Pictures tried."""
    families: int
    """Families they belong to."""
    value: float
    """right / of."""
    lower: float
    """One-sided lower 95 % bound: the smaller of Wilson's and the family bootstrap's."""
    upper: float
    """One-sided upper 95 % bound: the larger of the two."""
    wilson: tuple[float, float]
    """Wilson's two one-sided bounds."""
    bootstrap: tuple[float, float]
    """5 % and 95 % quantile over resampled families."""


def wilson_bounds(right: int, of: int) -> tuple[float, float]:
    """Return Wilson's one-sided lower and upper 95 % bounds of right / of; `of` must be positive."""
    share = right / of
    scale = 1 + Z95**2 / of
    centre = share + Z95**2 / (2 * of)
    spread = Z95 * math.sqrt(share * (1 - share) / of + Z95**2 / (4 * of**2))
    return (centre - spread) / scale, (centre + spread) / scale


def share_right(right: NDArray[np.bool_], families: NDArray[np.int64], *, seed: int) -> Share:
    """Return the share of True with both bounds.

    Args:
        right: [N] bool, one entry per picture tried.
        families: [N] int, the family of each picture.
        seed: seed of the resampling.
    """
    names, position = np.unique(families, return_inverse=True)
    hits = np.bincount(position, weights=right.astype(np.float64))
    sizes = np.bincount(position).astype(np.float64)
    draws = np.random.default_rng(seed).integers(0, len(names), size=(RESAMPLES, len(names)))
    shares = hits[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = (float(q) for q in np.quantile(shares, (0.05, 0.95)))
    wilson = wilson_bounds(int(right.sum()), len(right))
    return Share(
        right=int(right.sum()),
        of=len(right),
        families=len(names),
        value=float(right.mean()),
        lower=min(wilson[0], low),
        upper=max(wilson[1], high),
        wilson=wilson,
        bootstrap=(low, high),
    )


def assigned_jointly(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which code each twin gets in the one-to-one assignment of greatest total score.

    Args:
        scores: [F, 5, 5] float, log-probability of code j for twin i of a family.

    Returns:
        [F, 5] int, the code given to each twin; a permutation per family.
    """
    orders = np.array(list(permutations(range(scores.shape[1]))))
    totals = sum(scores[:, twin, orders[:, twin]] for twin in range(scores.shape[1]))
    return np.asarray(orders[np.asarray(totals).argmax(axis=1)])

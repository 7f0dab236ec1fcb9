"""Confidence intervals of a mean over a number of queries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

_DRAWS_AT_ONCE = 256  # 256 draws of 25,000 queries are 51 MB of indices


def wilson(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the two-sided Wilson score interval of a proportion (Wilson 1927), within 0..1.

    Unlike the normal interval, it has a width for 0 and for all successes. The trials must be independent.

    Args:
        successes: 0..trials.
        trials: at least 1.
        level: coverage, between 0 and 1.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"need 0 <= successes <= trials and at least one trial, got {successes} of {trials}")
    z = NormalDist().inv_cdf((1 + _checked(level)) / 2)
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    low = 0.0 if successes == 0 else max(centre - half, 0.0)
    high = 1.0 if successes == trials else min(centre + half, 1.0)
    return low, high


def bootstrap(scores: Sequence[float], *, seed: int, level: float = 0.95, draws: int = 10_000) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a mean (Efron 1979): queries are drawn with replacement.

    Equal scores give an interval of width 0: use `wilson` for shares near 0 or 1.

    Args:
        scores: one number a query; at least one.
        seed: seed of the draws.
        level: coverage, between 0 and 1.
        draws: number of resamples, at least 1.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not len(values) or not np.isfinite(values).all() or draws < 1:
        raise ValueError(f"need finite scores and draws, got {len(values)} scores and {draws} draws")
    tail = (1 - _checked(level)) / 2
    generator = np.random.default_rng(seed)
    means = np.empty(draws)
    for start in range(0, draws, _DRAWS_AT_ONCE):  # in slices: 10,000 draws of 25,000 queries do not fit in memory
        count = min(_DRAWS_AT_ONCE, draws - start)
        means[start : start + count] = values[generator.integers(len(values), size=(count, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _checked(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    return level

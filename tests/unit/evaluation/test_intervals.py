"""Pins the intervals: published values, edges, coverage in a simulation, and that a seed repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.evaluation.intervals import bootstrap, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [
        (81, 263, (0.2553, 0.3662)),  # Newcombe 1998, table I
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (29, 29, (0.8830, 1.0)),
    ],
)
def test_wilson_gives_the_published_values(successes: int, trials: int, interval: tuple[float, float]):
    assert wilson(successes, trials) == pytest.approx(interval, abs=6e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_stays_within_zero_and_one(case: tuple[int, int]):
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    assert low < high


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes: int, trials: int):
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, trials)


def test_the_bootstrap_comes_near_the_normal_interval_of_many_scores():
    scores = np.random.default_rng(1).normal(0.6, 0.2, size=2000)
    half = 1.96 * scores.std() / 2000**0.5
    low, high = bootstrap(scores.tolist(), seed=2)
    assert low == pytest.approx(scores.mean() - half, abs=1e-3)
    assert high == pytest.approx(scores.mean() + half, abs=1e-3)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    inside = 0
    for trial in range(200):
        low, high = bootstrap((generator.random(80) < 0.4).astype(float).tolist(), seed=trial, draws=500)
        inside += low <= 0.4 <= high
    assert 180 <= inside <= 199


def test_a_seed_repeats_and_another_differs():
    scores = [0.0, 1.0, 1.0, 0.5, 0.2, 0.9, 0.4]
    assert bootstrap(scores, seed=1) == bootstrap(scores, seed=1)
    assert bootstrap(scores, seed=1) != bootstrap(scores, seed=2)


def test_equal_scores_have_no_width():
    assert bootstrap([0.5] * 9, seed=1) == (0.5, 0.5)


@pytest.mark.parametrize(("scores", "draws"), [([], 10), ([float("nan")], 10), ([1.0], 0)])
def test_what_cannot_be_drawn_from_is_refused(scores: list[float], draws: int):
    with pytest.raises(ValueError, match="finite scores"):
        bootstrap(scores, seed=1, draws=draws)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_levels_are_between_zero_and_one(level: float):
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=level)
    with pytest.raises(ValueError, match="level"):
        bootstrap([1.0], seed=1, level=level)

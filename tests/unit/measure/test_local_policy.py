"""Pins the benchmark of the local policy: every arm does the same work, and the ratios are those of its seconds."""

from __future__ import annotations

import pytest
from measure.local_policy import compare, distinct, pooled
from measure.local_policy_world import FULL, SMALL

from vretrver.world.tiny.config import TinySize

SIZE = TinySize(
    hidden=64,
    layers=2,
    heads=4,
    inner=96,
    vision_hidden=32,
    vision_layers=2,
    vision_heads=2,
    vision_inner=48,
    deepstack=(0,),
    positions=16,
)


def test_every_arm_is_measured_and_put_against_stock_transformers() -> None:
    result = compare(SIZE, SMALL, queries=2)
    seconds, ratios = result["seconds_a_query"], result["stock_over"]
    assert isinstance(seconds, dict)
    assert isinstance(ratios, dict)
    assert len(seconds) == len(ratios) == 7
    assert all(spent > 0 for spent in seconds.values())
    slowest = seconds["stock, one at a time"]
    assert {arm: pytest.approx(slowest / spent, rel=0.05, abs=0.01) for arm, spent in seconds.items()} == ratios


def test_a_pool_is_shared_and_distinct_queries_share_nothing() -> None:
    shared = [{shown.picture.sha256 for shown in first[1].pictures} for _, first, _ in pooled(SMALL, 2)]
    own = [{shown.picture.sha256 for shown in first[1].pictures} for _, first, _ in distinct(SMALL, 2)]
    assert len(shared[0] & shared[1]) == SMALL.candidates
    assert not own[0] & own[1]


def test_the_full_load_is_what_the_figure_is_asked_for() -> None:
    assert (FULL.candidates, FULL.grid[0] * FULL.grid[1], len(FULL.turns)) == (20, 210, 3)

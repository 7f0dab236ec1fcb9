"""Runs the soak small: results as if alone, nothing left behind; and a broken promise is noticed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from measure import engine_soak
from measure.agent_world import draw_world
from measure.engine_soak import Load, leaks, scripted, soak


def test_disturbed_queries_are_spread_over_the_load() -> None:
    load = Load(queries=43, disturbed=4)
    assert Counter(load.kind(number) for number in range(43)) == {"whole": 35, "cancelled": 4, "late": 4}
    assert [load.kind(number) for number in range(6)] == ["cancelled", *["whole"] * 4, "late"]


def test_callers_get_what_they_would_get_alone(tmp_path: Path) -> None:
    world = draw_world(tmp_path)
    tally, figures = soak(scripted(world, seconds=0.005), scripted(world), world, Load(queries=40, disturbed=4))
    assert tally.broken == []
    assert figures["seen"]["whole: complete"] == 32


def test_a_result_that_depends_on_others_is_noticed(tmp_path: Path) -> None:
    world = draw_world(tmp_path)
    other = scripted(world)
    other.policy.script = lambda _: "<answer>[2]</answer>"  # type: ignore[attr-defined]
    tally, _ = soak(scripted(world, seconds=0.005), other, world, Load(queries=20, disturbed=2))
    assert "query 1 (whole) is not what it is alone" in tally.broken


def test_what_is_left_behind_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = draw_world(tmp_path)
    tally, found = leaks(world, 64, warm=64)
    assert tally.broken == []
    assert found["after"]["conversations"] == 0
    monkeypatch.setattr("vretrver.policies.scripted.ScriptedPolicy.release", lambda *_: None)
    monkeypatch.setattr(engine_soak, "MOST_GROWTH_MB", 2**20)
    tally, _ = leaks(world, 64, warm=64)
    assert tally.broken == ["conversations: 64 before, 128 after 64 queries"]

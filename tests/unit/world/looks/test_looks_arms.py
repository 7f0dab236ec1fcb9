"""Pins the arms of the experiment on looks: who ranks, told what, shown what, held to what."""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.world.looks.arms import arm_named
from vretrver.world.looks.config import ArmName, LooksConfig

CONFIG = LooksConfig(agent=Path("a"), twin=Path("n"), taught=Path("t"), encoder="lamra:e", gallery=Path("g"))


@pytest.mark.parametrize(
    ("name", "folder", "tools", "tokens", "complete"),
    [
        ("agent", "a", True, 9, False),
        ("complete-answers", "a", True, 9, True),
        ("oracle-boxes", "a", True, 9, False),
        ("fake-looks", "a", True, 9, False),
        ("whole-candidates", "a", True, 576, False),
        ("whole-taught", "t", False, 576, False),
        ("no-tools", "n", False, 9, False),
        ("larger-thumbnails", "n", False, 16, False),
    ],
)
def test_an_arm(name: ArmName, folder: str, tools: bool, tokens: int, complete: bool) -> None:
    arm = arm_named(name, CONFIG, {})
    assert (arm.name, arm.folder, bool(arm.dialect.tools), arm.complete) == (name, Path(folder), tools, complete)
    side = round(tokens**0.5) * 32
    assert arm.views.candidate.fit(768, 768) == arm.views.query.fit(768, 768) == (side, side)

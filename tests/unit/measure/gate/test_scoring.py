"""Bounds and joint assignment of the gate: literal numbers."""

import numpy as np
import pytest
from measure.gate.scoring import assigned_jointly, share_right, wilson_bounds


def test_wilson_bounds_of_a_known_share() -> None:
    low, high = wilson_bounds(200, 1000)
    assert low == pytest.approx(0.18007, abs=1e-4)
    assert high == pytest.approx(0.22153, abs=1e-4)


def test_bounds_use_the_less_favourable_of_pictures_and_families() -> None:
    families = np.repeat(np.arange(40), 5)
    right = families % 5 == 0
    share = share_right(right, families, seed=1)
    assert (share.right, share.of, share.families, share.value) == (40, 200, 40, 0.2)
    assert share.bootstrap[1] > share.wilson[1]
    assert share.upper == share.bootstrap[1]
    assert share.lower == share.bootstrap[0]


def test_same_seed_gives_the_same_bounds() -> None:
    families = np.repeat(np.arange(10), 5)
    right = np.arange(50) % 3 == 0
    assert share_right(right, families, seed=4) == share_right(right, families, seed=4)


def test_joint_assignment_gives_every_code_once() -> None:
    scores = np.full((1, 5, 5), -9.0)
    scores[0, :, 0] = -1.0
    scores[0, 3, 0] = -0.5
    scores[0, [0, 1, 2, 4], [2, 1, 4, 3]] = -0.9
    assert assigned_jointly(scores).tolist() == [[2, 1, 4, 0, 3]]

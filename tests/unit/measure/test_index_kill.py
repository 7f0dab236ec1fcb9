"""Runs the kill proof small: a build that is killed a few times loses nothing and ends as if undisturbed."""

from __future__ import annotations

from pathlib import Path

from measure.index_kill import Builder


def test_killed_builds_lose_nothing(tmp_path: Path):
    builder = Builder(tmp_path, 1200, seed=3)
    builder.build(0, 6)
    tally = builder.tally
    assert tally.builds == 1
    assert tally.kills >= 2
    assert (tally.lost, tally.acknowledged_encoded_again, tally.different) == (0, 0, 0)
    assert tally.most_encoded_again <= 64

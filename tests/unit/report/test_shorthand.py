"""Pins that the agent's shorthand is explained where a model in this process wrote it, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.report.reranks import drawn, page, reranked

from vretrver.report.shorthand import is_shorthand

SHORT = "<think>Want red striped mug wood, code A7K.\n1 red striped mug wood yes\n2 brown no\n1 match.\n</think>"
PLAIN = "<think>Want a red mug.\nThe first one looks right.</think>"
ANSWER = "<answer>[1, 2, 3, 4]</answer>"


@pytest.mark.parametrize(
    ("policy", "words", "said"),
    [
        ("local:qwen3_vl agent@1a2b bfloat16 cpu", SHORT, True),
        ("local:qwen3_vl agent@1a2b bfloat16 cpu", PLAIN, False),
        ("http:server model", SHORT, False),
        ("scripted:oracle", SHORT, False),
    ],
)
def test_the_legend_belongs_to_the_shorthand(tmp_path: Path, policy: str, words: str, said: bool) -> None:
    images = drawn(tmp_path)
    result = reranked(images, [words + ANSWER])
    (trajectory,) = result.trajectories
    written = replace(trajectory, policy=policy)
    assert is_shorthand(written) is said
    text = page(tmp_path, images, replace(result, trajectories=(written,)))
    assert ("How to read the agent&#x27;s shorthand" in text) is said


def test_the_legend_is_open_in_the_first_query_only(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    result = reranked(images, [SHORT + ANSWER])
    written = replace(result, trajectories=(replace(result.trajectories[0], policy="local:m"),))
    text = page(tmp_path, images, written, written)
    assert text.count('<details class="more legend" open>') == text.count('<details class="more legend">') == 1

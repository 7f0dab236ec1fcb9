"""Pins when a result is said to be right or wrong, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.reranks import LOOKED, drawn, reranked

from vretrver.agent.answers import RankingOrNoneForm
from vretrver.report.known import Mark, mark_of, verdict_on
from vretrver.report.words import Names

NONE = ["<answer>none [1, 2, 3, 4]</answer>"]


@pytest.mark.parametrize(
    ("turns", "wanted", "mark", "sentence"),
    [
        (LOOKED, ["5:2"], Mark.RIGHT, "Right: this is what was asked for."),
        (LOOKED, ["5:0", "5:2"], Mark.RIGHT, "Right: this is what was asked for."),
        (LOOKED, ["5:3", "5:0"], Mark.WRONG, "Wrong: candidate 5:0 was asked for; it is at place 2."),
        (LOOKED, ["5:9"], Mark.WRONG, "Wrong: what was asked for is not among the candidates."),
        (LOOKED, [], Mark.WRONG, "Wrong: what was asked for is not among the candidates."),
        (NONE, ["5:9"], Mark.RIGHT, "Right: no candidate is what was asked for."),
        (NONE, ["5:0"], Mark.WRONG, "Wrong: the first candidate is what was asked for."),
        (NONE, ["5:1"], Mark.WRONG, "Wrong: candidate 5:1 was asked for; it is at place 2."),
        (["nothing"] * 5, ["5:0"], None, None),
    ],
)
def test_a_result_is_judged(
    tmp_path: Path, turns: list[str], wanted: list[str], mark: Mark | None, sentence: str | None
) -> None:
    form = RankingOrNoneForm() if turns is NONE else None
    result = reranked(drawn(tmp_path), turns, form=form)
    assert mark_of(result, {"9:1": wanted}) is mark
    assert verdict_on(result, {"9:1": wanted}, Names(given={})) == sentence


def test_a_query_without_a_judgement_is_not_judged(tmp_path: Path) -> None:
    result = reranked(drawn(tmp_path), LOOKED)
    assert mark_of(result, {"other": ["5:2"]}) is None
    assert verdict_on(result, {}, Names(given={})) is None

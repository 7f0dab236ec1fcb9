"""Pins the sentences of the report: what changed, what failed, what is a script and no model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.report.reranks import LOOKED, drawn, pictured, reranked

from vretrver.agent.answers import RankingOrNoneForm
from vretrver.agent.budget import Budget, Limit
from vretrver.agent.reranked import Ended
from vretrver.agent.trajectory import STOPS, StopReason, Trajectory
from vretrver.report.words import (
    Names,
    OrderOutcome,
    Standing,
    about_policy,
    counted,
    ending,
    failure,
    headline,
    listed,
    nothing_fits,
    outcome,
    places,
    repaired,
    standings,
)

ZOOM, _ = LOOKED
UNNAMED = Names(given={})


@pytest.mark.parametrize(
    ("turns", "sentence"),
    [
        (LOOKED, "Candidate 5:2 moved from 3 to 1 after 2 looks."),
        (["<answer>[3, 1, 2, 4]</answer>"], "Candidate 5:2 moved from 3 to 1 without a look."),
        ([ZOOM, "<answer>[1, 2, 3, 4]</answer>"], "The order was kept after 2 looks."),
        (["<answer>[1, 2, 3, 4]</answer>"], "The order was kept without a look."),
        (
            [ZOOM, "<answer>[1, 4, 2, 3]</answer>"],
            "Candidate 5:0 stayed first; candidate 5:3 moved from 4 to 2 after 2 looks.",
        ),
        (["nothing"] * 5, "Coarse order, not confirmed."),
    ],
)
def test_the_headline_says_what_changed(tmp_path: Path, turns: list[str], sentence: str) -> None:
    assert headline(reranked(drawn(tmp_path), turns), UNNAMED) == sentence


def test_looks_of_a_failed_window_are_not_credited(tmp_path: Path) -> None:
    turns = {"9:1/w0": [ZOOM, *["nothing"] * 4], "9:1/w1": ["<answer>[2, 1]</answer>"]}
    candidates = [pictured(number) for number in (0, 1, 2)]
    result = reranked(drawn(tmp_path), turns, candidates=candidates, size=2)
    assert outcome(result) is OrderOutcome.PARTLY_FAILED
    assert headline(result, UNNAMED) == "Candidate 5:1 moved from 2 to 1 without a look."


def test_given_names_stand_for_ids_and_long_ones_are_cut_in_the_middle() -> None:
    names = Names(given={"5:1": "the red mug", "5:2": "a" * 60 + "b" * 60})
    assert names.full("5:1") == "the red mug"
    assert names.full("5:9") == "candidate 5:9"
    assert names.short("5:2") == "a" * 38 + " ... " + "b" * 38


def test_a_failed_window_is_said_to_have_confirmed_nothing(tmp_path: Path) -> None:
    trajectory = reranked(drawn(tmp_path), ["nothing"] * 5).trajectories[0]
    assert failure(trajectory, window=1, windows=1) == (
        "This window failed (MALFORMED): its part of the order is the coarse one, not confirmed."
    )
    later = replace(trajectory, step=replace(trajectory.step, round=1))
    assert failure(later, window=2, windows=3) == (
        "Window 2 (places 1 to 4) failed (MALFORMED): its part of the order is the one it was given, not confirmed."
    )
    beside = failure(trajectory, window=2, windows=3)
    assert "is the coarse one" in beside, (
        "windows of the first round are given the coarse order, whatever their number"
    )


def _at(trajectory: Trajectory, *numbers: int) -> Trajectory:
    return replace(trajectory, step=replace(trajectory.step, places=numbers))


def test_places_in_a_row_are_a_range_and_others_a_list(tmp_path: Path) -> None:
    trajectory = reranked(drawn(tmp_path), LOOKED).trajectories[0]
    assert places(trajectory) == "places 1 to 4"
    assert places(_at(trajectory, 6)) == "place 7"
    assert places(_at(trajectory, 0, 3, 6)) == "places 1, 4, 7"
    assert places(_at(trajectory, 1, 0)) == "places 2, 1"
    assert places(_at(trajectory)) == "no places"


NONE = "<answer>none [1, 2]</answer>"
FITS = "<answer>[2, 1]</answer>"


def test_nothing_fits_is_said_plainly_when_every_window_says_so(tmp_path: Path) -> None:
    candidates = [pictured(number) for number in (0, 1, 2)]
    images = drawn(tmp_path)
    every = reranked(
        images, {"9:1/w0": [NONE], "9:1/w1": [NONE]}, candidates=candidates, size=2, form=RankingOrNoneForm()
    )
    assert outcome(every) is OrderOutcome.NOTHING_FITS
    assert headline(every, UNNAMED) == "No candidate fits, the agent says; the order is kept beside it."
    one = reranked(
        images, {"9:1/w0": [NONE], "9:1/w1": [FITS]}, candidates=candidates, size=2, form=RankingOrNoneForm()
    )
    assert outcome(one) is OrderOutcome.CHANGED
    assert headline(one, UNNAMED) == "Candidate 5:1 moved from 2 to 1 without a look."
    assert nothing_fits(one.trajectories[0], window=1, windows=2) == (
        "Window 1 (places 2 to 3): no candidate fits, the agent says; its order is kept beside it."
    )


def test_a_query_that_ended_early_says_by_what(tmp_path: Path) -> None:
    candidates = [pictured(number) for number in (0, 1, 2)]
    stopped = reranked(
        drawn(tmp_path), {"9:1/w0": [FITS], "9:1/w1": [FITS]}, candidates=candidates, size=2, budget=Budget(turns=1)
    )
    assert (outcome(stopped), ending(stopped)) == (
        OrderOutcome.STOPPED,
        "Stopped at the budget (turns): the best order so far.",
    )
    late = replace(stopped, ended=Ended.DEADLINE, reached=(Limit.SECONDS,))
    assert ending(late) == "Stopped at the deadline: the best order so far."
    assert ending(replace(late, ended=Ended.CANCELLED)) == "Stopped by the caller: the best order so far."
    nothing = replace(late, trajectories=late.trajectories[1:])
    assert (outcome(nothing), ending(nothing)) == (
        OrderOutcome.FAILED,
        "Stopped at the deadline: nothing was ranked by then.",
    )


def test_a_budget_of_looks_does_not_end_a_query_and_is_told(tmp_path: Path) -> None:
    result = reranked(drawn(tmp_path), LOOKED, budget=Budget(looks=1))
    assert (outcome(result), ending(result)) == (
        OrderOutcome.CHANGED,
        "Looks beyond the budget (looks) were refused.",
    )
    both = replace(result, reached=(Limit.LOOKS, Limit.LOOK_TOKENS))
    assert ending(both) == "Looks beyond the budget (looks, look tokens) were refused."
    assert ending(reranked(drawn(tmp_path), LOOKED)) is None


def test_a_place_stands_as_the_last_window_that_held_it_left_it(tmp_path: Path) -> None:
    turns = {"9:1/w0": ["nothing"] * 5, "9:1/w1": ["<answer>[1, 2]</answer>"]}
    candidates = [pictured(number) for number in (0, 1, 2)]
    assert standings(reranked(drawn(tmp_path), turns, candidates=candidates, size=2)) == {
        "5:0": Standing.CONFIRMED,
        "5:1": Standing.CONFIRMED,
        "5:2": Standing.UNCONFIRMED,
    }


def test_candidates_below_the_depth_are_not_read(tmp_path: Path) -> None:
    candidates = [pictured(number) for number in range(52)]
    result = reranked(drawn(tmp_path, 52), ["<answer>[1]</answer>"], candidates=candidates)
    assert [did for did, standing in standings(result).items() if standing is Standing.UNREAD] == ["5:50", "5:51"]


def test_repairs_are_named(tmp_path: Path) -> None:
    trajectory = reranked(drawn(tmp_path), ["<answer>[2, 2, 99, 1]</answer>"]).trajectories[0]
    assert repaired(trajectory) == (
        "The answer was repaired: 99 dropped (no candidate has the number); 2 dropped (named before); "
        "3, 4 appended in the order given (not named)."
    )
    assert repaired(reranked(drawn(tmp_path), LOOKED).trajectories[0]) is None


def test_every_stop_reason_has_a_sentence() -> None:
    assert set(STOPS) == set(StopReason)


@pytest.mark.parametrize(
    ("fingerprint", "sentence"),
    [
        ("local:tiny-vlm@1a2b", None),
        ("scripted:replay", "scripted:replay is a script that repeats recorded turns; no model wrote these turns."),
        ("scripted:mine", "scripted:mine is a script; no model wrote these turns."),
    ],
)
def test_a_script_is_said_to_be_no_model(fingerprint: str, sentence: str | None) -> None:
    assert about_policy(fingerprint) == sentence


def test_the_oracle_is_called_a_ceiling() -> None:
    assert "a ceiling for an agent, not a measurement of one" in (about_policy("scripted:oracle") or "")


def test_numbers_are_written_for_readers() -> None:
    assert [counted(n, "look") for n in (0, 1, 1200)] == ["0 looks", "1 look", "1,200 looks"]
    assert listed(range(1, 6), most=3) == "1, 2, 3 and 2 more"

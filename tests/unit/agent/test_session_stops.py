"""Pins every stop reason, one way to each, and what the record of such a session holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import Played, answer, play, setup, window, zoom

from vretrver.agent.answers import Verdict
from vretrver.agent.budget import Budget
from vretrver.agent.dialects.released import released
from vretrver.agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits, Usage
from vretrver.agent.trajectory import StopReason
from vretrver.traces import trajectory_from_json, trajectory_to_json


def _ended(finish: FinishReason, text: str = "", error: str | None = None) -> Completion:
    failure = None if error is None else Failure(kind=FailureKind.UNREACHABLE, words=error)
    return Completion(session="s", text=text, finish=finish, failure=failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to end a session of three candidates."""

    turns: Sequence[str | Completion]
    """What the policy writes."""
    ranking: tuple[str, ...] | None = None
    """The ranking expected."""
    error: str | None = None
    """The error expected."""
    options: Callable[[], dict[str, object]] = dict
    """Changes to the setup."""
    budget: Budget = Budget()
    """What the session may cost; the clock shows 0."""


CASES: dict[StopReason, Case] = {
    StopReason.ANSWERED: Case(turns=[zoom(1), answer(2, 3, 1)], ranking=("1:2", "1:3", "1:1")),
    StopReason.MALFORMED: Case(turns=["It is 2."] * 5),
    StopReason.MAX_TURNS: Case(turns=[zoom(1)] * 5),
    StopReason.MAX_TOKENS: Case(turns=[*["hm"] * 4, _ended(FinishReason.LENGTH, "<answer>[2, 3")]),
    StopReason.CONTEXT_OVERFLOW: Case(
        turns=[],
        error="3 pictures, the policy takes 2",
        options=lambda: {"policy_limits": PolicyLimits(pictures=2)},
    ),
    StopReason.BUDGET: Case(
        turns=[Completion(session="s", text=zoom(1), usage=Usage(prompt_tokens=850, completion_tokens=50))],
        budget=Budget(tokens=1000),
    ),
    StopReason.DEADLINE: Case(turns=[], budget=Budget(seconds=0.0)),
    StopReason.CANCELLED: Case(turns=[zoom(1), _ended(FinishReason.CANCELLED)]),
    StopReason.POLICY_ERROR: Case(
        turns=[zoom(1), _ended(FinishReason.ERROR, error="502 after 3 tries")], error="502 after 3 tries"
    ),
}


def test_a_window_without_turns_is_asked_for_its_answer_at_once(drawn: DrawnFolder) -> None:
    task = replace(window(drawn.candidates(3), drawn.query()), turns=0)
    played = play(task, setup(drawn), [answer(2, 3, 1)])
    (request,) = played.requests
    assert request.messages[-1].text.endswith(
        "Rank all 3 candidates, best first.\n"
        "No looks are left. Answer now with all 3 candidate numbers: <answer>[...]</answer>"
    )
    assert request.stop == ()
    assert (played.trajectory.ranking, played.trajectory.forced) == (("1:2", "1:3", "1:1"), True)


def test_a_window_of_one_turn_may_look_once(drawn: DrawnFolder) -> None:
    task = replace(window(drawn.candidates(3), drawn.query()), turns=1)
    played = play(task, setup(drawn), [zoom(2), answer(2, 3, 1)])
    assert played.replies[0].splitlines()[-1].startswith("No looks are left.")
    assert (played.trajectory.looks, played.trajectory.forced) == (1, True)


def _play(drawn: DrawnFolder, case: Case) -> Played:
    run = setup(drawn, **case.options())
    return play(window(drawn.candidates(3), drawn.query()), run, case.turns, budget=case.budget)


def test_the_table_holds_every_stop_reason() -> None:
    assert set(CASES) == set(StopReason)


@pytest.mark.parametrize("stop", StopReason)
def test_every_stop_reason_is_reached_and_recorded(drawn: DrawnFolder, stop: StopReason) -> None:
    case = CASES[stop]
    record = _play(drawn, case).trajectory
    assert record.stop is stop
    assert record.ranking == case.ranking
    assert (record.failure and record.failure.words) == case.error
    assert record.verdict is (Verdict.RANKED if case.ranking else Verdict.FAILED)
    assert len(record.turns) == len(case.turns)
    assert record.candidates == ("1:1", "1:2", "1:3")
    assert trajectory_from_json(trajectory_to_json(record)) == record


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        (FinishReason.ERROR, StopReason.POLICY_ERROR),
        (FinishReason.OVERFLOW, StopReason.CONTEXT_OVERFLOW),
        (FinishReason.DEADLINE, StopReason.DEADLINE),
        (FinishReason.CANCELLED, StopReason.CANCELLED),
    ],
)
def test_a_completion_that_failed_ends_the_session_and_its_text_is_no_answer(
    drawn: DrawnFolder, finish: FinishReason, stop: StopReason
) -> None:
    record = _play(drawn, Case(turns=[zoom(1), _ended(finish, answer(1, 2, 3))])).trajectory
    assert (record.stop, record.ranking, record.answer) == (stop, None, None)
    assert record.turns[1].text == answer(1, 2, 3)
    assert record.looks == 1


def test_an_answer_that_was_complete_before_the_cut_counts(drawn: DrawnFolder) -> None:
    record = _play(drawn, Case(turns=[_ended(FinishReason.LENGTH, answer(3, 2, 1) + " and")])).trajectory
    assert (record.stop, record.ranking) == (StopReason.ANSWERED, ("1:3", "1:2", "1:1"))


def test_the_deadline_is_looked_at_before_every_turn(drawn: DrawnFolder) -> None:
    now = [0.0]

    def later() -> None:
        now[0] += 4.0

    run = setup(drawn, clock=lambda: now[0])
    task = window(drawn.candidates(2), drawn.query())
    played = play(task, run, [zoom(1), zoom(2)], budget=Budget(seconds=7.0), between=later)
    assert played.trajectory.stop is StopReason.DEADLINE
    assert [turn.seconds for turn in played.trajectory.turns] == [4.0, 4.0]
    assert [request.deadline for request in played.requests] == [7.0, 7.0]


def test_the_answer_given_in_time_stands_even_when_it_comes_late(drawn: DrawnFolder) -> None:
    now = [0.0]
    run = setup(drawn, clock=lambda: now[0])
    task = window(drawn.candidates(2), drawn.query())
    played = play(task, run, [answer(2, 1)], budget=Budget(seconds=1.0), between=lambda: now.__setitem__(0, 5.0))
    assert played.trajectory.stop is StopReason.ANSWERED


def test_a_prompt_too_long_for_the_policy_is_not_sent(drawn: DrawnFolder) -> None:
    run = setup(drawn, policy_limits=PolicyLimits(context_tokens=300))
    played = play(window(drawn.candidates(3), drawn.query()), run, [])
    assert (played.trajectory.stop, played.requests) == (StopReason.CONTEXT_OVERFLOW, ())
    assert played.trajectory.failure is not None
    assert played.trajectory.failure.words.endswith("tokens, the policy takes 300")


def test_what_the_policy_counted_decides_whether_the_next_turn_fits(drawn: DrawnFolder) -> None:
    run = setup(drawn, policy_limits=PolicyLimits(context_tokens=2000))
    long = Completion(session="s", text=zoom(1), usage=Usage(prompt_tokens=1700, completion_tokens=100))
    played = play(window(drawn.candidates(3), drawn.query()), run, [long])
    assert played.trajectory.stop is StopReason.CONTEXT_OVERFLOW
    assert played.trajectory.looks == 1


def test_the_token_budget_counts_prompt_looks_and_words(drawn: DrawnFolder) -> None:
    told = Completion(session="s", text=zoom(1), usage=Usage(prompt_tokens=900, completion_tokens=50))
    task = window(drawn.candidates(1), drawn.query())
    run, tight, wide = setup(drawn), Budget(tokens=1100), Budget(tokens=1300)
    assert play(task, run, [told], budget=tight).trajectory.stop is StopReason.BUDGET
    assert play(task, run, [told, answer(1)], budget=wide).trajectory.stop is StopReason.ANSWERED


def test_what_was_brought_back_and_never_sent_is_not_shown(drawn: DrawnFolder) -> None:
    task, run = window(drawn.candidates(2), drawn.query()), setup(drawn)
    first = Completion(session="s", text=zoom(1), usage=Usage(prompt_tokens=850, completion_tokens=50))
    last = Completion(session="s", text=zoom(2), usage=Usage(prompt_tokens=1950, completion_tokens=49))
    record = play(task, run, [first, last], budget=Budget(tokens=2000)).trajectory
    assert record.stop is StopReason.BUDGET
    assert [turn.reply is None for turn in record.turns] == [False, True]
    assert [(one.turn, one.cuts[0].did) for one in record.shown if one.turn is not None] == [(0, "1:1")]
    assert (record.looks, record.spent.looks, len(record.observations(1))) == (2, 2, 0)


def test_the_last_look_of_a_loop_that_never_forces_answers_is_not_shown(drawn: DrawnFolder) -> None:
    look = (
        '<tool_call>{"name": "crop_image", "arguments": {"target_image": 1, "bbox_2d": [0, 0, 50, 50]}}</tool_call>'
    )
    task, run = window(drawn.candidates(2), drawn.query()), setup(drawn, dialect=released())
    record = play(task, run, [look] * run.dialect.turns).trajectory
    assert record.stop is StopReason.MAX_TURNS
    assert record.turns[-1].reply is None
    assert {one.turn for one in record.shown if one.turn is not None} == {*range(run.dialect.turns - 1)}


def test_the_released_loop_reaches_max_tokens_at_a_cut_turn(drawn: DrawnFolder) -> None:
    task = window(drawn.candidates(2), drawn.query())
    turns = [_ended(FinishReason.LENGTH, "<think>and then")]
    assert play(task, setup(drawn, dialect=released()), turns).trajectory.stop is StopReason.MAX_TOKENS

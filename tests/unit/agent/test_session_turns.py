"""Pins what a session does with a turn: looks, refusals, budgets, the forced answer, and the record of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.drawn import DrawnFolder, draw
from tests.unit.agent.sessions import answer, play, select, setup, window, zoom

from vretrver.agent.answers import RankingAnswer, RankingForm, Repairs
from vretrver.agent.budget import Budget
from vretrver.agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits, Sampling, Usage
from vretrver.agent.trajectory import PictureShown, StopReason
from vretrver.traces import trajectory_from_json, trajectory_to_json


def test_looks_are_recorded_with_address_box_size_and_hash(drawn: DrawnFolder) -> None:
    drawn.ref(2, (800, 400))
    candidates = [drawn.candidate(1), drawn.candidate(2, pictures=[1, 2])]
    turns = [zoom("[2, 2]", "[250, 250, 750, 750]") + select(1), answer(2, 1)]
    played = play(window(candidates, drawn.query()), setup(drawn), turns)
    first, second = played.trajectory.observations(0)
    assert isinstance(first, PictureShown)
    assert isinstance(second, PictureShown)
    (cut,), (whole,) = first.cuts, second.cuts
    assert (first.turn, first.call, cut.address, cut.did, cut.image.path) == (0, 0, (2, 2), "1:2", "2.png")
    assert (cut.asked, cut.box, cut.padding) == ((250, 250, 750, 750), (200, 100, 600, 300), (0, 0))
    assert (first.width, first.height, first.tokens) == (736, 352, 253)
    assert (second.call, whole.address, whole.did, whole.asked, whole.box) == (1, 1, "1:1", None, None)
    shown = played.requests[1].messages[0].pictures
    assert [seen.sha256 for seen in (first, second)] == [piece.picture.sha256 for piece in shown]
    assert played.trajectory.visual_tokens == 63 + (63 + 60) + 253 + 247


def test_an_answer_is_repaired_and_every_repair_recorded(drawn: DrawnFolder) -> None:
    record = play(window(drawn.candidates(5), drawn.query()), setup(drawn), [answer(3, 1, 3, 9)]).trajectory
    assert record.answer == RankingAnswer(numbers=(3, 1, 3, 9))
    assert record.ranking == ("1:3", "1:1", "1:2", "1:4", "1:5")
    assert record.repairs == Repairs(out_of_range=(9,), repeated=(3,), missing=(2, 4, 5))
    assert (record.stop, record.forced) == (StopReason.ANSWERED, False)


def test_an_answer_without_a_usable_number_is_no_ranking(drawn: DrawnFolder) -> None:
    record = play(window(drawn.candidates(2), drawn.query()), setup(drawn), [answer(0, 8)]).trajectory
    assert (record.stop, record.ranking, record.answer) == (StopReason.MALFORMED, None, RankingAnswer(numbers=(0, 8)))
    assert record.turns[0].problem == "no number of the answer is a candidate"


def test_calls_beside_an_answer_are_ignored_and_said_to_be(drawn: DrawnFolder) -> None:
    turn = zoom(1) + "<tool_call>?</tool_call>" + answer(2, 1)
    turn = turn.replace("<think>done</think>", "")
    record = play(window(drawn.candidates(2), drawn.query()), setup(drawn), [turn]).trajectory
    first, second = record.turns[0].calls
    assert (first.outcome, first.reason) == ("ignored", "the turn gave the answer")
    assert second.outcome == "ignored"
    assert second.reason is not None
    assert second.reason.startswith("the call is not valid JSON")
    assert (record.looks, record.ranking) == (0, ("1:2", "1:1"))


def test_a_malformed_turn_is_told_what_is_wrong_and_counts_as_a_turn(drawn: DrawnFolder) -> None:
    turns = ["It is 2.", "<answer>2, 1</answer>", answer(2, 1)]
    played = play(window(drawn.candidates(2), drawn.query()), setup(drawn), turns)
    no_answer = "an answer is a list of candidate numbers in brackets, as in <answer>[2, 1, 3]</answer>"
    problems = ["the turn holds no tool call and no answer", no_answer]
    assert [turn.problem for turn in played.trajectory.turns] == [*problems, None]
    assert played.replies == [
        f"<tool_response>\nRefused: {problem}. Call a tool, or answer.\n</tool_response>" for problem in problems
    ]


def test_a_turn_that_was_cut_off_is_told_so(drawn: DrawnFolder) -> None:
    cut = Completion(session="s", text="<think>and", finish=FinishReason.LENGTH)
    run = setup(drawn, sampling=Sampling(max_tokens=7))
    played = play(window(drawn.candidates(2), drawn.query()), run, [cut, answer(1, 2)])
    assert played.trajectory.turns[0].problem == "the turn was cut off at 7 tokens"
    assert "the turn was cut off at 7 tokens" in played.replies[0]


def test_the_answer_is_asked_for_once_the_turns_are_used_up(drawn: DrawnFolder) -> None:
    turns = [zoom(1), zoom(2), "hm", zoom(1), answer(2, 1)]
    played = play(window(drawn.candidates(2), drawn.query()), setup(drawn), turns)
    assert [request.grammar for request in played.requests[:4]] == [None] * 4
    assert played.requests[4].grammar == RankingForm().grammar(2, whole_turn=True, complete=False)
    ask = "No looks are left. Answer now with all 2 candidate numbers: <answer>[...]</answer>"
    assert [ask in reply for reply in played.replies] == [False, False, False, True]
    record = played.trajectory
    assert (record.stop, record.ranking, record.forced, record.looks) == (
        StopReason.ANSWERED,
        ("1:2", "1:1"),
        True,
        3,
    )
    assert [turn.forced for turn in record.turns] == [False] * 4 + [True]


def test_a_look_asked_for_when_the_answer_was_forced_is_refused(drawn: DrawnFolder) -> None:
    record = play(window(drawn.candidates(2), drawn.query()), setup(drawn), [zoom(1)] * 5).trajectory
    (call,) = record.turns[4].calls
    assert (call.outcome, call.reason) == ("refused", "no looks are left")
    assert record.observations(4) == ()
    assert (record.stop, record.forced) == (StopReason.MAX_TURNS, False)


def test_looks_beyond_the_look_budget_are_refused_and_smaller_ones_still_shown(drawn: DrawnFolder) -> None:
    budget = Budget(look_tokens=500)
    turns = [select(1, 2) + zoom(1), zoom(2), zoom(1), answer(1, 2)]
    played = play(window(drawn.candidates(2), drawn.query()), setup(drawn), turns, budget=budget)
    record = played.trajectory
    tokens = [sum(seen.tokens for seen in record.observations(turn)) for turn in range(4)]
    assert tokens == [494, 0, 0, 0]
    assert [call.outcome for turn in record.turns for call in turn.calls] == ["executed", *["refused"] * 3]
    assert record.turns[1].calls[0].reason == "the look would cost more than the 6 visual tokens that are left"
    assert record.looks == 1


def test_a_look_the_policy_has_no_room_for_is_refused_and_the_session_goes_on(drawn: DrawnFolder) -> None:
    run = setup(drawn, policy_limits=PolicyLimits(pictures=4))
    turns = [select(1, 2), zoom(3) + zoom(1), answer(1, 2, 3)]
    record = play(window(drawn.candidates(3), drawn.query()), run, turns).trajectory
    assert record.stop is StopReason.ANSWERED
    assert record.turns[0].calls[0].reason == "a conversation takes 4 pictures and 3 are shown"
    assert [call.outcome for call in record.turns[1].calls] == ["executed", "refused"]


def test_a_picture_that_changes_during_the_session_is_never_shown_as_the_old_one(drawn: DrawnFolder) -> None:
    path = drawn.path / "1.png"
    steps: list[Callable[[], None]] = [lambda: None, lambda: draw(7).save(path), path.unlink, lambda: None]
    states = iter(steps)
    turns = [zoom(1), zoom(1) + select(1) + zoom(2), zoom(1) + select(1), answer(1, 2)]
    task = window(drawn.candidates(2), drawn.query())
    played = play(task, setup(drawn), turns, between=lambda: next(states)())
    changed = "the picture is not available (the file has changed since it was recorded; index it again)"
    gone = "the picture is not available (cannot be read: No such file or directory)"
    assert [[call.reason for call in turn.calls] for turn in played.trajectory.turns] == [
        [None],
        [changed, changed, None],
        [gone, gone],
        [],
    ]
    assert played.trajectory.stop is StopReason.ANSWERED


def test_the_text_is_kept_word_for_word_but_for_what_no_file_can_hold(drawn: DrawnFolder) -> None:
    turns = ["  \ud800 <b>\x00\u2028 " + zoom(1), answer(1)]
    record = play(window(drawn.candidates(1), drawn.query()), setup(drawn), turns).trajectory
    assert record.turns[0].text == "  ? <b>\x00\u2028 " + zoom(1)
    assert trajectory_from_json(trajectory_to_json(record)) == record


def test_ids_logprobs_usage_and_error_are_kept(drawn: DrawnFolder) -> None:
    told = Completion(
        session="s",
        text=answer(1),
        token_ids=(5, 6),
        logprobs=(-0.5, float("-inf")),
        held=((1, 2),),
        scores={"yes": -0.25},
        usage=Usage(prompt_tokens=40, cached_tokens=30, completion_tokens=2),
    )
    record = play(window(drawn.candidates(1), drawn.query()), setup(drawn), [told]).trajectory
    assert (record.turns[0].token_ids, record.turns[0].logprobs) == ((5, 6), (-0.5, float("-inf")))
    assert (record.turns[0].held, record.turns[0].scores) == (((1, 2),), {"yes": -0.25})
    assert record.tokens == 42
    assert trajectory_from_json(trajectory_to_json(record)) == record


def test_an_error_with_half_a_character_can_be_stored(drawn: DrawnFolder) -> None:
    failure = Failure(kind=FailureKind.BROKEN, words="bad \ud800 byte")
    failed = Completion(session="s", text="", finish=FinishReason.ERROR, failure=failure)
    record = play(window(drawn.candidates(1), drawn.query()), setup(drawn), [failed]).trajectory
    assert record.failure == Failure(kind=FailureKind.BROKEN, words="bad ? byte")
    assert trajectory_from_json(trajectory_to_json(record)) == record


def test_a_window_of_one_candidate_is_ranked(drawn: DrawnFolder) -> None:
    record = play(window(drawn.candidates(1), drawn.query()), setup(drawn), [answer(1)]).trajectory
    assert record.ranking == ("1:1",)


@pytest.mark.parametrize("count", [0, 2])
def test_an_empty_window_and_a_candidate_that_appears_twice_are_refused(drawn: DrawnFolder, count: int) -> None:
    with pytest.raises(ValueError, match="session s: a"):
        window([drawn.candidate(1)] * count, drawn.query())


def test_the_record_names_dialect_policy_sampling_and_step(drawn: DrawnFolder) -> None:
    run = setup(drawn, sampling=Sampling(temperature=0.7, seed=3), config="abc")
    record = play(window(drawn.candidates(1), drawn.query()), run, [answer(1)]).trajectory
    assert (record.dialect, record.policy, record.config, record.qid) == ("vretrver", "by hand", "abc", "9:1")
    assert (record.sampling.temperature, record.sampling.seed) == (0.7, 3)
    assert record.step.plan == "reference(50,20,10)"

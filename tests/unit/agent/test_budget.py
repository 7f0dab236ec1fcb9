"""Pins what a query may cost: each limit, what is refused at it, and that windows share it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import answer, play, select, setup, window, zoom

from vretrver.agent.budget import Account, Budget, Limit, Spent
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.released import released
from vretrver.agent.plans import BlocksPlanner
from vretrver.agent.refusals import RefusalCode
from vretrver.agent.reranked import Ended
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import StopReason
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text


def test_an_account_counts_what_is_spent_and_names_what_was_reached() -> None:
    now = [0.0]
    account = Account(Budget(seconds=9.0, turns=2, looks=2, look_tokens=100, tokens=500), lambda: now[0])
    assert (account.deadline, account.position, account.reached) == (
        9.0,
        "turns=0 looks=0 look_tokens=0 tokens=0",
        (),
    )
    assert account.begin_turn("s", 400) is None
    account.note_tokens("s", 450)
    assert account.begin_turn("s", 60) is Limit.TOKENS
    assert account.begin_turn("s", 50) is None
    assert account.begin_turn("s", 0) is Limit.TURNS
    assert account.spend_look(60) is None
    denied = account.spend_look(41)
    assert denied is not None
    assert denied.worded() == "the look would cost more than the 40 visual tokens that are left"
    account.return_look(60)
    assert account.spend_look(100) is None
    assert account.spend_look(0) is None
    denied = account.spend_look(0)
    assert denied is not None
    assert denied.code is RefusalCode.LOOKS_SPENT
    now[0] = 9.0
    assert account.begin_turn("s", 0) is Limit.SECONDS
    assert account.position == "turns=2 looks=2 look_tokens=100 tokens=450"
    assert account.reached == (Limit.SECONDS, Limit.TURNS, Limit.LOOKS, Limit.LOOK_TOKENS, Limit.TOKENS)


def test_tokens_of_turns_that_run_are_counted_before_they_end() -> None:
    account = Account(Budget(tokens=100), lambda: 0.0)
    assert account.begin_turn("a", 60) is None
    assert account.begin_turn("b", 60) is Limit.TOKENS
    account.note_tokens("a", 30)
    assert account.begin_turn("b", 60) is None
    account.end("b")
    assert account.begin_turn("c", 70) is None


def test_an_answering_turn_is_held_for_every_window_that_has_begun() -> None:
    account = Account(Budget(turns=5), lambda: 0.0)
    account.hold(["a", "b", "c"])
    assert (account.open("a"), account.last_turn("a"), account.last_turn("b")) == (True, False, False)
    assert [account.begin_turn("a", 0), account.begin_turn("b", 0)] == [None, None]
    assert [account.open("c"), *map(account.last_turn, "abc")] == [False, True, True, True]
    assert [account.begin_turn(name, 0) for name in "abc"] == [None, None, None]
    assert account.begin_turn("a", 0) is Limit.TURNS


def test_a_window_that_ends_gives_back_what_is_held_for_it() -> None:
    account = Account(Budget(turns=3), lambda: 0.0)
    account.hold(["a", "b"])
    assert account.open("a")
    account.begin_turn("a", 0)
    account.end("a")
    assert not account.last_turn("b")


def test_what_is_known_is_charged() -> None:
    account = Account(Budget(turns=3, looks=1), lambda: 0.0)
    account.charge(Spent(turns=2, looks=1, reached=(Limit.LOOKS,)))
    assert (account.position, account.reached, account.last_turn("a")) == ("turns=2 looks=1", (Limit.LOOKS,), True)


@pytest.mark.parametrize("limit", Limit)
def test_a_negative_limit_is_refused(limit: Limit) -> None:
    with pytest.raises(ValueError, match=f"a budget is not negative, got {limit.value} -1"):
        Budget(**{limit.value: -1})


def test_looks_beyond_the_budget_are_refused_and_the_agent_answers(drawn: DrawnFolder) -> None:
    turns = [zoom(1) + zoom(2), select(1), answer(2, 1)]
    played = play(window(drawn.candidates(2), drawn.query()), setup(drawn), turns, budget=Budget(looks=1))
    calls = [call for turn in played.trajectory.turns for call in turn.calls]
    assert [(call.outcome, call.code, call.reason) for call in calls] == [
        ("executed", None, None),
        ("refused", RefusalCode.LOOKS_SPENT, "no looks are left"),
        ("refused", RefusalCode.LOOKS_SPENT, "no looks are left"),
    ]
    assert played.trajectory.stop is StopReason.ANSWERED


def test_the_last_turn_that_is_left_is_asked_for_the_answer(drawn: DrawnFolder) -> None:
    turns = [zoom(1), answer(2, 1)]
    played = play(window(drawn.candidates(2), drawn.query()), setup(drawn), turns, budget=Budget(turns=2))
    assert played.replies[0].endswith("Answer now with all 2 candidate numbers: <answer>[...]</answer>")
    assert (played.trajectory.stop, played.trajectory.forced) == (StopReason.ANSWERED, True)


def test_the_only_turn_is_asked_for_the_answer_at_once(drawn: DrawnFolder) -> None:
    task, run = window(drawn.candidates(2), drawn.query()), setup(drawn)
    one = play(task, run, [answer(2, 1)], budget=Budget(turns=1))
    none = play(replace(task, turns=0), run, [answer(2, 1)])
    assert one.requests == none.requests
    assert (one.trajectory.stop, one.trajectory.forced, one.trajectory.prompt) == (
        StopReason.ANSWERED,
        True,
        none.trajectory.prompt,
    )


def test_a_dialect_that_never_forces_answers_has_its_turn_as_ever(drawn: DrawnFolder) -> None:
    task = window(drawn.candidates(2), drawn.query())
    played = play(task, setup(drawn, dialect=released()), [answer(2, 1)], budget=Budget(turns=1))
    assert (played.trajectory.stop, played.trajectory.forced) == (StopReason.ANSWERED, False)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("turns", [3, 4, 5, 6])
def test_no_block_is_lost_while_turns_are_left_for_its_answer(drawn: DrawnFolder, turns: int, workers: int) -> None:
    def script(moment: Moment) -> str:
        return zoom(1) if not moment.said and not moment.forced else answer_text(range(moment.count, 0, -1))

    config = AgentConfig(planner=BlocksPlanner(depth=12, size=4), budget=Budget(turns=turns))
    policy = ScriptedPolicy(script, name="test")
    done = Reranker(policy, drawn.store, config, workers=workers).rerank(drawn.query(), drawn.hits(12))
    assert [one.stop for one in done.trajectories[:3]] == [StopReason.ANSWERED] * 3
    assert sum(len(one.turns) for one in done.trajectories) == turns
    assert sum(one.looks for one in done.trajectories) == turns - 3


def test_blocks_side_by_side_do_not_read_beyond_the_tokens(drawn: DrawnFolder) -> None:
    config = AgentConfig(planner=BlocksPlanner(depth=12, size=4))
    policy = ScriptedPolicy(lambda moment: answer_text(range(moment.count, 0, -1)), name="test")
    reranker = Reranker(policy, drawn.store, config, workers=0)
    first = reranker.rerank(drawn.query(), drawn.hits(12)).trajectories[0]
    limit = first.turns[0].usage.prompt_tokens + 20
    done = reranker.rerank(drawn.query(), drawn.hits(12), budget=Budget(tokens=limit))
    assert [len(one.turns) for one in done.trajectories] == [1, 0, 0]
    assert (done.ended, done.reached) == (Ended.BUDGET, (Limit.TOKENS,))


def test_windows_side_by_side_share_one_budget(drawn: DrawnFolder) -> None:
    def script(moment: Moment) -> str:
        return zoom(1) if not moment.said else answer_text(range(moment.count, 0, -1))

    config = AgentConfig(planner=BlocksPlanner(depth=6, size=4), budget=Budget(looks=1))
    policy = ScriptedPolicy(script, name="test")
    done = Reranker(policy, drawn.store, config, workers=2).rerank(drawn.query(), drawn.hits(6))
    outcomes = [call.outcome for window in done.trajectories for turn in window.turns for call in turn.calls]
    assert sorted(outcomes) == ["executed", "refused", "refused"]
    assert (done.ended, done.reached) == (Ended.COMPLETE, (Limit.LOOKS,))

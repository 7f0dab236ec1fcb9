"""Pins what a query may cost: each limit, what is refused at it, and that windows share it."""

from __future__ import annotations

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import answer, play, select, setup, window, zoom

from vretrver.agent.budget import Account, Budget, Limit
from vretrver.agent.config import AgentConfig
from vretrver.agent.plans import BlocksPlanner
from vretrver.agent.refusals import RefusalCode
from vretrver.agent.reranked import Ended
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import StopReason
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text


def test_an_account_counts_what_is_spent_and_names_what_was_reached() -> None:
    now = [0.0]
    account = Account(Budget(seconds=9.0, turns=2, looks=2, look_tokens=100, tokens=500), lambda: now[0])
    assert (account.deadline, account.turns_left, account.reached) == (9.0, 2, ())
    assert account.begin_turn(400) is None
    account.note_tokens(450)
    assert account.begin_turn(60) is Limit.TOKENS
    assert account.begin_turn(50) is None
    assert account.begin_turn(0) is Limit.TURNS
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
    assert account.begin_turn(0) is Limit.SECONDS
    assert account.reached == (Limit.SECONDS, Limit.TURNS, Limit.LOOKS, Limit.LOOK_TOKENS, Limit.TOKENS)


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


def test_windows_side_by_side_share_one_budget(drawn: DrawnFolder) -> None:
    def script(moment: Moment) -> str:
        return zoom(1) if not moment.said else answer_text(range(moment.count, 0, -1))

    config = AgentConfig(planner=BlocksPlanner(depth=6, size=4), budget=Budget(looks=1))
    policy = ScriptedPolicy(script, name="test")
    done = Reranker(policy, drawn.store, config, workers=2).rerank(drawn.query(), drawn.hits(6))
    outcomes = [call.outcome for window in done.trajectories for turn in window.turns for call in turn.calls]
    assert sorted(outcomes) == ["executed", "refused", "refused"]
    assert (done.ended, done.reached) == (Ended.COMPLETE, (Limit.LOOKS,))

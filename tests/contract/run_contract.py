"""What whole runs must do over every policy: budgets, cancelling, watchers, both forms of an answer, one driver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.drawn import DrawnFolder

from vretrver.agent.answers import RankingOrNoneForm, Verdict
from vretrver.agent.budget import Budget, Limit
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.driver import Driver
from vretrver.agent.events import Event, TurnEnded, WindowBegan, WindowEnded
from vretrver.agent.plans import BlocksPlanner, ReferencePlanner
from vretrver.agent.policy import Policy
from vretrver.agent.refusals import RefusalCode
from vretrver.agent.reranked import Ended, Reranked
from vretrver.agent.reranker import Ask, Reranker
from vretrver.agent.trajectory import CallRecord
from vretrver.errors import PolicyInUse

PLANNER = ReferencePlanner(depth=4, size=3, stride=1)
"""Two windows over four candidates."""


class RunContract:
    """The suite; `PolicyContract` is it and more."""

    def reranker(self, policy: Policy, drawn: DrawnFolder, **changes: Any) -> Reranker:
        """Return a reranker that does all its work on one thread, and tells the policy what it listens to."""
        watch = {"watch": policy.watch} if hasattr(policy, "watch") else {}
        return Reranker(policy, drawn.store, replace(AgentConfig(planner=PLANNER), **changes), workers=0, **watch)

    def test_a_run_that_was_stopped_leaves_it_usable(self, policy: Policy, drawn: DrawnFolder) -> None:
        reranker = self.reranker(policy, drawn)
        requests = [(drawn.query(qid=f"9:{number}"), drawn.hits(2)) for number in range(3)]
        stopped = reranker.rerank_many(requests)
        next(stopped)
        stopped.close()
        assert len(list(reranker.rerank_many(requests))) == 3
        assert policy.collect() == []

    def test_a_second_run_on_it_is_refused_while_the_first_goes_on(self, policy: Policy, drawn: DrawnFolder) -> None:
        requests = [(drawn.query(qid=f"9:{number}"), drawn.hits(2)) for number in range(2)]
        policy_driver: Driver[Reranked] = Driver(policy)
        reranker = self.reranker(policy, drawn)
        ask = Ask(query=requests[0][0], hits=requests[0][1])
        policy_driver.start(reranker.running(ask, name="first"), lambda _: None)
        with pytest.raises(PolicyInUse, match="in use by another driver"):
            list(reranker.rerank_many(requests))
        policy_driver.close()
        assert len(list(reranker.rerank_many(requests))) == 2

    def test_a_budget_of_turns_is_kept_and_the_order_so_far_is_marked(
        self, policy: Policy, drawn: DrawnFolder
    ) -> None:
        done = self.reranker(policy, drawn).rerank(drawn.query(), drawn.hits(4), budget=Budget(turns=1))
        assert sum(len(window.turns) for window in done.trajectories) == 1
        assert (done.ended, done.reached) == (Ended.BUDGET, (Limit.TURNS,))
        assert sorted(ranked.did for ranked in done.ranking) == [f"1:{number}" for number in range(1, 5)]

    def test_a_budget_of_looks_is_kept_and_a_look_beyond_it_is_refused(
        self, policy: Policy, drawn: DrawnFolder
    ) -> None:
        free = self.reranker(policy, drawn).rerank(drawn.query(), drawn.hits(4))
        most = max(0, _looks(free) - 1)
        done = self.reranker(policy, drawn).rerank(drawn.query(), drawn.hits(4), budget=Budget(looks=most))
        assert _looks(done) <= most
        refused = sum(call.code is RefusalCode.LOOKS_SPENT for call in _calls(done))
        assert done.reached == ((Limit.LOOKS,) if refused else ())
        assert bool(refused) == bool(_looks(free))
        assert sorted(ranked.did for ranked in done.ranking) == [f"1:{number}" for number in range(1, 5)]

    def test_a_budget_of_tokens_is_kept_and_no_turn_begins_beyond_it(
        self, policy: Policy, drawn: DrawnFolder
    ) -> None:
        free = self.reranker(policy, drawn).rerank(drawn.query(), drawn.hits(4))
        assert len(free.trajectories) == 2
        one_window = free.trajectories[0].tokens
        for most in (1, one_window):
            done = self.reranker(policy, drawn).rerank(drawn.query(), drawn.hits(4), budget=Budget(tokens=most))
            assert (done.ended, done.reached) == (Ended.BUDGET, (Limit.TOKENS,))
            assert _turns(done) < _turns(free)
            assert _turns(done) == 0 or most > 1
            assert sorted(ranked.did for ranked in done.ranking) == [f"1:{number}" for number in range(1, 5)]

    def test_no_time_is_no_turn(self, policy: Policy, drawn: DrawnFolder) -> None:
        done = self.reranker(policy, drawn).rerank(drawn.query(), drawn.hits(4), budget=Budget(seconds=0.0))
        assert [window.turns for window in done.trajectories] == [()]
        assert (done.ended, done.reached) == (Ended.DEADLINE, (Limit.SECONDS,))
        assert [ranked.did for ranked in done.ranking] == [f"1:{number}" for number in range(1, 5)]

    @pytest.mark.parametrize("planner", [PLANNER, BlocksPlanner(depth=4, size=3)], ids=["reference", "blocks"])
    def test_a_query_that_is_cancelled_ends_with_the_order_so_far(
        self, policy: Policy, drawn: DrawnFolder, planner: Any, slow: None
    ) -> None:
        driver: Driver[Reranked] = Driver(policy)
        done: list[Reranked] = []
        reranker = self.reranker(policy, drawn, planner=planner)
        seat = driver.start(reranker.running(Ask(query=drawn.query(), hits=drawn.hits(4)), name="q"), done.append)
        driver.cancel(seat)
        while driver.step():
            pass
        assert done[0].ended is Ended.CANCELLED
        assert [ranked.did for ranked in done[0].ranking] == [f"1:{number}" for number in range(1, 5)]
        assert policy.collect(patience=0) == []

    def test_a_watcher_is_told_of_every_turn_as_it_is_recorded(self, policy: Policy, drawn: DrawnFolder) -> None:
        events: list[Event] = []
        ask = Ask(query=drawn.query(), hits=drawn.hits(4), watch=events.append)
        (done,) = self.reranker(policy, drawn).rerank_many([ask])
        for window in done.trajectories:
            told = [event for event in events if event.session == window.session]
            assert isinstance(told[0], WindowBegan)
            assert [event.turn for event in told if isinstance(event, TurnEnded)] == list(window.turns)
            assert told[-1] == WindowEnded(window.session, window)

    @pytest.mark.parametrize("tools", [True, False])
    def test_both_forms_of_an_answer_come_to_a_verdict(self, policy: Policy, drawn: DrawnFolder, tools: bool) -> None:
        dialect = vretrver(tools=tools, form=RankingOrNoneForm())
        done = self.reranker(policy, drawn, dialect=dialect).rerank(drawn.query(), drawn.hits(4))
        for window in done.trajectories:
            assert window.form == "ranking-or-none"
            assert (window.verdict is Verdict.FAILED) == (window.ranking is None)
            if window.answer is not None and window.ranking is not None:
                assert window.answer.form == "ranking-or-none"
        assert done.verdict in Verdict


def _calls(done: Reranked) -> list[CallRecord]:
    return [call for window in done.trajectories for turn in window.turns for call in turn.calls]


def _looks(done: Reranked) -> int:
    return sum(window.looks for window in done.trajectories)


def _turns(done: Reranked) -> int:
    return sum(len(window.turns) for window in done.trajectories)

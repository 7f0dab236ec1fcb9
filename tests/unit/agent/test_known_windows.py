"""Pins what a kept window is found by, what it costs when it is known, and what a watcher is told of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import setup, window, zoom

from vretrver.agent.budget import Budget, Limit
from vretrver.agent.config import AgentConfig
from vretrver.agent.events import Event, WindowKnown
from vretrver.agent.memo import WindowKey, window_key
from vretrver.agent.plans import BlocksPlanner, Planner, ReferencePlanner
from vretrver.agent.policy import PolicyLimits
from vretrver.agent.reranked import Ended, Reranked
from vretrver.agent.reranker import Reranker
from vretrver.agent.session import make_bench
from vretrver.agent.task import WindowTask
from vretrver.agent.trajectory import StopReason, Trajectory
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text
from vretrver.records import Candidate, ImagePart, Query, TextPart

ONE = ReferencePlanner(depth=4, size=4, stride=2)
THREE = ReferencePlanner(depth=8, size=4, stride=2)
BLOCKS = BlocksPlanner(depth=12, size=4)


class Kept(dict[WindowKey, Trajectory]):
    """A memo in memory; notes the threads it was read on."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.threads: set[str] = set()

    def known(self, key: WindowKey) -> Trajectory | None:
        self.threads.add(threading.current_thread().name)
        return self.get(key)

    def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
        self[key] = trajectory

    def window(self, index: int) -> Kept:
        """Return a memo that holds one window."""
        return Kept({key: one for key, one in self.items() if key.index == index})


def look_first(moment: Moment) -> str:
    """Look once, then answer backwards."""
    return zoom(1) if not moment.said and not moment.forced else answer_text(range(moment.count, 0, -1))


def rerank(
    drawn: DrawnFolder, memo: Kept, planner: Planner, budget: Budget | None, *, tokens: int | None = None, **more: Any
) -> Reranked:
    policy = ScriptedPolicy(look_first, name="t", limits=PolicyLimits(context_tokens=tokens))
    config = AgentConfig(planner=planner)
    reranker = Reranker(policy, drawn.store, config, memo=memo, clock=lambda: 0.0, **{"workers": 0, **more})
    return reranker.rerank(drawn.query(), drawn.hits(12), budget=budget)


def looks(result: Reranked) -> list[int]:
    return [one.looks for one in result.trajectories]


def test_a_window_that_was_starved_is_not_known_to_one_with_another_budget(drawn: DrawnFolder) -> None:
    memo = Kept()
    starved, free = rerank(drawn, memo, ONE, Budget(looks=0)), rerank(drawn, memo, ONE, None)
    assert (looks(starved), looks(free)) == ([0], [1])
    assert starved.trajectories[0].config != free.trajectories[0].config
    assert free.trajectories[0].config == AgentConfig(planner=ONE).sha256


def test_a_window_that_did_not_fit_the_policy_is_not_known_to_one_that_takes_more(drawn: DrawnFolder) -> None:
    memo = Kept()
    small, large = rerank(drawn, memo, ONE, None, tokens=10), rerank(drawn, memo, ONE, None, tokens=99_999)
    assert [one.stop for one in (*small.trajectories, *large.trajectories)] == [
        StopReason.CONTEXT_OVERFLOW,
        StopReason.ANSWERED,
    ]


BUDGETS = {
    "looks": Budget(looks=1),
    "look_tokens": Budget(look_tokens=300),
    "turns": Budget(turns=3),
    "tokens": Budget(tokens=1500),
}


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
@pytest.mark.parametrize("index", [0, 1])
def test_a_run_that_goes_on_after_any_window_comes_to_the_same(
    drawn: DrawnFolder, budget: Budget, index: int
) -> None:
    memo = Kept()
    undisturbed = rerank(drawn, memo, THREE, budget)
    assert undisturbed.reached == tuple(limit for limit in Limit if getattr(budget, limit.value) is not None)
    kept = Kept({key: one for key, one in memo.items() if key.index <= index})
    assert rerank(drawn, kept, THREE, budget) == undisturbed
    assert rerank(drawn, kept, THREE, budget) == undisturbed


def test_a_known_block_is_charged_before_the_others_spend(drawn: DrawnFolder) -> None:
    memo = Kept()
    assert sum(looks(rerank(drawn, memo, BLOCKS, Budget(looks=1)))) == 1
    resumed = rerank(drawn, memo.window(0), BLOCKS, Budget(looks=1), workers=2)
    assert (looks(resumed), resumed.reached) == ([1, 0, 0, 0], (Limit.LOOKS,))


def test_what_a_budget_ended_is_known_and_ends_the_query_again(drawn: DrawnFolder) -> None:
    memo = Kept()
    ended = rerank(drawn, memo, THREE, Budget(turns=2))
    assert [one.stop for one in ended.trajectories] == [StopReason.ANSWERED, StopReason.BUDGET]
    assert (ended.ended, ended.interrupted, len(memo)) == (Ended.BUDGET, False, 2)
    assert rerank(drawn, memo, THREE, Budget(turns=2)) == ended
    assert len(memo) == 2


def test_a_watcher_is_told_of_known_windows_and_records_are_read_off_the_drivers_thread(drawn: DrawnFolder) -> None:
    memo = Kept()
    first = rerank(drawn, memo, THREE, None)
    told: list[Event] = []
    rerank(drawn, memo, THREE, None, watch=told.append, workers=1)
    assert [type(event) for event in told] == [WindowKnown] * 3
    assert [event.trajectory for event in told if isinstance(event, WindowKnown)] == [*first.trajectories]
    assert [event.session for event in told] == ["9:1/w0", "9:1/w1", "9:1/w2"]
    assert threading.current_thread().name in memo.threads  # of the run without a pool
    assert len(memo.threads) == 2


def swapped(task: WindowTask) -> WindowTask:
    first = task.candidates[0]
    return replace(task, candidates=(replace(first, parts=first.parts[::-1]), *task.candidates[1:]))


CHANGES: dict[str, Callable[[WindowTask], WindowTask]] = {
    "query": lambda task: replace(task, query=replace(task.query, parts=(TextPart(text="another"),))),
    "instruction": lambda task: replace(task, query=replace(task.query, instruction="another")),
    "parts in another order": swapped,
    "candidates in another order": lambda task: replace(task, candidates=task.candidates[::-1]),
    "plan": lambda task: replace(task, step=replace(task.step, plan="blocks(6,4)")),
    "index": lambda task: replace(task, step=replace(task.step, index=1)),
    "turns": lambda task: replace(task, turns=0),
}


def _task(drawn: DrawnFolder) -> WindowTask:
    parts = (ImagePart(image=drawn.ref(1)), TextPart(text="a cup"))
    return window([Candidate(did="a", parts=parts), drawn.candidate(2)], Query(qid="q", parts=(TextPart(text="x"),)))


def _key(drawn: DrawnFolder, task: WindowTask, agent: str = "agent", position: str = "") -> WindowKey:
    return window_key(task, make_bench(task, setup(drawn)).pin_all(), agent=agent, position=position)


@pytest.mark.parametrize("change", CHANGES)
def test_the_key_of_a_window_tells_all_that_decides_what_it_comes_to(drawn: DrawnFolder, change: str) -> None:
    task = _task(drawn)
    assert _key(drawn, task) == _key(drawn, task)
    assert _key(drawn, CHANGES[change](task)) != _key(drawn, task)


def test_the_key_of_a_window_tells_agent_and_position(drawn: DrawnFolder) -> None:
    task = _task(drawn)
    assert len({_key(drawn, task), _key(drawn, task, agent="b"), _key(drawn, task, position="looks=1")}) == 3


def test_the_record_says_how_many_turns_the_plan_gave(drawn: DrawnFolder) -> None:
    result = rerank(drawn, Kept(), BlocksPlanner(depth=8, size=4, turns=0), None)
    assert [one.step.turns for one in result.trajectories] == [0, 0, None]

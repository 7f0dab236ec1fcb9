"""Pins that an engine outlives what hangs or breaks around one query: pictures, callers, watchers, other drivers."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import setup, window, zoom
from tests.unit.agent.test_engine import PLANNER, Gate

from vretrver.agent.budget import Budget, Limit
from vretrver.agent.config import AgentConfig
from vretrver.agent.driver import Driver
from vretrver.agent.engine import Engine
from vretrver.agent.events import Event
from vretrver.agent.memo import WindowKey
from vretrver.agent.policy import Completion
from vretrver.agent.reranked import Ended
from vretrver.agent.reranker import Ask, Reranker
from vretrver.agent.session import rank_group
from vretrver.agent.trajectory import StopReason, Trajectory
from vretrver.agent.workers import Workers
from vretrver.errors import EngineClosed, PolicyInUse
from vretrver.images import Picture
from vretrver.policies.reader.asked import Conversation
from vretrver.policies.scripted import ScriptedPolicy, first_k
from vretrver.records import ImageRef

SOON = Budget(seconds=0.05)
"""What is over as soon as something hangs."""


@dataclass
class Store:
    """Reads pictures of a drawn folder; those that `hangs` names are not read until the test ends."""

    inner: Any
    hangs: frozenset[str] = frozenset()
    opening: threading.Event = field(default_factory=threading.Event)
    """Set when a picture that hangs is being opened."""
    over: threading.Event = field(default_factory=threading.Event)
    now: float = 0.0
    """The time: it stands still until something hangs, and then a second has passed."""

    def clock(self) -> float:
        return self.now

    def pin(self, ref: ImageRef) -> ImageRef:
        if "pin" in self.hangs:
            self._hang()
        pinned: ImageRef = self.inner.pin(ref)
        return pinned

    def whole(self, ref: ImageRef, *args: Any, **options: Any) -> Picture:
        if ref.path in self.hangs:
            self._hang()
        picture: Picture = self.inner.whole(ref, *args, **options)
        return picture

    def crop(self, *args: Any) -> Any:
        if "crop" in self.hangs:
            self._hang()
        return self.inner.crop(*args)

    def _hang(self) -> None:
        self.now += 1.0
        self.opening.set()
        assert self.over.wait(20)


@pytest.fixture
def store(drawn: DrawnFolder) -> Iterator[Store]:
    store = Store(drawn.store, hangs=frozenset({"1.png"}))
    yield store
    store.over.set()


class Telling(Reranker):
    """Says when a query was started."""

    def running(self, ask: Ask, *, name: str, stream: str | None = None) -> Any:
        started[ask.query.qid].set()
        return super().running(ask, name=name, stream=stream)


started: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def test_a_deadline_passes_while_the_opening_hangs(store: Store, drawn: DrawnFolder) -> None:
    """So it does for the next query, whose work waits behind in a pool that is full."""
    started.clear()
    reranker = Telling(first_k(), store, AgentConfig(planner=PLANNER), workers=1, clock=store.clock)
    with Engine(reranker) as engine:
        first = engine.submit(drawn.query(qid="1"), drawn.hits(3), budget=SOON).result(5)
        ticket = engine.submit(drawn.query(qid="2"), drawn.hits(3)[1:], budget=SOON)
        assert started["2"].wait(5)
        store.now += 1.0
        second = ticket.result(5)
    assert store.opening.is_set()
    for result in (first, second):
        assert (result.ended, result.reached) == (Ended.DEADLINE, (Limit.SECONDS,))
        (record,) = result.trajectories
        assert (record.stop, record.prompt, record.shown, record.turns) == (StopReason.DEADLINE, (), (), ())
    assert [ranked.did for ranked in first.ranking] == ["1:1", "1:2", "1:3"]


def test_a_query_is_cancelled_while_its_opening_hangs(store: Store, drawn: DrawnFolder) -> None:
    with Engine(Reranker(first_k(), store, AgentConfig(planner=PLANNER), workers=2)) as engine:
        ticket = engine.submit(drawn.query(qid="1"), drawn.hits(3))
        assert store.opening.wait(5)
        ticket.cancel()
        result = ticket.result(5)
        other = engine.submit(drawn.query(qid="2"), drawn.hits(3)[1:]).result(5)
    assert (result.ended, [one.stop for one in result.trajectories]) == (Ended.CANCELLED, [StopReason.CANCELLED])
    assert other.ended is Ended.COMPLETE


def test_an_engine_closes_while_an_opening_hangs(store: Store, drawn: DrawnFolder) -> None:
    policy = first_k()
    engine = Engine(Reranker(policy, store, AgentConfig(planner=PLANNER), workers=1))
    ticket = engine.submit(drawn.query(), drawn.hits(3))
    assert store.opening.wait(5)
    engine.close(within=0.0)
    assert ticket.result(0).ended is Ended.CANCELLED
    assert not store.over.is_set()
    assert Reranker(policy, drawn.store).rerank(drawn.query(), drawn.hits(2)).ended is Ended.COMPLETE


def test_a_look_that_hangs_is_recorded_as_never_met(drawn: DrawnFolder) -> None:
    """The turn that asked for it is kept as it was written; what its first call brought is not."""
    store = Store(drawn.store, hangs=frozenset({"crop"}))
    policy = ScriptedPolicy(lambda _: zoom(2) + zoom(1), name="looking")
    reranker = Reranker(policy, store, AgentConfig(planner=PLANNER), clock=store.clock)
    result = reranker.rerank(drawn.query(), drawn.hits(3), budget=SOON)
    assert not store.over.is_set()
    store.over.set()
    (record,) = result.trajectories
    assert (result.ended, record.stop) == (Ended.DEADLINE, StopReason.DEADLINE)
    assert [(turn.text, turn.calls, turn.reply) for turn in record.turns] == [(zoom(2) + zoom(1), (), None)]
    assert [(one.cuts[0].did, one.turn) for one in record.shown] == [("1:1", None), ("1:2", None), ("1:3", None)]


def test_a_group_whose_opening_hangs_is_cancelled_with_a_record_of_each_rollout(
    store: Store, drawn: DrawnFolder
) -> None:
    heard: list[tuple[Trajectory, ...]] = []
    with Workers(1) as pool:
        driver: Driver[tuple[Trajectory, ...]] = Driver(first_k(), pool=pool)
        group = rank_group(window(drawn.candidates(3), drawn.query()), setup(drawn, images=store), 2)
        seat = driver.start(group, heard.append)
        assert store.opening.wait(5)
        driver.cancel(seat)
        assert not driver.step()
        driver.close()
    assert [(one.session, one.stop) for one in heard[0]] == [
        ("s/0", StopReason.CANCELLED),
        ("s/1", StopReason.CANCELLED),
    ]
    assert Conversation.of_record(heard[0][0]).items() == ()


@pytest.mark.parametrize("hangs", ["key", "keep"])
def test_a_memo_that_hangs_holds_up_no_deadline(
    store: Store, drawn: DrawnFolder, hangs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vretrver.agent.driver.GRACE", 0.0)

    class Memo:
        def known(self, key: WindowKey) -> Trajectory | None:
            return None

        def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
            store._hang()

    store.hangs = frozenset({"pin"} if hangs == "key" else ())
    reranker = Reranker(first_k(), store, AgentConfig(planner=PLANNER), memo=Memo(), clock=store.clock)
    with Engine(reranker) as engine:
        result = engine.submit(drawn.query(), drawn.hits(3), budget=SOON).result(5)
    (record,) = result.trajectories
    assert (result.ended, record.stop) == (
        (Ended.DEADLINE, StopReason.DEADLINE) if hangs == "key" else (Ended.COMPLETE, StopReason.ANSWERED)
    )


def test_a_policy_that_hangs_holds_up_no_close(drawn: DrawnFolder) -> None:
    over, asked = threading.Event(), threading.Event()

    class Stuck(ScriptedPolicy):
        def collect(self, *, patience: float | None = None) -> list[Completion]:
            asked.set()
            assert over.wait(20)
            return super().collect(patience=patience)

    policy = Stuck(lambda _: "never", name="stuck")
    engine = Engine(Reranker(policy, drawn.store), grace=0.0)
    ticket = engine.submit(drawn.query(), drawn.hits(2))
    assert asked.wait(5)
    engine.close(within=0.0)
    result = ticket.result(0)
    assert (result.ended, [one.did for one in result.ranking]) == (Ended.CANCELLED, ["1:1", "1:2"])
    with pytest.raises(PolicyInUse):
        Driver[None](policy).hold()
    over.set()
    engine._thread.join(5)
    assert ticket.result(0) is result


def test_a_caller_that_gives_up_waiting_ends_its_own_query_alone(drawn: DrawnFolder) -> None:
    gate = Gate(in_flight=2)
    gate.open.clear()
    with Engine(Reranker(gate, drawn.store, AgentConfig(planner=PLANNER))) as engine:
        mine, other = (engine.submit(drawn.query(qid=qid), drawn.hits(4)) for qid in ("1", "2"))

        async def impatient() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.wrap_future(mine.future), 0.01)

        asyncio.run(impatient())
        assert mine.result(5).ended is Ended.CANCELLED
        gate.open.set()
        assert other.result(5).ended is Ended.COMPLETE
        assert engine.submit(drawn.query(qid="3"), drawn.hits(4)).result(5).ended is Ended.COMPLETE


def test_an_idle_engine_keeps_its_policy_until_it_is_closed(drawn: DrawnFolder) -> None:
    policy = first_k()
    reranker = Reranker(policy, drawn.store)
    with Engine(reranker) as engine:
        assert engine.submit(drawn.query(), drawn.hits(2)).result(5).ended is Ended.COMPLETE
        with pytest.raises(PolicyInUse, match="the policy scripted:first-k is in use by another driver"):
            reranker.rerank(drawn.query(), drawn.hits(2))
        with pytest.raises(PolicyInUse):
            Engine(reranker)
        assert engine.submit(drawn.query(), drawn.hits(2)).result(5).ended is Ended.COMPLETE
    assert reranker.rerank(drawn.query(), drawn.hits(2)).ended is Ended.COMPLETE


def test_a_query_that_cannot_be_started_fails_alone(drawn: DrawnFolder) -> None:
    class Failing(Reranker):
        def running(self, ask: Ask, *, name: str, stream: str | None = None) -> Any:
            if ask.query.qid == "bad":
                raise ArithmeticError("no plan for it")
            return super().running(ask, name=name, stream=stream)

    with Engine(Failing(first_k(), drawn.store)) as engine:
        bad, good = (engine.submit(drawn.query(qid=qid), drawn.hits(2)) for qid in ("bad", "good"))
        with pytest.raises(ArithmeticError, match="no plan for it"):
            bad.result(5)
        assert good.result(5).ended is Ended.COMPLETE


@pytest.mark.parametrize(("within", "ended"), [(0.0, Ended.CANCELLED), (5.0, Ended.COMPLETE)])
def test_a_watcher_may_close_the_engine(drawn: DrawnFolder, within: float, ended: Ended) -> None:
    closed: list[Event] = []

    def closing(event: Event) -> None:
        if not closed:
            closed.append(event)
            engine.close(within=within)

    engine = Engine(Reranker(Gate(), drawn.store))
    assert engine.submit(drawn.query(), drawn.hits(2), watch=closing).result(5).ended is ended
    engine._thread.join(5)
    assert not engine._thread.is_alive()
    with pytest.raises(EngineClosed):
        engine.submit(drawn.query(), drawn.hits(2))

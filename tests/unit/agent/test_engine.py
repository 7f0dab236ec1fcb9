"""Pins the engine: results as if alone, tickets from any thread, deadlines, cancelling, a bounded queue, closing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import zoom

from vretrver.agent.budget import Budget
from vretrver.agent.config import AgentConfig
from vretrver.agent.engine import Engine
from vretrver.agent.events import Event, TurnEnded, WindowBegan, WindowEnded
from vretrver.agent.plans import ReferencePlanner
from vretrver.agent.policy import Completion, FinishReason, PolicyLimits
from vretrver.agent.reranked import Ended
from vretrver.agent.reranker import Reranker
from vretrver.errors import DataError, EngineClosed, Overloaded
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text

PLANNER = ReferencePlanner(depth=6, size=4, stride=2)


class Gate(ScriptedPolicy):
    """Looks, then answers backwards; holds turns back while the gate is closed, as a slow model would."""

    def __init__(self, *, in_flight: int = 4) -> None:
        super().__init__(_turn, name="gate", limits=PolicyLimits(in_flight=in_flight))
        self.open = threading.Event()
        self.open.set()
        self._woken = threading.Event()

    def wake(self) -> None:
        self._woken.set()

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        end = math.inf if patience is None else time.monotonic() + patience
        while not self.open.is_set() and not self._cancelled:
            if self._woken.is_set() or time.monotonic() >= end:
                self._woken.clear()
                return []
            time.sleep(0.002)
        return super().collect() if self.open.is_set() else self._ended()

    def _ended(self) -> list[Completion]:
        with self._lock:
            sessions = [*self._cancelled]
            self._cancelled.clear()
            for session in sessions:
                del self._pending[session]
        return [Completion(session=session, text="", finish=FinishReason.CANCELLED) for session in sessions]


def _turn(moment: Moment) -> str:
    return zoom(1) if not moment.said else answer_text(range(moment.count, 0, -1))


@pytest.fixture
def policy() -> Gate:
    return Gate()


@pytest.fixture
def engine(policy: Gate, drawn: DrawnFolder) -> Iterator[Engine]:
    with Engine(Reranker(policy, drawn.store, AgentConfig(planner=PLANNER)), queue=50) as engine:
        yield engine


def test_two_callers_with_equal_ids_get_the_results_they_would_get_alone(engine: Engine, drawn: DrawnFolder) -> None:
    alone = Reranker(Gate(), drawn.store, AgentConfig(planner=PLANNER)).rerank(drawn.query(), drawn.hits(6))
    with ThreadPoolExecutor(2) as callers:
        made = callers.map(lambda _: engine.submit(drawn.query(), drawn.hits(6)).result(20), range(20))
        results = list(made)
    for result in results:
        assert result.ranking == alone.ranking
        assert [one.turns[0].text for one in result.trajectories] == [one.turns[0].text for one in alone.trajectories]
        assert result.ended is Ended.COMPLETE
    names = [one.session for result in results for one in result.trajectories]
    assert len(set(names)) == len(names) == 40
    assert len(engine) == 0


def test_a_cancelled_query_hands_back_the_order_given_and_says_so(
    engine: Engine, policy: Gate, drawn: DrawnFolder
) -> None:
    policy.open.clear()
    tickets = [engine.submit(drawn.query(qid=str(number)), drawn.hits(6)) for number in range(8)]
    time.sleep(0.05)
    for ticket in tickets[::2]:
        ticket.cancel()
    cancelled = [ticket.result(5) for ticket in tickets[::2]]
    assert {result.ended for result in cancelled} == {Ended.CANCELLED}
    assert [[ranked.did for ranked in result.ranking] for result in cancelled] == [
        [f"1:{number}" for number in range(1, 7)]
    ] * 4
    policy.open.set()
    assert {ticket.result(5).ended for ticket in tickets[1::2]} == {Ended.COMPLETE}
    tickets[0].cancel()


def test_a_query_that_waits_past_its_deadline_ends_in_time(engine: Engine, policy: Gate, drawn: DrawnFolder) -> None:
    policy.open.clear()
    for number in range(4):
        engine.submit(drawn.query(qid=str(number)), drawn.hits(2))
    began = time.monotonic()
    late = engine.submit(drawn.query(qid="late"), drawn.hits(3), budget=Budget(seconds=0.2)).result(5)
    assert 0.15 < time.monotonic() - began < 2.0
    assert (late.ended, late.trajectories) == (Ended.DEADLINE, ())
    assert [ranked.did for ranked in late.ranking] == ["1:1", "1:2", "1:3"]


def test_a_full_queue_refuses_at_once_and_takes_more_later(policy: Gate, drawn: DrawnFolder) -> None:
    policy.open.clear()
    with Engine(Reranker(policy, drawn.store), queue=3) as engine:
        tickets = [engine.submit(drawn.query(qid=str(number)), drawn.hits(2)) for number in range(3)]
        with pytest.raises(Overloaded, match="3 queries are worked on or wait already; ask again later"):
            engine.submit(drawn.query(), drawn.hits(2))
        policy.open.set()
        for ticket in tickets:
            ticket.result(5)
        assert engine.submit(drawn.query(), drawn.hits(2)).result(5).ended is Ended.COMPLETE


def test_closing_lets_what_runs_end_and_cancels_what_takes_too_long(policy: Gate, drawn: DrawnFolder) -> None:
    engine = Engine(Reranker(policy, drawn.store))
    quick = engine.submit(drawn.query(), drawn.hits(2))
    engine.close(within=5.0)
    assert quick.result(0).ended is Ended.COMPLETE
    with pytest.raises(EngineClosed, match="the engine is closed and takes no queries; open another"):
        engine.submit(drawn.query(), drawn.hits(2))

    slow = Gate()
    slow.open.clear()
    engine = Engine(Reranker(slow, drawn.store))
    ticket = engine.submit(drawn.query(), drawn.hits(2))
    began = time.monotonic()
    engine.close(within=0.1)
    assert time.monotonic() - began < 2.0
    assert ticket.result(0).ended is Ended.CANCELLED


def test_a_watcher_sees_its_own_querys_turns_as_they_end(engine: Engine, drawn: DrawnFolder) -> None:
    events: dict[str, list[Event]] = {"a": [], "b": []}
    tickets = [
        engine.submit(drawn.query(qid=qid), drawn.hits(2), watch=heard.append) for qid, heard in events.items()
    ]
    for ticket in tickets:
        ticket.result(5)
    for qid, heard in events.items():
        assert [type(event) for event in heard] == [WindowBegan, TurnEnded, TurnEnded, WindowEnded]
        assert {event.session.split("/")[1] for event in heard} == {qid}
        first = heard[1]
        assert isinstance(first, TurnEnded)
        assert (first.number, first.turn.calls[0].outcome) == (0, "executed")


def test_an_error_of_one_querys_watcher_is_that_querys_alone(engine: Engine, drawn: DrawnFolder) -> None:
    def broken(event: Event) -> None:
        raise ZeroDivisionError("watcher")

    bad = engine.submit(drawn.query(qid="bad"), drawn.hits(2), watch=broken)
    good = engine.submit(drawn.query(qid="good"), drawn.hits(2))
    with pytest.raises(ZeroDivisionError, match="watcher"):
        bad.result(5)
    assert good.result(5).ended is Ended.COMPLETE


def test_a_policy_that_breaks_ends_every_ticket_and_the_engine(drawn: DrawnFolder) -> None:
    class Broken(Gate):
        def collect(self, *, patience: float | None = None) -> list[Completion]:
            raise ConnectionError("gone")

    engine = Engine(Reranker(Broken(), drawn.store))
    with pytest.raises(ConnectionError, match="gone"):
        engine.submit(drawn.query(), drawn.hits(2)).result(5)
    with pytest.raises(EngineClosed, match="the engine is closed and takes no queries; open another"):
        engine.submit(drawn.query(), drawn.hits(2))
    engine.close(within=1.0)


def test_wrong_hits_are_refused_when_they_are_submitted(engine: Engine, drawn: DrawnFolder) -> None:
    with pytest.raises(DataError, match="query 9:1 has no candidates to rerank"):
        engine.submit(drawn.query(), [])

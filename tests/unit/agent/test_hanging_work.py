"""Pins that nobody waits for work that hangs: neither the deadline, nor who cancels, nor who closes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from tests.unit.agent.ledger import Ledger, asking

from vretrver.agent.driver import Driver
from vretrver.agent.effects import Do, Running, Start, WorkAbandoned
from vretrver.agent.workers import Workers


class Hanging:
    """Work that hangs until the block is left.

    Attributes:
        began: set when it was begun.
        open: set when it may end.
        ended: set when it has ended.
    """

    def __init__(self) -> None:
        self.began, self.open, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.began.set()
        assert self.open.wait(10)
        self.ended.set()
        return "late"


@contextmanager
def hanging() -> Iterator[Hanging]:
    work = Hanging()
    try:
        yield work
    finally:
        work.open.set()


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vretrver.agent.driver.GRACE", 0.0)


def bounded(name: str, *works: Do) -> Running[list[str]]:
    """Do some work, then ask for one turn; return what came of each."""
    heard: list[str] = []
    for work in works:
        try:
            heard.append((yield work))
        except WorkAbandoned as abandoned:
            heard.append(abandoned.finish.value)
    return [*heard, *(yield from asking(name, 1))]


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "while the policy is waited for"])
def test_work_is_given_up_at_its_deadline(beside: bool) -> None:
    """The step waits as long as is left, and the late result goes to nobody, not even to later work."""
    patiences: list[float | None] = []
    clock = Clock()

    class Slow(Ledger):
        def collect(self, *, patience: float | None = None) -> list[Any]:
            patiences.append(patience)
            clock.now += patience or 0.0
            return super().collect(patience=patience)

    policy = Slow(choose=lambda waiting: [session for session in waiting if session != "slow" or clock.now >= 7])
    heard: list[list[str]] = []
    with hanging() as work, hanging() as other, Workers(2) as pool:
        driver: Driver[list[str]] = Driver(policy, pool=pool, clock=clock)
        if beside:
            driver.start(asking("slow", 1), heard.append)
        driver.start(bounded("a", Do(work, deadline=7.0), Do(other)), heard.append)
        assert work.began.wait(5)
        if beside:
            driver.step()
            assert patiences == [7.0]
        else:
            clock.now = 7.0
            driver.step()
        assert other.began.wait(5)
        work.open.set()
        assert work.ended.wait(5)
        driver.step(patience=0.0)
        assert ["a:1"] not in heard
        other.open.set()
        while driver.step():
            pass
    assert sorted(heard) == [["deadline", "late", "a:1"], *([["slow:1"]] if beside else [])]


def test_a_step_comes_back_at_the_earliest_deadline_of_work() -> None:
    soon = time.monotonic() + 0.02
    with hanging() as work, Workers(2) as pool:
        running = bounded("a", Do(work, deadline=soon + 0.01), Do(work, deadline=soon))
        later = bounded("b", Do(work, deadline=soon + 0.02))
        results = sorted(Driver[list[str]](Ledger(), pool=pool).run([running, later]))
    assert results == [(0, ["deadline", "deadline", "a:1"]), (1, ["deadline", "b:1"])]


def test_a_cancelled_running_waits_for_no_work() -> None:
    heard: list[list[str]] = []
    with hanging() as work, Workers(1) as pool:
        driver: Driver[list[str]] = Driver(Ledger(in_flight=1), pool=pool)
        seat = driver.start(bounded("a", Do(work)), heard.append)
        assert work.began.wait(5)
        assert not driver.room
        driver.cancel(seat)
        assert not driver.step()
        assert heard == [["cancelled", "cancelled"]]
        assert driver.room


def test_children_of_a_cancelled_running_wait_for_no_work() -> None:
    def parent(work: Hanging) -> Running[list[str]]:
        yield Start(bounded("child", Do(work)))
        return (yield from bounded("parent", Do(work)))

    with hanging() as work, Workers(2) as pool:
        driver: Driver[list[str]] = Driver(Ledger(), pool=pool)
        heard: list[list[str]] = []
        seat = driver.start(parent(work), heard.append)
        driver.cancel(seat)
        while driver.step():
            pass
    assert heard == [["cancelled", "cancelled"]]


def test_a_pool_full_of_hanging_work_holds_up_no_deadline() -> None:
    clock = Clock()
    begun: list[str] = []
    with hanging() as work, Workers(1) as pool:
        driver: Driver[list[str]] = Driver(Ledger(), pool=pool, clock=clock)
        heard: list[list[str]] = []
        driver.start(bounded("stuck", Do(work)), heard.append)
        assert work.began.wait(5)
        driver.start(bounded("a", Do(lambda: begun.append("a"), deadline=1.0)), heard.append)
        clock.now = 1.0
        assert driver.step()
        assert heard == [["deadline", "a:1"]]
        driver.close()
    assert begun == []


@pytest.mark.parametrize("workers", [0, 1])
def test_work_is_not_begun_after_its_deadline(workers: int) -> None:
    begun: list[str] = []
    pool = Workers(workers) if workers else None
    driver: Driver[list[str]] = Driver(Ledger(), pool=pool, clock=lambda: 5.0)
    running = bounded("a", Do(lambda: begun.append("late"), deadline=5.0))
    assert list(driver.run([running])) == [(0, ["deadline", "a:1"])]
    assert begun == []


@pytest.mark.parametrize("cancelled", [False, True])
def test_lasting_work_is_done_all_the_same(cancelled: bool) -> None:
    kept = threading.Event()
    with hanging() as work, Workers(1) as pool:
        driver: Driver[list[str]] = Driver(Ledger(), pool=pool, clock=lambda: 5.0)
        heard: list[list[str]] = []
        seat = driver.start(bounded("a", Do(work), Do(kept.set, deadline=5.0, lasting=True)), heard.append)
        assert work.began.wait(5)
        if cancelled:
            driver.cancel(seat)
        else:
            work.open.set()
        while driver.step():
            pass
        work.open.set()
        assert kept.wait(5)
    assert heard == [["cancelled"] * 3 if cancelled else ["late", "deadline", "a:1"]]


def test_a_pool_that_is_shut_down_gives_its_work_up() -> None:
    with hanging() as work:
        pool = ThreadPoolExecutor(1)
        driver: Driver[list[str]] = Driver(Ledger(), pool=pool)
        heard: list[list[str]] = []
        driver.start(asking("a", 1), heard.append)
        driver.start(bounded("b", Do(work)), heard.append)
        driver.start(bounded("c", Do(work)), heard.append)
        assert work.began.wait(5)
        pool.shutdown(wait=False, cancel_futures=True)
        work.open.set()
        while driver.step():
            pass
        with pytest.raises(RuntimeError, match="after shutdown"):
            driver.start(bounded("d", Do(work)), heard.append)
    assert sorted(heard) == [["a:1"], ["cancelled", "c:1"], ["late", "b:1"]]


def test_workers_end_without_what_hangs_and_take_no_more() -> None:
    with hanging() as work:
        with Workers(2) as pool:
            first, second = pool.submit(work), pool.submit(lambda: 3)
            assert second.result(5) == 3
            assert work.began.wait(5)
            busy, waits = pool.submit(work), pool.submit(lambda: 4)
        assert waits.cancelled()
        assert not first.done()
        with pytest.raises(RuntimeError, match="the pool is shut down and takes no work; open another"):
            pool.submit(lambda: 5)
        work.open.set()
        assert first.result(5) == "late"
        assert busy.cancelled() or busy.result(5) == "late"


def test_workers_can_be_waited_for() -> None:
    pool = Workers(1)
    done = [pool.submit(pow, 2, power) for power in range(3)]
    pool.shutdown()
    assert [one.result(0) for one in done] == [1, 2, 4]
    with pytest.raises(ValueError, match="a pool has at least one thread, got 0"):
        Workers(0)


def test_a_process_ends_while_work_hangs() -> None:
    script = (
        "import threading\n"
        "from vretrver.agent.workers import Workers\n"
        "began = threading.Event()\n"
        "with Workers(1) as pool:\n"
        "    pool.submit(lambda: (began.set(), threading.Event().wait()))\n"
        "    began.wait()\n"
        "print('ended')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "ended\n"

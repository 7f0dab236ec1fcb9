"""Pins that no session is taken for lost because of a wake: one that comes late, or was meant for another driver."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.unit.agent.ledger import Ledger, asking

from vretrver.agent.driver import Driver
from vretrver.agent.effects import Do, Running


class Woken(Ledger):
    """Waits for a wake, then answers all or, while `silent`, nobody; a wake of the thread `late` waits for a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = True
        self.gate, self.came, self.woken = threading.Event(), threading.Event(), threading.Event()

    def collect(self, *, patience: float | None = None) -> list[Any]:
        assert self.woken.wait(5), "nobody woke the policy"
        self.woken.clear()
        return [] if self.silent else super().collect(patience=patience)

    def wake(self) -> None:
        if threading.current_thread().name == "late":
            self.came.set()
            assert self.gate.wait(5)
        self.woken.set()


def test_a_wake_that_comes_late_is_not_taken_for_a_lost_session() -> None:
    """As a thread of the pool that waits for the policy's lock while another wakes the driver before it."""
    policy = Woken()
    driver: Driver[list[str]] = Driver(policy)
    heard: list[list[str]] = []
    driver.start(asking("a", 1), heard.append)
    for _ in range(3):
        policy.gate.clear()
        policy.came.clear()
        late = threading.Thread(target=driver.wake, name="late")
        late.start()
        assert policy.came.wait(5)
        driver.wake()
        assert driver.step()
        policy.gate.set()
        late.join()
        assert driver.step()
    policy.silent = False
    driver.wake()
    assert not driver.step()
    assert heard == [["a:1"]]


def test_a_wake_that_was_meant_for_an_earlier_driver_loses_no_session() -> None:
    class Stale(Ledger):
        stale = True

        def collect(self, *, patience: float | None = None) -> list[Any]:
            if self.stale:
                self.stale = False
                return []
            return super().collect(patience=patience)

    assert list(Driver[list[str]](Stale()).run([asking("a", 2)])) == [(0, ["a:1", "a:2"])]


def test_work_of_an_earlier_driver_wakes_no_later_one() -> None:
    wakes: list[str] = []

    class Counting(Ledger):
        def wake(self) -> None:
            wakes.append(threading.current_thread().name)

    held, began = threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        held.wait(5)

    def waiting() -> Running[None]:
        yield Do(hang)

    with ThreadPoolExecutor(1) as pool:
        driver: Driver[None] = Driver(Counting(), pool=pool)
        seat = driver.start(waiting(), lambda _: None, lambda _: None)
        assert began.wait(5)
        driver.cancel(seat)
        assert not driver.step()
        driver.close()
        held.set()
    assert wakes == []

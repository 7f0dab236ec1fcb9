"""Pins the effects of a running: work done elsewhere, children, waiting for them, and how all of it ends."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.unit.agent.ledger import Ledger, ask, asking, everything

from vretrver.agent.driver import Driver
from vretrver.agent.effects import Await, Do, Running, Start, WorkAbandoned
from vretrver.agent.policy import FinishReason
from vretrver.policies.scripted import Moment, ScriptedPolicy


def run(running: Running[Any], policy: Any = None, pool: ThreadPoolExecutor | None = None) -> Any:
    """Return the result of one running."""
    ((_, result),) = Driver[Any](policy or Ledger(), pool=pool).run([running])
    return result


def working(*works: Any) -> Running[list[Any]]:
    """Return a running that does some work and returns what came of each: its result, or the name of its error."""
    out: list[Any] = []
    for work in works:
        try:
            out.append((yield Do(work)))
        except ValueError as error:
            out.append(str(error))
    return out


def _turn(moment: Moment) -> str:
    return "turn"


def failing() -> None:
    raise ValueError("no such picture")


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_work_is_done_elsewhere_and_its_result_or_error_comes_back(workers: int) -> None:
    pool = ThreadPoolExecutor(workers) if workers else None
    threads: list[str] = []

    def where() -> None:
        threads.append(threading.current_thread().name)

    assert run(working(lambda: 3, failing, lambda: None, where), pool=pool) == [3, "no such picture", None, None]
    assert (threads == ["MainThread"]) is (workers == 0)
    if pool is not None:
        pool.shutdown()


def test_work_and_turns_of_several_runnings_go_on_beside_one_another() -> None:
    both = threading.Barrier(2, timeout=5)

    def meeting(session: str) -> Running[list[str]]:
        yield Do(both.wait)  # neither comes back unless both are in the pool at once
        return (yield from asking(session, 2))

    with ThreadPoolExecutor(2) as pool:
        results = dict(Driver[list[str]](Ledger(), pool=pool).run([meeting("a"), meeting("b")]))
    assert results == {0: ["a:1", "a:2"], 1: ["b:1", "b:2"]}


def family(lengths: dict[str, int]) -> Running[list[list[str]]]:
    """Start a child for each name and return what each heard, in the order they were started."""
    numbers = []
    for name, turns in lengths.items():
        numbers.append((yield Start(asking(name, turns))))
    heard = {}
    for _ in lengths:
        number, result = yield Await()
        heard[number] = result
    return [heard[number] for number in numbers]


def test_children_run_side_by_side_and_hand_their_results_to_their_parent() -> None:
    policy = Ledger(in_flight=4)
    assert run(family({"a": 2, "b": 0, "c": 1}), policy) == [["a:1", "a:2"], [], ["c:1"]]
    assert policy.outstanding == [2, 1]
    assert policy.released == {"a": 1, "c": 1}


def test_an_error_of_a_child_reaches_the_parent_that_waits_for_it() -> None:
    def broken() -> Running[None]:
        yield from asking("broken", 1)
        raise ValueError("child")

    def parent() -> Running[str]:
        yield Start(broken())
        try:
            yield Await()
        except ValueError as error:
            return f"the {error} failed"
        return "nothing failed"

    policy = Ledger()
    assert run(parent(), policy) == "the child failed"
    assert policy.released == {"broken": 1}


def test_a_parent_that_ends_closes_its_children_and_theirs() -> None:
    closed: list[str] = []

    def middle() -> Running[list[str]]:
        yield Start(asking("grandchild", 9, closed=closed))
        return (yield from asking("child", 9, closed=closed))

    def parent() -> Running[str]:
        yield Start(middle())
        yield from asking("parent", 1)
        return "done"

    policy = Ledger()
    assert run(parent(), policy) == "done"
    assert sorted(closed) == ["child", "grandchild"]
    assert policy.released == {"child": 1, "grandchild": 1, "parent": 1}
    assert policy.waiting == []


def test_waiting_without_a_child_is_an_error_of_the_running() -> None:
    def lonely() -> Running[None]:
        yield Await()

    with pytest.raises(RuntimeError, match="waits for a child, and has none"):
        run(lonely())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_cancelled_running_hands_back_what_it_has(workers: int) -> None:
    """Requests that wait, and all that follow, are cancelled; work is not begun any more."""
    pool = ThreadPoolExecutor(workers) if workers else None
    seen: list[object] = []

    def window(name: str) -> Running[str]:
        first = yield ask(name)
        try:
            yield Do(lambda: seen.append("never"))
        except WorkAbandoned as abandoned:
            second = yield ask(name)
            return f"{first.finish.value} {abandoned.finish.value} {second.finish.value}"
        return "worked"

    def parent() -> Running[None]:
        for name in ("a", "b"):
            yield Start(window(name))
        _, first = yield Await()
        _, second = yield Await()
        seen.extend((first, second))
        late = yield Start(window("late"))
        seen.append((yield Await()) == (late, "cancelled cancelled cancelled"))

    policy = Ledger(choose=lambda waiting: waiting[:0])
    driver: Driver[None] = Driver(policy, pool=pool)
    done: list[None] = []
    seat = driver.start(parent(), done.append)
    assert policy.waiting == ["a", "b"]
    driver.cancel(seat)
    policy.choose = everything
    while driver.step():
        pass
    assert done == [None]
    assert seen == ["cancelled cancelled cancelled", "cancelled cancelled cancelled", True]
    assert sorted(policy.released) == ["a", "b"]
    if pool is not None:
        pool.shutdown()


def test_work_that_ends_while_the_policy_is_waited_for_brings_the_driver_back() -> None:
    """The policy answers only when it is woken, as one that waits for a server does: nobody else ever wakes it."""
    collecting, woken = threading.Event(), threading.Event()

    class Waiting(ScriptedPolicy):
        def collect(self, *, patience: float | None = None) -> list[Any]:
            collecting.set()
            assert woken.wait(5), "nobody woke the policy"
            return super().collect(patience=patience)

        def wake(self) -> None:
            woken.set()

    def slow() -> Running[str]:
        assert (yield Do(lambda: collecting.wait(5)))
        return "worked"

    with ThreadPoolExecutor(1) as pool:
        results = [
            result for _, result in Driver[Any](Waiting(_turn, name="w"), pool=pool).run([slow(), asking("a", 1)])
        ]
    assert sorted(map(str, results)) == ["['turn']", "worked"]


def test_work_of_a_running_that_was_closed_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One place: without it the second running would never be started."""
    monkeypatch.setattr("vretrver.agent.driver.GRACE", 0.0)
    held = threading.Event()

    def broken() -> Running[list[str]]:
        yield Start(slow())
        raise ValueError("gone")

    def slow() -> Running[None]:
        yield Do(held.wait)

    with ThreadPoolExecutor(1) as pool:
        driver: Driver[list[str]] = Driver(Ledger(in_flight=1), pool=pool)
        errors: list[Exception] = []
        driver.start(broken(), lambda _: None, errors.append)
        assert [str(error) for error in errors] == ["gone"]
        assert driver.room
        assert list(driver.run([asking("a", 1)])) == [(0, ["a:1"])]
        held.set()


def test_an_error_goes_to_whoever_asked_for_it_and_the_others_go_on() -> None:
    def broken() -> Running[list[str]]:
        yield ask("broken")
        raise ValueError("mine")

    driver: Driver[list[str]] = Driver(Ledger())
    heard: list[list[str]] = []
    errors: list[Exception] = []
    driver.start(broken(), heard.append, errors.append)
    driver.start(asking("a", 2), heard.append, errors.append)
    while driver.step():
        pass
    assert heard == [["a:1", "a:2"]]
    assert [str(error) for error in errors] == ["mine"]


def test_a_session_cancelled_in_the_policy_is_told_so() -> None:
    def listening() -> Running[FinishReason]:
        return (yield ask("a")).finish

    policy = Ledger()
    driver: Driver[FinishReason] = Driver(policy)
    heard: list[FinishReason] = []
    seat = driver.start(listening(), heard.append)
    driver.cancel(seat)
    driver.step()
    assert heard == [FinishReason.CANCELLED]

"""What a driver keeps of each running, the work that runs do elsewhere, and which driver a policy belongs to."""

from __future__ import annotations

import queue
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import PolicyInUse
from .effects import Do, Running
from .policy import Policy, Request

if TYPE_CHECKING:
    from .driver import Driver

R = TypeVar("R")

_OWNERS: weakref.WeakKeyDictionary[Policy, weakref.ref[Driver[Any]]] = weakref.WeakKeyDictionary()
"""Policy -> the driver that runs something on it: completions of two drivers could not be told apart."""


@dataclass(slots=True, eq=False)
class Seat(Generic[R]):
    """A running in a driver; what `Driver.start` returns is only good for `Driver.cancel`."""

    running: Running[R]
    done: Callable[[R], None] | None = None
    failed: Callable[[Exception], None] | None = None
    parent: Seat[Any] | None = None
    number: int = 0
    session: str = ""
    request: Request | None = None
    work: Future[Any] | None = None
    children: dict[int, Seat[Any]] = field(default_factory=dict)
    ended: deque[tuple[tuple[int, Any], Exception | None]] = field(default_factory=deque)
    awaits: bool = False
    started: int = 0
    cancelled: bool = False
    over: bool = False


class WorkElsewhere:
    """The work of `Do` effects, done by a pool; `wake` may be called from any thread, all else is the driver's.

    Args:
        pool: does the work.
        ended: is called on the pool's thread when some work has ended.
    """

    def __init__(self, pool: Executor, ended: Callable[[], None]) -> None:
        self._pool, self._ended = pool, ended
        self._queue: queue.SimpleQueue[Seat[Any] | None] = queue.SimpleQueue()
        self.count = 0
        """Runnings whose work is not taken back yet."""

    def begin(self, seat: Seat[Any], effect: Do) -> None:
        """Begin the work of a running."""
        self.count += 1
        seat.work = self._pool.submit(effect.work)
        seat.work.add_done_callback(lambda _: self._put(seat))

    def drop(self, seat: Seat[Any]) -> None:
        """Forget the work of a running that is closed; what it comes to is not handed back."""
        if seat.work is not None:
            self.count -= 1
            work, seat.work = seat.work, None
            work.cancel()

    def wake(self) -> None:
        """Make the current `take` that waits, or the next one, return."""
        self._queue.put(None)

    def take(self, *, wait: bool = False, patience: float | None = None) -> Iterator[tuple[Seat[Any], Future[Any]]]:
        """Yield the runnings whose work has ended, each with it; with `wait`, wait for the first or for `wake`."""
        while True:
            try:
                seat = self._queue.get(block=wait, timeout=patience)
            except queue.Empty:
                return
            wait = False
            if seat is not None and seat.work is not None:
                self.count -= 1
                work, seat.work = seat.work, None
                yield seat, work

    def _put(self, seat: Seat[Any]) -> None:
        self._queue.put(seat)
        self._ended()


def claim(policy: Policy, driver: Driver[Any]) -> None:
    """Note that a policy belongs to a driver; raises PolicyInUse when another one runs something on it."""
    owner = _OWNERS.get(policy)
    other = owner() if owner is not None else None
    if other is not None and other is not driver and other.busy:
        raise PolicyInUse(
            f"the policy {policy.fingerprint} is in use by another driver; "
            "let that run end or close it, open a second policy, or let all callers share one Engine: Agent.serve()"
        )
    _OWNERS[policy] = weakref.ref(driver)


def let_go(policy: Policy, driver: Driver[Any]) -> None:
    """Note that a policy belongs to nobody, if its driver runs nothing on it any more."""
    owner = _OWNERS.get(policy)
    if not driver.busy and owner is not None and owner() is driver:
        del _OWNERS[policy]

"""The work of `Do` effects: begun, waited for until its deadline, handed back or given up."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures import wait as wait_for
from typing import Any

from .effects import Do, WorkAbandoned
from .policy import FinishReason
from .seats import Seat


class Work:
    """The work of a driver's runnings; `wake` may be called from any thread, all else is the driver's.

    Args:
        pool: does the work; None does it in `begin`.
        ended: is called on the pool's thread when some work has ended that is waited for.
        clock: seconds, as deadlines count them.
    """

    def __init__(self, pool: Executor | None, ended: Callable[[], None], clock: Callable[[], float]) -> None:
        self._pool, self._notify, self._clock = pool, ended, clock
        self._changed = threading.Condition()
        self._ended: deque[tuple[Seat[Any], Future[Any]]] = deque()
        self._woken = False
        self._waiting: dict[Seat[Any], Do] = {}
        self._unwatched: list[Future[Any]] = []

    @property
    def count(self) -> int:
        """Runnings whose work is not taken back yet."""
        return len(self._waiting)

    def begin(self, seat: Seat[Any], effect: Do) -> Future[Any] | None:
        """Begin the work of a running; return what it came to where there is nothing to wait for."""
        given_up = self._given_up(seat, effect)
        if given_up is not None and not effect.lasting:
            return _failed(WorkAbandoned(given_up))
        if self._pool is None:
            return _done(effect.work)
        try:
            future = self._pool.submit(effect.work)
        except Exception as error:  # noqa: BLE001 - thrown into the running that asked for the work
            return _failed(error)
        if given_up is not None:
            self._let_be(future)
            return _failed(WorkAbandoned(given_up))
        seat.work, self._waiting[seat] = future, effect
        future.add_done_callback(lambda ended: self._put(seat, ended))
        return None

    def _given_up(self, seat: Seat[Any], effect: Do) -> FinishReason | None:
        if seat.cancelled:
            return FinishReason.CANCELLED
        late = effect.deadline is not None and self._clock() >= effect.deadline
        return FinishReason.DEADLINE if late else None

    def abandon(self, seat: Seat[Any], finish: FinishReason) -> None:
        """Wait no longer for the work of a running; `take` hands it a `WorkAbandoned` in its place."""
        effect, work = self._waiting.get(seat), seat.work
        if effect is None or work is None or work.done():
            return
        with self._changed:
            seat.work = _failed(WorkAbandoned(finish))
            self._ended.append((seat, seat.work))
        if effect.lasting:
            self._let_be(work)
        else:
            work.cancel()

    def drop(self, seat: Seat[Any]) -> None:
        """Forget the work of a running that is closed; what it comes to is not handed back."""
        effect, work = self._waiting.pop(seat, None), seat.work
        with self._changed:
            seat.work = None
        if effect is not None and work is not None and (effect.lasting or not work.cancel()):
            self._let_be(work)

    def wake(self) -> None:
        """Make the current `wait`, or the next one, return."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def within(self, patience: float | None) -> float | None:
        """Return how long may be waited: `patience`, or the seconds to the earliest deadline where it comes first."""
        deadlines = [effect.deadline for effect in self._waiting.values() if effect.deadline is not None]
        if not deadlines:
            return patience
        left = max(0.0, min(deadlines) - self._clock())
        return left if patience is None else min(left, patience)

    def wait(self, patience: float | None) -> None:
        """Wait until some work has ended, its deadline has passed, `patience` is up, or `wake` is called."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._woken, self.within(patience))
            self._woken = False

    def take(self) -> Iterator[tuple[Seat[Any], Future[Any]]]:
        """Yield the runnings whose work has ended or is waited for no longer, each with what it came to."""
        self._give_up_late()
        while self._ended:
            seat, work = self._ended.popleft()
            if seat.work is work:
                seat.work = None
                del self._waiting[seat]
                yield seat, work

    def _give_up_late(self) -> None:
        dated = [(seat, effect.deadline) for seat, effect in self._waiting.items() if effect.deadline is not None]
        now = self._clock() if dated else 0.0
        for seat, deadline in dated:
            if now >= deadline:
                self.abandon(seat, FinishReason.DEADLINE)

    def settle(self, seconds: float) -> None:
        """Give work that was dropped in the middle a moment to end before what it uses is closed."""
        wait_for(self._unwatched, timeout=seconds)
        self._unwatched.clear()

    def _let_be(self, work: Future[Any]) -> None:
        self._unwatched = [work, *(one for one in self._unwatched if not one.done())]

    def _put(self, seat: Seat[Any], work: Future[Any]) -> None:
        """Note that some work has ended; under the lock, so that none which was given up wakes a later driver."""
        with self._changed:
            if seat.work is work:
                self._ended.append((seat, work))
                self._changed.notify_all()
                self._notify()


def outcome(work: Future[Any]) -> tuple[Any, Exception | None]:
    """Return what work came to: its result, or its exception.

    Raises:
        BaseException: the work raised what is no Exception, as at an exit or an interrupt.
    """
    if work.cancelled():  # whoever owns the pool has shut it down
        return None, WorkAbandoned(FinishReason.CANCELLED)
    error = work.exception()
    if error is None:
        return work.result(), None
    if isinstance(error, Exception):
        return None, error
    raise error


def _done(work: Callable[[], Any]) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - thrown into the running that asked for the work
        future.set_exception(error)
    return future


def _failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future

"""One driver for any number of runnings: it keeps a policy busy and hands results back as they finish.

It has two sides. Pull: `run` takes runnings and yields results. Push, on which `run` stands: `start`, `step`,
`cancel`, for whoever has a loop of their own (a server, a trainer). One thread owns the driver and its policy; only
`wake` may be called from any thread.
"""

from __future__ import annotations

import queue
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..errors import PolicyInUse
from .effects import Do, Running, Start
from .policy import Completion, FinishReason, Policy, Request

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
    ended: deque[tuple[int, Any, Exception | None]] = field(default_factory=deque)
    awaits: bool = False
    started: int = 0
    cancelled: bool = False
    over: bool = False


class Driver(Generic[R]):
    """Drives runnings over one policy.

    Args:
        policy: what writes the turns; `limits.in_flight` requests are kept outstanding.
        pool: where the work of `Do` is done; None does it on the driver's thread.
    """

    def __init__(self, policy: Policy, *, pool: Executor | None = None) -> None:
        self.policy = policy
        self.pool = pool
        self._live: dict[Seat[Any], None] = {}
        self._seats: dict[str, Seat[Any]] = {}
        self._names: set[str] = set()
        self._ready: deque[Seat[Any]] = deque()
        self._working = 0
        self._worked: queue.SimpleQueue[Seat[Any] | None] = queue.SimpleQueue()
        self._wakes = 0
        self._wakes_seen = 0
        self._unexplained = 0

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return bool(self._live)

    @property
    def room(self) -> bool:
        """Whether the policy would take another session at once."""
        return len(self._seats) + len(self._ready) + self._working < self.policy.limits.in_flight

    def start(
        self,
        running: Running[R],
        done: Callable[[R], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> Seat[R]:
        """Start a running; it advances to its first request at once.

        Args:
            running: what to run.
            done: called with its result, on this thread.
            failed: called with its exception in place of raising it from `start` or `step`.

        Raises:
            PolicyInUse: another driver runs something on the policy.
        """
        self._claim()
        seat: Seat[R] = Seat(running, done, failed)
        self._live[seat] = None
        self._advance(seat)
        self._submit()
        self._let_go_if_idle()
        return seat

    def step(self, *, patience: float | None = None) -> bool:
        """Wait until something can advance, and advance it; say whether anything still runs.

        Args:
            patience: most seconds to wait; None waits without limit, unless `wake` is called.

        Raises:
            RuntimeError: the policy lost a request or answered a session that is not waiting.
        """
        self._take_work()
        self._submit()
        if self._seats:
            self._collect(patience)
        elif self._working:
            self._take_work(wait=True, patience=patience)
        self._take_work()
        self._submit()
        self._let_go_if_idle()
        return bool(self._live)

    def wake(self) -> None:
        """Make the current `step`, or the next one, return early. Any thread may call it."""
        self._wakes += 1
        self._worked.put(None)
        self.policy.wake()

    def cancel(self, seat: Seat[Any]) -> None:
        """End a running early: its pending requests, and all further ones of it and its children, are CANCELLED.

        The running itself goes on, so that it can hand back what it has; one that has ended is ignored.
        """
        if seat.over:
            return
        seat.cancelled = True
        if seat.session in self._seats:
            self.policy.cancel(seat.session)
        for child in [*seat.children.values()]:
            self.cancel(child)

    def close(self) -> None:
        """Close and release whatever still runs; nothing of it is handed back."""
        for seat in [*self._live]:
            self._close(seat)
        self._ready.clear()
        self._let_go_if_idle()

    def run(self, runnings: Iterable[Running[R]]) -> Generator[tuple[int, R], None, None]:
        """Yield (position in `runnings`, result) as runnings finish; `runnings` is read lazily.

        An exception of a running or of the policy ends the run, after the results that were there are yielded.
        However the run ends, every running that was started is closed and its sessions are released.

        Raises:
            RuntimeError: the policy lost a request or answered a session that is not waiting, or two live runnings
                use one session name.
            PolicyInUse: another driver runs something on the policy.
        """
        waiting = enumerate(runnings)
        finished: deque[tuple[int, R]] = deque()
        more = True
        try:
            while more or self._live:
                try:
                    if self._live:
                        self.step()
                    while more and self.room:
                        fresh = next(waiting, None)
                        more = fresh is not None
                        if fresh is not None:
                            self.start(fresh[1], _keeper(fresh[0], finished))
                finally:  # what is finished is handed over even when the step failed: it was paid for
                    while finished:
                        yield finished.popleft()
        finally:
            self.close()

    # Effects

    def _advance(self, seat: Seat[Any], sent: Any = None, error: Exception | None = None) -> None:
        """Send a result or an exception in, and follow the running until it waits for something."""
        while not seat.over:
            try:
                effect = seat.running.send(sent) if error is None else seat.running.throw(error)
            except StopIteration as stop:
                self._end(seat, stop.value, None)
                return
            except Exception as raised:  # noqa: BLE001 - handed to whoever waits for the result
                self._end(seat, None, raised)
                return
            except BaseException:
                self._close(seat)
                raise
            sent = error = None
            if isinstance(effect, Request):
                if not seat.cancelled:
                    error = self._ask(seat, effect)
                    if error is None:
                        return
                else:
                    sent = Completion(session=effect.session, text="", finish=FinishReason.CANCELLED)
            elif isinstance(effect, Do):
                if self.pool is not None:
                    self._do(seat, effect)
                    return
                try:
                    sent = effect.work()
                except Exception as raised:  # noqa: BLE001 - thrown into the running that asked for the work
                    error = raised
            elif isinstance(effect, Start):
                sent = self._start_child(seat, effect)
            elif seat.ended:
                sent, error = _outcome(seat.ended.popleft())
            elif seat.children:
                seat.awaits = True
                return
            else:
                error = RuntimeError("a running waits for a child, and has none")

    def _start_child(self, seat: Seat[Any], effect: Start) -> int:
        seat.started += 1
        child: Seat[Any] = Seat(effect.running, parent=seat, number=seat.started, cancelled=seat.cancelled)
        seat.children[child.number] = child
        self._live[child] = None
        self._advance(child)
        self._submit()
        return child.number

    def _do(self, seat: Seat[Any], effect: Do) -> None:
        if self.pool is None:
            raise RuntimeError("there is no pool")
        self._working += 1
        seat.work = self.pool.submit(effect.work)
        seat.work.add_done_callback(lambda _: self._work_ended(seat))

    def _work_ended(self, seat: Seat[Any]) -> None:
        """Note finished work and bring the driver back from the policy; called on the pool's thread."""
        self._worked.put(seat)
        self._wakes += 1
        self.policy.wake()

    def _take_work(self, *, wait: bool = False, patience: float | None = None) -> None:
        """Advance the runnings whose work is done; with `wait`, wait for the first."""
        while True:
            try:
                seat = self._worked.get(block=wait, timeout=patience)
            except queue.Empty:
                return
            wait = False
            if seat is None or seat.work is None:
                continue
            self._working -= 1
            work, seat.work = seat.work, None
            if seat.over:
                continue
            error = work.exception()
            if error is not None and not isinstance(error, Exception):
                self._close(seat)
                raise error
            self._advance(seat, None if error is not None else work.result(), error)
            self._submit()

    def _ask(self, seat: Seat[Any], request: Request) -> Exception | None:
        """Queue a request; a session name in use elsewhere is the running's error."""
        if request.session != seat.session:
            if request.session in self._names:
                return RuntimeError(f"two running sessions are both named {request.session!r}")
            self._leave(seat)
            self._names.add(request.session)
        seat.session, seat.request = request.session, request
        self._ready.append(seat)
        return None

    def _submit(self) -> None:
        """Hand all ready requests to the policy."""
        while self._ready:
            seat = self._ready.popleft()
            if seat.over or seat.request is None:
                continue
            self._seats[seat.session] = seat
            self.policy.submit(seat.request)
            if seat.cancelled:
                self.policy.cancel(seat.session)

    def _collect(self, patience: float | None) -> None:
        wakes = self._wakes
        completions = self.policy.collect(patience=patience)
        if completions:
            self._unexplained = 0
        elif patience is None:
            # One empty list may be owed to a wake that was meant for an earlier driver; a second one is a fault.
            self._unexplained += self._wakes <= self._wakes_seen
            if self._unexplained > 1:
                lost = ", ".join([*self._seats][:3])
                raise RuntimeError(f"the policy has nothing pending, but these sessions wait: {lost}")
            self._wakes_seen = wakes
        for completion in completions:
            seat = self._seats.pop(completion.session, None)
            if seat is None:
                raise RuntimeError(f"the policy answered session {completion.session!r}, which is not waiting")
            self._advance(seat, completion)
            self._submit()

    # Ends

    def _end(self, seat: Seat[Any], result: Any, error: Exception | None) -> None:
        """Close what a running leaves behind and hand its result to its parent, or to whoever started it."""
        self._close(seat)
        parent = seat.parent
        if parent is not None:
            parent.ended.append((seat.number, result, error))
            if parent.awaits:
                parent.awaits = False
                self._advance(parent, *_outcome(parent.ended.popleft()))
        elif error is None:
            if seat.done is not None:
                seat.done(result)
        elif seat.failed is not None:
            seat.failed(error)
        else:
            raise error

    def _close(self, seat: Seat[Any]) -> None:
        """End a running and its children, and release their sessions."""
        if seat.over:
            return
        seat.over = True
        for child in [*seat.children.values()]:
            self._close(child)
        seat.running.close()
        if seat.work is not None:
            seat.work.cancel()
        self._leave(seat)
        self._live.pop(seat, None)
        if seat.parent is not None:
            seat.parent.children.pop(seat.number, None)

    def _leave(self, seat: Seat[Any]) -> None:
        """Release the session a running has finished; one that has asked for nothing yet has none."""
        if seat.session:
            if self._seats.pop(seat.session, None) is not None:
                self.policy.cancel(seat.session)
            self._names.discard(seat.session)
            self.policy.release(seat.session)
            seat.session, seat.request = "", None

    # Ownership

    def _claim(self) -> None:
        owner = _OWNERS.get(self.policy)
        other = owner() if owner is not None else None
        if other is not None and other is not self and other.busy:
            raise PolicyInUse(
                f"the policy {self.policy.fingerprint} is in use by another driver; "
                "let that run end or close it, or open a second policy"
            )
        _OWNERS[self.policy] = weakref.ref(self)

    def _let_go_if_idle(self) -> None:
        if not self._live:
            owner = _OWNERS.get(self.policy)
            if owner is not None and owner() is self:
                del _OWNERS[self.policy]


def _keeper(index: int, finished: deque[tuple[int, R]]) -> Callable[[R], None]:
    return lambda result: finished.append((index, result))


def _outcome(ended: tuple[int, Any, Exception | None]) -> tuple[Any, Exception | None]:
    number, result, error = ended
    return (number, result), error

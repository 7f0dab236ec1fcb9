"""One driver for any number of runnings: it keeps a policy busy and hands results back as they finish.

It has two sides. Pull: `run` takes runnings and yields results. Push, on which `run` stands: `start`, `step`,
`cancel`, for whoever has a loop of their own (a server, a trainer). One thread owns the driver and its policy; only
`wake` may be called from any thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from functools import partial
from typing import Any, Generic, TypeVar

from .effects import Do, Running, Start
from .policy import Completion, FinishReason, Policy, Request
from .seats import Seat, WorkElsewhere, claim, let_go

R = TypeVar("R")


class Driver(Generic[R]):
    """Drives runnings over one policy.

    Args:
        policy: what writes the turns; `limits.in_flight` requests are kept outstanding.
        pool: where the work of `Do` is done; None does it on the driver's thread.
    """

    def __init__(self, policy: Policy, *, pool: Executor | None = None) -> None:
        self.policy = policy
        self._work = None if pool is None else WorkElsewhere(pool, self._nudge)
        self._live: dict[Seat[Any], None] = {}
        self._seats: dict[str, Seat[Any]] = {}
        self._names: set[str] = set()
        self._ready: deque[Seat[Any]] = deque()
        self._woken = False
        self._unexplained = 0

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return bool(self._live)

    @property
    def room(self) -> bool:
        """Whether the policy would take another session at once."""
        working = 0 if self._work is None else self._work.count
        return len(self._seats) + len(self._ready) + working < self.policy.limits.in_flight

    def start(
        self, running: Running[R], done: Callable[[R], None], failed: Callable[[Exception], None] | None = None
    ) -> Seat[R]:
        """Start a running; it advances to its first request at once.

        Args:
            running: what to run.
            done: called with its result, on this thread.
            failed: called with its exception in place of raising it from `start` or `step`.

        Raises:
            PolicyInUse: another driver runs something on the policy.
        """
        claim(self.policy, self)
        seat: Seat[R] = Seat(running, done, failed)
        self._live[seat] = None
        self._advance(seat)
        self._submit()
        let_go(self.policy, self)
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
        elif self._work is not None and self._work.count:
            self._take_work(wait=True, patience=patience)
        self._take_work()
        self._submit()
        let_go(self.policy, self)
        return bool(self._live)

    def wake(self) -> None:
        """Make the current `step`, or the next one, return early. Any thread may call it."""
        if self._work is not None:
            self._work.wake()
        self._nudge()

    def _nudge(self) -> None:
        """Bring the driver back from the policy; called on any thread."""
        self._woken = True
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
        let_go(self.policy, self)

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
                            self.start(fresh[1], partial(_keep, finished, fresh[0]))
                finally:  # what is finished is handed over even when the step failed: it was paid for
                    while finished:
                        yield finished.popleft()
        finally:
            self.close()

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
                if self._work is not None:
                    self._work.begin(seat, effect)
                    return
                try:
                    sent = effect.work()
                except Exception as raised:  # noqa: BLE001 - thrown into the running that asked for the work
                    error = raised
            elif isinstance(effect, Start):
                sent = self._start_child(seat, effect)
            elif seat.ended:
                sent, error = seat.ended.popleft()
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

    def _take_work(self, *, wait: bool = False, patience: float | None = None) -> None:
        """Advance the runnings whose work is done; with `wait`, wait for the first."""
        if self._work is None:
            return
        for seat, work in self._work.take(wait=wait, patience=patience):
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
        completions = self.policy.collect(patience=patience)
        if completions:
            self._unexplained = 0
        elif patience is None:
            # One empty list may be owed to a wake that was meant for an earlier driver; a second one is a fault.
            self._unexplained += not self._woken
            if self._unexplained > 1:
                lost = ", ".join([*self._seats][:3])
                raise RuntimeError(f"the policy has nothing pending, but these sessions wait: {lost}")
            self._woken = False
        for completion in completions:
            seat = self._seats.pop(completion.session, None)
            if seat is None:
                raise RuntimeError(f"the policy answered session {completion.session!r}, which is not waiting")
            self._advance(seat, completion)
            self._submit()

    def _end(self, seat: Seat[Any], result: Any, error: Exception | None) -> None:
        """Close what a running leaves behind and hand its result to its parent, or to whoever started it."""
        self._close(seat)
        parent = seat.parent
        if parent is not None:
            parent.ended.append(((seat.number, result), error))
            if parent.awaits:
                parent.awaits = False
                self._advance(parent, *parent.ended.popleft())
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
        if self._work is not None:
            self._work.drop(seat)
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


def _keep(finished: deque[tuple[int, R]], index: int, result: R) -> None:
    finished.append((index, result))

"""One driver for any number of runnings: it keeps a policy busy and hands results back as they finish.

It has two sides. Pull: `run` takes runnings and yields results. Push, on which `run` stands: `start`, `step`,
`cancel`, for whoever has a loop of their own (a server, a trainer). One thread owns the driver and its policy; only
`wake` may be called from any thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial
from typing import Any, Generic, TypeVar

from .effects import Do, Running, Start
from .owners import claim, let_go
from .policy import Completion, FinishReason, Policy, Request
from .seats import Seat
from .turns import Turns
from .work import Work, outcome

R = TypeVar("R")

GRACE = 1.0
"""Most seconds that `Driver.close` waits for work in the middle of which it came."""


class Driver(Generic[R]):
    """Drives runnings over one policy, which is its own from the first `start` until nothing runs.

    Args:
        policy: what writes the turns; `limits.in_flight` requests are kept outstanding.
        pool: where the work of `Do` is done; None does it on the driver's thread, where work that has begun holds
            up everything until it ends.
        clock: seconds, as the deadlines of `Do` count them.
    """

    def __init__(
        self, policy: Policy, *, pool: Executor | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.policy = policy
        self._turns = Turns(policy)
        self._work = Work(pool, self._turns.nudge, clock)
        self._live: dict[Seat[Any], None] = {}
        self._faults: deque[Exception] = deque()
        self._held = False

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return bool(self._live)

    @property
    def room(self) -> bool:
        """Whether the policy would take another session at once; work that was given up takes no place."""
        return self._turns.count + self._work.count < self.policy.limits.in_flight

    def hold(self) -> None:
        """Keep the policy until `close`, also while nothing runs; raises PolicyInUse when another driver has it."""
        claim(self.policy, self)
        self._held = True

    def start(
        self, running: Running[R], done: Callable[[R], None], failed: Callable[[Exception], None] | None = None
    ) -> Seat[R]:
        """Start a running; it advances to its first request at once.

        Args:
            running: what to run.
            done: called with its result, on this thread.
            failed: called with its exception in place of raising it from `start` or `step`.

        Raises:
            PolicyInUse: the policy belongs to another driver.
        """
        claim(self.policy, self)
        seat: Seat[R] = Seat(running, done, failed)
        self._live[seat] = None
        try:
            self._advance(seat)
        finally:
            self._let_go()
        self._raise_first()
        return seat

    def step(self, *, patience: float | None = None) -> bool:
        """Wait until something can advance, and advance it; say whether anything still runs.

        All that can advance does so before the first exception among it is raised; the next step raises the next.

        Args:
            patience: most seconds to wait; None waits without limit, unless `wake` is called or the deadline of a
                `Do` passes.

        Raises:
            RuntimeError: the policy lost a request or answered a session that is not waiting.
        """
        try:
            if self._hand_out():
                patience = 0.0
            if self._turns.count:
                self._turns.collect(self._work.within(patience))
            elif self._work.count:
                self._work.wait(patience)
            self._hand_out()
        finally:
            self._let_go()
        self._raise_first()
        return bool(self._live)

    def wake(self) -> None:
        """Make the current `step`, or the next one, return early. Any thread may call it."""
        self._work.wake()
        self._turns.nudge()

    def cancel(self, seat: Seat[Any]) -> None:
        """End a running early: its pending requests, and all further ones of it and its children, are CANCELLED.

        Work it waits for, or asks for later, is given up: `WorkAbandoned` is thrown in at the next step. The running
        itself goes on, so that it can hand back what it has; one that has ended is ignored.
        """
        if seat.over:
            return
        seat.cancelled = True
        self._turns.cancel(seat)
        self._work.abandon(seat, FinishReason.CANCELLED)
        for child in [*seat.children.values()]:
            self.cancel(child)

    def close(self) -> None:
        """Close and release whatever still runs, and let the policy go; nothing is handed back.

        Raises:
            Exception: what the cleanup of a running raised, or that it asked for something more; all are closed.
        """
        self._held = False
        with ExitStack() as last_first:
            last_first.callback(self._let_go)
            last_first.callback(self._work.settle, GRACE)
            last_first.callback(self._faults.clear)
            last_first.callback(self._turns.clear)
            for seat in reversed([*self._live]):
                last_first.callback(self._close, seat)

    def run(self, runnings: Iterable[Running[R]]) -> Generator[tuple[int, R], None, None]:
        """Yield (position in `runnings`, result) as runnings finish; `runnings` is read lazily.

        An exception of a running or of the policy ends the run, after the results that were there are yielded.
        However the run ends, every running that was started is closed and its sessions are released.

        Raises:
            RuntimeError: the policy lost a request or answered a session that is not waiting, or two live runnings
                use one session name.
            PolicyInUse: the policy belongs to another driver.
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
                    error = self._turns.ask(seat, effect)
                    if error is None:
                        return
                else:
                    sent = Completion(session=effect.session, text="", finish=FinishReason.CANCELLED)
            elif isinstance(effect, Do):
                done = self._work.begin(seat, effect)
                if done is None:
                    return
                sent, error = outcome(done)
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
        return child.number

    def _hand_out(self) -> bool:
        """Advance the runnings whose turn or work has ended; say whether there were any."""
        any_advanced = False
        for seat, completion in self._turns.take():
            any_advanced = True
            self._advance(seat, completion)
        for seat, work in self._work.take():
            any_advanced = True
            try:
                sent, error = outcome(work)
            except BaseException:
                self._close(seat)
                raise
            self._advance(seat, sent, error)
        return any_advanced

    def _end(self, seat: Seat[Any], result: Any, error: Exception | None) -> None:
        """Close what a running leaves behind and hand its result to its parent, or to whoever started it."""
        try:
            self._close(seat)
        except Exception as raised:  # noqa: BLE001 - what broke at the end is the running's error
            error = error or raised
        parent = seat.parent
        if parent is not None:
            parent.ended.append(((seat.number, result), error))
            if parent.awaits:
                parent.awaits = False
                self._advance(parent, *parent.ended.popleft())
            return
        try:
            if error is None and seat.done is not None:
                seat.done(result)
            elif error is not None and seat.failed is not None:
                seat.failed(error)
            elif error is not None:
                self._faults.append(error)
        except Exception as raised:  # noqa: BLE001 - raised once all that can advance has done so
            self._faults.append(raised)

    def _raise_first(self) -> None:
        if self._faults:
            raise self._faults.popleft()

    def _close(self, seat: Seat[Any]) -> None:
        """End a running and its children and release their sessions, whatever their cleanup raises."""
        if seat.over:
            return
        seat.over = True
        with ExitStack() as last_first:
            last_first.callback(self._forget, seat)
            last_first.callback(seat.running.close)
            for child in reversed([*seat.children.values()]):
                last_first.callback(self._close, child)

    def _forget(self, seat: Seat[Any]) -> None:
        self._live.pop(seat, None)
        if seat.parent is not None:
            seat.parent.children.pop(seat.number, None)
        self._work.drop(seat)
        self._turns.leave(seat)

    def _let_go(self) -> None:
        if not self._live and not self._held:
            let_go(self.policy, self)


def _keep(finished: deque[tuple[int, R]], index: int, result: R) -> None:
    finished.append((index, result))

"""An engine for many callers: one thread owns policy and driver, and everybody else holds tickets.

`submit` and everything on a ticket may be called from any thread. Results are those of the same query reranked
alone: sessions of two callers never share a name, and draws depend on the query, not on who else is served.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import count
from types import TracebackType
from typing import Self

from ..errors import Overloaded
from ..records import Hit, Query
from .budget import Budget, Limit
from .driver import Driver
from .events import Watch, ignore
from .reranked import Ended, Reranked, check_hits, reranked
from .reranker import Ask, Reranker
from .seats import Seat


class Ticket:
    """One query that was submitted."""

    def __init__(self, engine: Engine, ask: Ask, number: int) -> None:
        self.ask = ask
        self.number = number
        self.future: Future[Reranked] = Future()
        budget = ask.budget or engine.reranker.config.budget
        self.deadline = None if budget.seconds is None or ask.started is None else ask.started + budget.seconds
        self.seat: Seat[Reranked] | None = None
        self.cancelled = False
        self._engine = engine

    def result(self, timeout: float | None = None) -> Reranked:
        """Wait for the result; one that was cancelled holds the best order so far and says so.

        Raises:
            TimeoutError: `timeout` seconds passed; the query goes on.
            CancelledError: the engine was closed before the query was started.
        """
        return self.future.result(timeout)

    def cancel(self) -> None:
        """End the query early; its result is the best order so far, marked. One that has ended is ignored."""
        self._engine.cancel(self)

    def late(self, now: float) -> bool:
        """Say whether its time is used up."""
        return self.deadline is not None and now >= self.deadline

    def unstarted(self, reranker: Reranker) -> Reranked:
        """Return the result of a query that ended before it was started: the order given, marked."""
        ended, reached = (Ended.CANCELLED, ()) if self.cancelled else (Ended.DEADLINE, (Limit.SECONDS,))
        return reranked(self.ask.query, self.ask.hits, reranker.config.planner, {}, ended=ended, reached=reached)

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.future.done()


class Engine:
    """Reranks queries of many callers together over one policy.

    Args:
        reranker: policy, pictures, configuration; the policy is used by this engine alone until it is closed.
        queue: queries that are worked on or wait at once; more are refused.
    """

    def __init__(self, reranker: Reranker, *, queue: int = 256) -> None:
        if queue < 1:
            raise ValueError(f"an engine takes at least one query at once, got queue {queue}")
        self.reranker = reranker
        self.queue = queue
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._numbers = count()
        self._waiting: deque[Ticket] = deque()
        self._cancelled: deque[Ticket] = deque()
        self._open: dict[Ticket, None] = {}
        self._closing = False
        self._fault: BaseException | None = None
        self._driver: Driver[Reranked] | None = None
        self._thread = threading.Thread(target=self._run, name="vretrver-engine", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the engine."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the engine; what still runs is cancelled."""
        self.close(within=0.0)

    def __len__(self) -> int:
        """Return how many queries are worked on or wait."""
        return len(self._open)

    def submit(
        self,
        query: Query,
        hits: Sequence[Hit],
        *,
        budget: Budget | None = None,
        watch: Watch = ignore,
    ) -> Ticket:
        """Take a query; returns at once.

        Args:
            query: what is asked.
            hits: its candidates, best first.
            budget: what it may cost; None takes the configuration's. Its seconds count from now, waiting included.
            watch: is told of windows and turns as they happen, on the engine's thread; it must return quickly.

        Raises:
            DataError: there are no hits, or a candidate appears twice among them.
            Overloaded: the queue is full, or the engine is closed.
        """
        check_hits(query, hits)
        started = self.reranker.clock()
        ask = Ask(query=query, hits=tuple(hits), budget=budget, watch=watch, started=started)
        with self._changed:
            if self._closing or self._fault is not None:
                raise Overloaded("the engine is closed and takes no queries; open another") from self._fault
            if len(self._open) >= self.queue:
                raise Overloaded(f"{self.queue} queries are worked on or wait already; ask again later")
            ticket = Ticket(self, ask, next(self._numbers))
            self._open[ticket] = None
            self._waiting.append(ticket)
        self._nudge()
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """End a ticket's query early; see `Ticket.cancel`."""
        with self._changed:
            if ticket not in self._open or ticket.cancelled:
                return
            ticket.cancelled = True
            self._cancelled.append(ticket)
        self._nudge()

    def close(self, *, within: float) -> None:
        """Take no more queries, let those that run end, and give the thread back.

        Args:
            within: seconds after which what still runs is cancelled; it ends with the best order so far.
        """
        with self._changed:
            self._closing = True
        self._nudge()
        self._thread.join(within)
        if self._thread.is_alive():
            for ticket in [*self._open]:
                self.cancel(ticket)
            self._thread.join()

    def _nudge(self) -> None:
        """Bring the engine's thread back from wherever it waits."""
        with self._changed:
            self._changed.notify_all()
            driver = self._driver
        if driver is not None:
            driver.wake()

    def _run(self) -> None:
        workers = self.reranker.workers
        try:
            with ThreadPoolExecutor(workers, "vretrver") if workers else nullcontext() as pool:
                self._driver = Driver(self.reranker.policy, pool=pool)
                self._serve(self._driver)
        except BaseException as error:  # noqa: BLE001 - handed to everybody who waits
            self._fault = error
        finally:
            self._abandon()

    def _serve(self, driver: Driver[Reranked]) -> None:
        try:
            while True:
                self._take(driver)
                if driver.busy:
                    driver.step(patience=self._patience())
                    continue
                with self._changed:
                    if self._closing and not self._waiting:
                        return
                    if not self._waiting and not self._cancelled:
                        self._changed.wait()
        finally:
            driver.close()

    def _take(self, driver: Driver[Reranked]) -> None:
        """End what was cancelled or came too late, and start what waits while the policy has room."""
        now = self.reranker.clock()
        with self._changed:
            cancelled, self._cancelled = self._cancelled, deque()
            over = [ticket for ticket in self._waiting if ticket.cancelled or ticket.late(now)]
            self._waiting = deque(ticket for ticket in self._waiting if ticket not in over)
        for ticket in over:
            self._finish(ticket, ticket.unstarted(self.reranker), None)
        for ticket in cancelled:
            if ticket.seat is not None:
                driver.cancel(ticket.seat)
        while driver.room:
            with self._changed:
                if not self._waiting:
                    return
                ticket = self._waiting.popleft()
            self._start(driver, ticket)

    def _start(self, driver: Driver[Reranked], ticket: Ticket) -> None:
        qid = ticket.ask.query.qid
        running = self.reranker.running(ticket.ask, name=f"{ticket.number}/{qid}", stream=qid)
        ticket.seat = driver.start(
            running,
            lambda result: self._finish(ticket, result, None),
            lambda error: self._finish(ticket, None, error),
        )

    def _patience(self) -> float | None:
        """Return the seconds until a query that waits comes too late; None when none does."""
        with self._changed:
            deadlines = [ticket.deadline for ticket in self._waiting if ticket.deadline is not None]
        return max(0.0, min(deadlines) - self.reranker.clock()) if deadlines else None

    def _finish(self, ticket: Ticket, result: Reranked | None, error: BaseException | None) -> None:
        with self._changed:
            self._open.pop(ticket, None)
        if error is not None:
            ticket.future.set_exception(error)
        elif result is not None:
            ticket.future.set_result(result)

    def _abandon(self) -> None:
        """End every ticket that has no result: nobody may wait for ever."""
        with self._changed:
            self._closing = True
            left = [*self._open]
            self._open.clear()
            self._waiting.clear()
        for ticket in left:
            ticket.future.set_exception(self._fault or CancelledError())

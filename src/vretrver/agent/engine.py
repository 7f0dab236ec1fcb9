"""An engine for many callers: one thread owns policy and driver, and everybody else holds tickets.

`submit` and everything on a ticket may be called from any thread. Results are those of the same query reranked
alone: sessions of two callers never share a name, and draws depend on the query, not on who else is served.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import count
from types import TracebackType
from typing import Self

from ..errors import EngineClosed, Overloaded
from ..records import Hit, Query
from .budget import Budget
from .driver import Driver
from .events import Watch, ignore
from .reranked import Reranked, check_hits
from .reranker import Ask, Reranker
from .tickets import Ticket
from .workers import Workers

GRACE = 10.0
"""Seconds that `Engine.close` waits, unless told otherwise, for what was cancelled and does not end."""


class Engine:
    """Reranks queries of many callers together over one policy.

    Neither deadline nor cancelling waits for a picture or a tool that hangs, where the reranker has workers.

    Args:
        reranker: policy, pictures, configuration; the policy is used by this engine alone until it is closed.
        queue: queries that are worked on or wait at once; more are refused.
        grace: seconds that `close` waits once everything was cancelled.

    Raises:
        PolicyInUse: the policy belongs to another driver.
    """

    def __init__(self, reranker: Reranker, *, queue: int = 256, grace: float = GRACE) -> None:
        if queue < 1:
            raise ValueError(f"an engine takes at least one query at once, got queue {queue}")
        self.reranker = reranker
        self.queue = queue
        self.grace = grace
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._numbers = count()
        self._waiting: deque[Ticket] = deque()
        self._cancelled: deque[Ticket] = deque()
        self._open: dict[Ticket, None] = {}
        self._closing = False
        self._end_by: float | None = None
        self._fault: BaseException | None = None
        self._pool = Workers(reranker.workers) if reranker.workers else None
        self._driver: Driver[Reranked] = Driver(reranker.policy, pool=self._pool, clock=reranker.clock)
        self._driver.hold()
        self._serving = True
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
            Overloaded: the queue is full; ask again later.
            EngineClosed: the engine is closed, or its policy broke.
        """
        check_hits(query, hits)
        started = self.reranker.clock()
        ask = Ask(query=query, hits=tuple(hits), budget=budget, watch=watch, started=started)
        with self._changed:
            if self._closing or self._fault is not None:
                raise EngineClosed("the engine is closed and takes no queries; open another") from self._fault
            if len(self._open) >= self.queue:
                raise Overloaded(f"{self.queue} queries are worked on or wait already; ask again later")
            ticket = Ticket(ask, next(self._numbers), deadline=self._deadline(ask, started), cancel=self.cancel)
            self._open[ticket] = None
            self._waiting.append(ticket)
        self._nudge()
        return ticket

    def _deadline(self, ask: Ask, started: float) -> float | None:
        seconds = (ask.budget or self.reranker.config.budget).seconds
        return None if seconds is None else started + seconds

    def cancel(self, ticket: Ticket) -> None:
        """End a ticket's query early; see `Ticket.cancel`."""
        with self._changed:
            if ticket not in self._open or ticket.cancelled:
                return
            ticket.cancelled = True
            self._cancelled.append(ticket)
        self._nudge()

    def close(self, *, within: float) -> None:
        """Take no more queries, let those that run end, and give policy and threads back.

        On the engine's own thread, as in a watcher, it returns at once and all of this follows.

        Args:
            within: seconds after which what still runs is cancelled; it ends with the best order so far. What does
                not end within `grace` seconds even so, because the policy hangs, ends with the order given; policy
                and thread are then never given back.
        """
        with self._changed:
            self._closing = True
            end_by = time.monotonic() + within
            self._end_by = end_by if self._end_by is None else min(self._end_by, end_by)
        self._nudge()
        if threading.current_thread() is self._thread:
            return
        self._thread.join(within + self.grace)
        if self._thread.is_alive():
            self._end_all()

    def _nudge(self) -> None:
        """Bring the engine's thread back from wherever it waits; never a policy that was given back."""
        with self._changed:
            self._changed.notify_all()
            if self._serving:
                self._driver.wake()

    def _run(self) -> None:
        try:
            with self._pool or nullcontext():
                self._serve(self._driver)
        except BaseException as error:  # noqa: BLE001 - handed to everybody who waits
            self._fault = error
        finally:
            self._end_all()

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
            with self._changed:
                self._serving = False
            driver.close()

    def _take(self, driver: Driver[Reranked]) -> None:
        """End what was cancelled or came too late, and start what waits while the policy has room."""
        now = self.reranker.clock()
        if self._end_by is not None and time.monotonic() >= self._end_by:
            for ticket in [*self._open]:
                self.cancel(ticket)
        with self._changed:
            cancelled, self._cancelled = self._cancelled, deque()
            over = [ticket for ticket in self._waiting if ticket.cancelled or ticket.late(now)]
            self._waiting = deque(ticket for ticket in self._waiting if ticket not in over)
        for ticket in over:
            self._finish(ticket, ticket.as_given(self.reranker), None)
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
        try:
            ticket.seat = driver.start(
                self.reranker.running(ticket.ask, name=f"{ticket.number}/{qid}", stream=qid),
                lambda result: self._finish(ticket, result, None),
                lambda error: self._finish(ticket, None, error),
            )
        except Exception as error:  # noqa: BLE001 - this query's alone
            self._finish(ticket, None, error)

    def _patience(self) -> float | None:
        """Return the seconds until a query that waits comes too late or all are cancelled; None when none does."""
        with self._changed:
            deadlines = [ticket.deadline for ticket in self._waiting if ticket.deadline is not None]
            closing = self._end_by is not None and any(not ticket.cancelled for ticket in self._open)
        waits = [min(deadlines) - self.reranker.clock()] if deadlines else []
        if closing and self._end_by is not None:
            waits.append(self._end_by - time.monotonic())
        return max(0.0, min(waits)) if waits else None

    def _finish(self, ticket: Ticket, result: Reranked | None, error: BaseException | None) -> None:
        """Set what came of a query, once: a thread that was given up on may come back with another result."""
        with self._changed:
            if ticket not in self._open:
                return
            del self._open[ticket]
        if error is not None:
            ticket.future.set_exception(error)
        elif result is not None:
            ticket.future.set_result(result)

    def _end_all(self) -> None:
        """End every ticket that has no result: nobody may wait for ever."""
        with self._changed:
            self._closing = True
            left = [*self._open]
            self._waiting.clear()
        for ticket in left:
            ticket.cancelled = True
            self._finish(ticket, None if self._fault else ticket.as_given(self.reranker), self._fault)

"""Tickets: what a caller of an engine holds of a query, from any thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from .budget import Limit
from .reranked import Ended, Reranked, reranked
from .reranker import Ask, Reranker
from .seats import Seat


class Ticket:
    """One query that was submitted.

    Args:
        ask: the query; its `started` is when it was submitted.
        number: its number in the engine.
        deadline: seconds on the reranker's clock when its time is used up; None is never.
        cancel: ends the query of a ticket early.
    """

    def __init__(self, ask: Ask, number: int, *, deadline: float | None, cancel: Callable[[Ticket], None]) -> None:
        self.ask = ask
        self.number = number
        self.deadline = deadline
        self.seat: Seat[Reranked] | None = None
        self.cancelled = False
        self.future: Future[Reranked] = _Coming(self.cancel)
        """The result to come, also for `asyncio.wrap_future`. Cancelling it, as a caller that gives up waiting does,
        ends the query early as `cancel` does; the future itself still gets the result."""
        self._cancel = cancel

    def result(self, timeout: float | None = None) -> Reranked:
        """Wait for the result; one that was cancelled holds the best order so far and says so.

        Raises:
            TimeoutError: `timeout` seconds passed; the query goes on.
            Exception: an error of this query's watcher, pictures or configuration, or what broke the policy and so
                ended the engine.
        """
        return self.future.result(timeout)

    def cancel(self) -> None:
        """End the query early; its result is the best order so far, marked. One that has ended is ignored."""
        self._cancel(self)

    def late(self, now: float) -> bool:
        """Say whether its time is used up."""
        return self.deadline is not None and now >= self.deadline

    def as_given(self, reranker: Reranker) -> Reranked:
        """Return the result of a query no window of which is known when it ends: the order given, marked."""
        ended, reached = (Ended.CANCELLED, ()) if self.cancelled else (Ended.DEADLINE, (Limit.SECONDS,))
        return reranked(self.ask.query, self.ask.hits, reranker.config.planner, {}, ended=ended, reached=reached)

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.future.done()


class _Coming(Future[Reranked]):
    """A result that comes in any case, so that nobody who stops waiting can take it from whoever sets it."""

    def __init__(self, end_early: Callable[[], None]) -> None:
        super().__init__()
        self._end_early = end_early
        self.set_running_or_notify_cancel()

    def cancel(self) -> bool:
        """End the query early; returns False, as the result still comes."""
        if not self.done():
            self._end_early()
        return False

"""What one session is about: a query, and a window of its candidates in the order shown."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Candidate, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStep:
    """Which window of a query's reranking a session works on."""

    schedule: str
    """Name and parameters of the schedule, as in `reference(50,20,10)`."""
    index: int
    """Windows done before this one, from 0."""
    start: int
    """First position of the window in the current order, from 0."""
    stop: int
    """One past the window's last position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """One window to rank."""

    session: str
    """Unique name of the session."""
    query: Query
    """What is asked."""
    candidates: tuple[Candidate, ...]
    """The window's candidates in the order shown; number k of the prompt is `candidates[k - 1]`."""
    step: ScheduleStep
    """Where the window stands in its schedule."""

    def __post_init__(self) -> None:
        """Refuse an empty window and repeated ids with ValueError."""
        dids = [candidate.did for candidate in self.candidates]
        if not dids:
            raise ValueError(f"session {self.session}: a window needs at least one candidate")
        if len(set(dids)) < len(dids):
            raise ValueError(f"session {self.session}: a candidate stands in the window twice")

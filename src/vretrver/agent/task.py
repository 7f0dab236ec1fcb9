"""What one session is about: a query, and a window of its candidates in the order shown."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Candidate, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStep:
    """Which window of a query's reranking a session works on."""

    plan: str
    """Name and parameters of the plan, as in `reference(50,20,10)`."""
    index: int
    """Number of the window in its plan, from 0."""
    round: int
    """Windows of one round do not depend on one another; from 0."""
    places: tuple[int, ...]
    """The places, from 0, that the window's candidates had in the order when it became due; as shown."""
    turns: int | None = None
    """Most turns the plan gave the window before its answer was forced; None is the dialect's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """One window to rank."""

    session: str
    """Name of the session, unique among those that run."""
    query: Query
    """What is asked."""
    candidates: tuple[Candidate, ...]
    """The window's candidates in the order shown; number k of the prompt is `candidates[k - 1]`."""
    step: WindowStep
    """The window's place in its plan."""
    stream: str = ""
    """Name of the random stream its turns are drawn from; empty is the session's name."""
    turns: int | None = None
    """Most turns before the answer is forced, at most the dialect's; 0 asks for it at once, None is the dialect's."""

    def __post_init__(self) -> None:
        """Refuse an empty window and repeated ids with ValueError."""
        dids = [candidate.did for candidate in self.candidates]
        if not dids:
            raise ValueError(f"session {self.session}: a window needs at least one candidate")
        if len(set(dids)) < len(dids):
            raise ValueError(f"session {self.session}: a candidate appears twice in the window")

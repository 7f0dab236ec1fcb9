"""What became of a query: a pure view of its windows, the same whether they ran just now or are read from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import ConfigDict

from ..errors import DataError
from ..records import Hit, Query
from .answers import Verdict
from .budget import Limit
from .plans import Outcome, Plan, Planner, Window
from .trajectory import SCHEMA, STORED, StopReason, Trajectory

_OUTSIDE = {StopReason.DEADLINE, StopReason.CANCELLED}


class Ended(StrEnum):
    """Why the reranking of a query ended."""

    COMPLETE = "complete"
    """The plan has no further windows, or the places that were wanted are settled."""
    BUDGET = "budget"
    """A budget was used up; the order is the best so far."""
    DEADLINE = "deadline"
    """The time was used up; the order is the best so far."""
    CANCELLED = "cancelled"
    """The caller cancelled it; the order is the best so far."""
    UNFINISHED = "unfinished"
    """Only some of its windows are kept, because the run was stopped before its end; the order is the best so far."""


_PASSING = {Ended.DEADLINE, Ended.CANCELLED, Ended.UNFINISHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One candidate at its final place."""

    did: str
    """The candidate."""
    rank: int
    """Place, from 1."""
    score: float
    """Higher is better, strictly decreasing over a ranking; comparable within one query only."""
    coarse_rank: int
    """Place before, from 1."""
    scored_by: str = "rank"
    """What the score is made of; `rank` is 1 / rank."""
    probability: float | None = None
    """Probability that the candidate is relevant; None without a calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """What became of one query: the order, and the record of every window that led to it."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    query: Query
    """What was asked."""
    hits: tuple[Hit, ...]
    """The candidates as given, best first."""
    ranking: tuple[Ranked, ...]
    """All candidates, best first; a window that failed left its candidates in the order they had."""
    trajectories: tuple[Trajectory, ...]
    """One per window, by the number of the window in its plan."""
    seconds: float = 0.0
    """From the first request to the last completion."""
    ended: Ended = Ended.COMPLETE
    """Why it ended."""
    reached: tuple[Limit, ...] = ()
    """Limits of the budget that something was refused or ended for."""
    schema: Literal[2] = SCHEMA
    """Version of this record and of its trajectories."""

    def __post_init__(self) -> None:
        """Refuse a ranking that is not an order of the hits with ValueError; every reader relies on this."""
        dids = [hit.candidate.did for hit in self.hits]
        if len(set(dids)) < len(dids) or sorted(ranked.did for ranked in self.ranking) != sorted(dids):
            raise ValueError(f"the ranking is not an order of the {len(dids)} hits")

    @property
    def failed(self) -> tuple[Trajectory, ...]:
        """The windows without a usable answer; the order of their candidates is not confirmed."""
        return tuple(trajectory for trajectory in self.trajectories if trajectory.ranking is None)

    @property
    def verdict(self) -> Verdict:
        """What the last round with an answer came to, in which the best of those before met.

        RANKED where a window of it found something, NOTHING_FITS where none did, FAILED where no window at all was
        answered. Windows that failed or did not run say nothing: `failed` and `ended` mark them.
        """
        answered = [one for one in self.trajectories if one.verdict is not Verdict.FAILED]
        last = max((one.step.round for one in answered), default=0)
        verdicts = {one.verdict for one in answered if one.step.round == last}
        if Verdict.RANKED in verdicts:
            return Verdict.RANKED
        return Verdict.NOTHING_FITS if verdicts else Verdict.FAILED

    @property
    def interrupted(self) -> bool:
        """Whether it ended for a reason outside the agent that may pass, so that asking again may come to more.

        What a budget of turns, looks or tokens ended comes to the same when it is asked again with that budget.
        """
        return self.ended in _PASSING or any(interrupted(one) for one in self.trajectories)


def interrupted(trajectory: Trajectory) -> bool:
    """Say whether a window ended for a reason outside the agent that may pass; such a window is never kept."""
    failure = trajectory.failure
    broken = trajectory.stop is StopReason.POLICY_ERROR and (failure is None or failure.may_pass)
    return broken or trajectory.stop in _OUTSIDE


def outcome_of(trajectory: Trajectory) -> Outcome:
    """Return what a plan is told of a window."""
    if trajectory.ranking is None:
        return Outcome(verdict=trajectory.verdict)
    place = {did: index for index, did in enumerate(trajectory.candidates)}
    return Outcome(verdict=trajectory.verdict, order=tuple(place[did] for did in trajectory.ranking))


def reranked(
    query: Query,
    hits: Sequence[Hit],
    planner: Planner,
    windows: Mapping[int, Trajectory],
    *,
    seconds: float = 0.0,
    ended: Ended = Ended.COMPLETE,
    reached: tuple[Limit, ...] = (),
) -> Reranked:
    """Return what a query's windows come to.

    Args:
        query: what was asked.
        hits: its candidates, best first.
        planner: made the plan.
        windows: number of the window -> its record; those that did not run are left out.
        seconds: what it took.
        ended: why it ended.
        reached: limits of the budget that were reached.

    Raises:
        DataError: there are no hits, a candidate appears twice, or a window is of other candidates than the plan's.
    """
    check_hits(query, hits)
    plan = planner.plan(len(hits))
    while due := plan.due():
        for window in due:
            if window.index in windows:
                _tell(plan, window, windows[window.index], hits)
    return Reranked(
        query=query,
        hits=tuple(hits),
        ranking=_ranked(hits, plan.order),
        trajectories=tuple(windows[index] for index in sorted(windows)),
        seconds=seconds,
        ended=ended,
        reached=reached,
    )


def check_hits(query: Query, hits: Sequence[Hit]) -> None:
    """Raise DataError when a query has no candidates, or one of them twice."""
    if not hits:
        raise DataError(f"query {query.qid} has no candidates to rerank; give at least one")
    twice = [did for did, times in Counter(hit.candidate.did for hit in hits).items() if times > 1]
    if twice:
        raise DataError(f"query {query.qid}: candidate {twice[0]} appears twice in its list; leave one out")


def _tell(plan: Plan, window: Window, trajectory: Trajectory, hits: Sequence[Hit]) -> None:
    dids = tuple(hits[place].candidate.did for place in window.candidates)
    if trajectory.candidates != dids:
        raise DataError(f"session {trajectory.session}: window {window.index} of the plan has other candidates")
    plan.told(window, outcome_of(trajectory))


def _ranked(hits: Sequence[Hit], order: Sequence[int]) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(did=hits[place].candidate.did, rank=rank, score=1.0 / rank, coarse_rank=place + 1)
        for rank, place in enumerate(order, start=1)
    )

"""Which queries have windows without a usable answer, why, and whether that is accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from ..agent.trajectory import STOPS, Trajectory
from ..errors import PolicyError


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedQuery:
    """A query of which a window gave no usable answer: there the order is the one given, not confirmed."""

    qid: str
    """The query."""
    windows: int
    """Windows without a usable answer."""
    of: int
    """Windows in all."""
    why: str
    """What became of the first of them."""
    unranked: bool
    """Whether no window at all was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReport:
    """The failed queries among those that were ranked."""

    queries: tuple[FailedQuery, ...]
    """The failed ones."""
    of: int
    """Queries in all."""
    reasons: tuple[tuple[str, int], ...] = ()
    """(what became of it, windows) of the windows that failed, the most frequent first."""

    @property
    def nothing_ranked(self) -> bool:
        """Whether there were queries, and of none a window was answered."""
        return self.of > 0 and sum(query.unranked for query in self.queries) == self.of

    @property
    def sentence(self) -> str:
        """What to tell a person; empty where nothing failed."""
        if not self.queries:
            return ""
        first = self.queries[0]
        often = ""
        if len(self.reasons) > 1:
            reason, windows = self.reasons[0]
            often = f"; most often, in {windows} of {sum(count for _, count in self.reasons)} windows: {reason}"
        return (
            f"queries with windows that gave no answer: {len(self.queries)} of {self.of}, {first.qid} among them "
            f"({first.windows} of its {first.of} windows: {first.why}){often}; there the order is the one given, "
            "not confirmed"
        )


def failures_of(finished: Iterable[Reranked]) -> FailureReport:
    """Return which queries failed."""
    failed: list[FailedQuery] = []
    everything = list(finished)
    for reranked in everything:
        windows = reranked.failed
        unranked = reranked.verdict is Verdict.FAILED
        if windows or unranked:
            reason = why(windows[0]) if windows else f"it ended before any window ({reranked.ended})"
            failed.append(
                FailedQuery(
                    qid=reranked.query.qid,
                    windows=len(windows),
                    of=len(reranked.trajectories),
                    why=reason,
                    unranked=unranked,
                )
            )
    reasons = Counter(why(window) for reranked in everything for window in reranked.failed)
    return FailureReport(queries=tuple(failed), of=len(everything), reasons=tuple(reasons.most_common()))


def why(trajectory: Trajectory) -> str:
    """Return why a window gave no usable answer, in words without a full stop: what failed, else how it stopped."""
    if trajectory.failure is not None:
        return " ".join(trajectory.failure.words.split())
    said = STOPS[trajectory.stop].removesuffix(".")
    return said[0].lower() + said[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How many failed queries are accepted. That no query was ranked at all never is."""

    most: int | None
    """Queries that may have a failed window; None is any number."""

    def check(self, report: FailureReport) -> None:
        """Raise PolicyError when more failed than is accepted."""
        if report.nothing_ranked:
            raise PolicyError(f"no query was ranked ({report.queries[0].why})")
        if self.most is not None and len(report.queries) > self.most:
            raise PolicyError(f"{report.sentence}; at most {self.most} are accepted")


REFUSE = Failures(most=0)
"""Accept no failed query."""

ANY = Failures(most=None)
"""Accept failed queries as long as one was ranked."""


def allow(most: int) -> Failures:
    """Accept up to so many failed queries."""
    return Failures(most=most)

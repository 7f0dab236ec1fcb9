"""Which queries of a demonstration its report shows, and the sentences that say how they were chosen.

Some whose first place changed after looks and is right, and some that are wrong: a page of successes alone would show
that the pictures were chosen, not what the agent does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ...agent.reranked import Reranked
from ...report.known import Mark, mark_of

RIGHT, WRONG = 6, 2
"""Most queries shown that are right, and that are wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Queries of a report."""

    shown: tuple[Reranked, ...]
    """The right ones, then the wrong ones, each in the order they were asked."""
    lead: tuple[str, ...]
    """How many are right, and how these were chosen."""


def chosen(reranked: Sequence[Reranked], wanted: Mapping[str, Collection[str]]) -> Choice:
    """Choose the queries of a report.

    Args:
        reranked: all queries, in the order they were asked; at least one.
        wanted: qid -> dids that are right, for every query.
    """
    marks = [(one, mark_of(one, wanted)) for one in reranked]
    right = [one for one, mark in marks if mark is Mark.RIGHT]
    wrong = [one for one, mark in marks if mark is not Mark.RIGHT]
    turned = [one for one in right if one.ranking[0].coarse_rank > 1 and any(t.looks for t in one.trajectories)]
    good, bad = _spread(turned or right, RIGHT), _spread(wrong, WRONG)
    before = sum(one.hits[0].candidate.did in wanted[one.query.qid] for one in reranked)
    counts = f"{len(right):,} of {len(reranked):,} first places are right; {before:,} were before the agent ranked."
    kind = "that are right and changed their first place after looks" if turned else "that are right"
    failures = f"{len(bad)} of the {len(wrong):,} that are wrong" if bad else "none that is wrong, as there is none"
    how = (
        f"Shown: {len(good)} of the {len(turned or right):,} {kind}, and {failures}; "
        "at even distances in the order they were asked."
    )
    return Choice(shown=(*good, *bad), lead=(counts, how))


def _spread(among: Sequence[Reranked], most: int) -> tuple[Reranked, ...]:
    """Return at most so many at even distances."""
    return tuple(among[:: max(len(among) // most, 1)][:most])

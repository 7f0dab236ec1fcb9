"""Whether a query's first place is right, where that is known from judgements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from .words import Names

WantedIds = Mapping[str, Collection[str]]
"""Query id -> ids of the items that are right; a query without an entry is not judged."""

NOTHING_KNOWN: WantedIds = {}
"""No query is judged, as in a search of one's own."""


class Mark(StrEnum):
    """What the judgements say of a query's result."""

    RIGHT = "right"
    """The first place is one of the right items; or nothing fits, and none of them was among the candidates."""
    WRONG = "wrong"
    """Anything else that was answered."""


def mark_of(reranked: Reranked, wanted: WantedIds) -> Mark | None:
    """Return whether a result is right; None where that is not known, and where no window was answered."""
    right = wanted.get(reranked.query.qid)
    if right is None or reranked.verdict is Verdict.FAILED:
        return None
    if reranked.verdict is Verdict.NOTHING_FITS:
        return Mark.WRONG if any(ranked.did in right for ranked in reranked.ranking) else Mark.RIGHT
    return Mark.RIGHT if reranked.ranking[0].did in right else Mark.WRONG


def verdict_on(reranked: Reranked, wanted: WantedIds, names: Names) -> str | None:
    """Return the sentence on a result that is right or wrong, or None where that is not known."""
    mark = mark_of(reranked, wanted)
    if mark is None:
        return None
    if mark is Mark.RIGHT:
        none = reranked.verdict is Verdict.NOTHING_FITS
        return "Right: no candidate is what was asked for." if none else "Right: this is what was asked for."
    right = wanted[reranked.query.qid]
    best = next((ranked for ranked in reranked.ranking if ranked.did in right), None)
    if best is None:
        return "Wrong: what was asked for is not among the candidates."
    if best.rank == 1:
        return "Wrong: the first candidate is what was asked for."
    return f"Wrong: {names.full(best.did)} was asked for; it is at place {best.rank}."

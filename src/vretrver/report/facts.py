"""What became of each fact of a query on each candidate, and which fact told the first place from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from ..records import ImageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class FactShown:
    """What became of one fact on one candidate."""

    kind: str
    """date, amount, number, code, quoted, name or word."""
    wanted: str
    """The fact as the query has it."""
    finding: Literal["yes", "no", "unseen"]
    """Whether it stands there, another one stands in its place, or neither."""
    text: str = ""
    """What stands there; empty where nothing does."""
    image: ImageRef | None = None
    """The picture it stands on, with its size; None in the candidate's own text."""
    box: tuple[int, int, int, int] | None = None
    """[left, top, right, bottom] in pixels of the upright original."""
    unsure: bool = False
    """Whether the reading is in doubt."""


FactsByDid = Mapping[str, Sequence[FactShown]]
"""did -> one for each fact of the query, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidingFact:
    """The fact that tells the first place from others, or speaks against it where nothing fits."""

    did: str
    """The candidate at the first place."""
    fact: FactShown
    """What stands there."""
    other: str | None = None
    """The best candidate that lacks it; None where none does, or nothing fits."""
    instead: FactShown | None = None
    """What stands there in its place."""


def facts_that_count(facts: FactsByDid) -> list[int]:
    """Return the places of the facts that a table tells: all but mere words, or these where there is nothing else."""
    row = next(iter(facts.values()), ())
    return [place for place, one in enumerate(row) if one.kind != "word"] or [*range(len(row))]


def deciding_fact(reranked: Reranked, facts: FactsByDid) -> DecidingFact | None:
    """Return the fact found at the first place that most others lack; None where none is.

    Where nothing fits, the first fact that something else stands in place of.
    """
    rows = [(ranked.did, facts[ranked.did]) for ranked in reranked.ranking if ranked.did in facts]
    if not rows:
        return None
    (did, first), others = rows[0], rows[1:]
    wanted: Literal["yes", "no"] = "no" if reranked.verdict is Verdict.NOTHING_FITS else "yes"
    places = [place for place in facts_that_count(facts) if first[place].finding == wanted]
    if not places:
        return None
    if wanted == "no":
        return DecidingFact(did=did, fact=first[places[0]])

    def tells(place: int) -> tuple[bool, int]:
        """Say whether the second place lacks a fact, and how many others do."""
        lacking = [row[place].finding != "yes" for _, row in others]
        return lacking[:1] == [True], sum(lacking)

    best = max(places, key=tells)
    other, row = next(((one, row) for one, row in others if row[best].finding != "yes"), (None, None))
    return DecidingFact(did=did, fact=first[best], other=other, instead=None if row is None else row[best])

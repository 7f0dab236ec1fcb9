"""The verdicts of the policy `reader`, as the evidence report shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..agent.reranked import Reranked
    from ..records import ImageRef
    from ..report.facts import FactsByDid


def facts_of(queries: Iterable[Reranked]) -> dict[str, FactsByDid]:
    """Return qid -> what became of its facts on each candidate; queries that no reader ranked are left out."""
    from ..assembly.verdicts import verdicts_by_did
    from ..report.facts import FactShown

    facts: dict[str, FactsByDid] = {}
    for query in queries:
        pictures = _pictures(query)
        told = {
            did: tuple(
                FactShown(
                    kind=one["kind"],
                    wanted=one["wanted"],
                    finding=one["finding"],
                    text=one["text"],
                    image=pictures.get((did, one["picture"])),
                    box=None if one["box"] is None else tuple(one["box"]),
                    unsure=one["unsure"],
                )
                for one in verdicts
            )
            for did, verdicts in verdicts_by_did(query).items()
        }
        if told:
            facts[query.query.qid] = told
    return facts


def _pictures(query: Reranked) -> dict[tuple[str, int], ImageRef]:
    """Return (did, number of a picture from 1) -> the picture as it was read, with its size and hash."""
    return {
        (cut.did, cut.picture): cut.image
        for trajectory in query.trajectories
        for shown in trajectory.shown
        for cut in shown.cuts
        if cut.did is not None
    }

"""Rows of a ranking as readers of `CrossEncoder.rank` know them, with the evidence and the record behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, overload

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from ..agent.trajectory import PictureShown


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One look at a document."""

    box: tuple[int, int, int, int] | None
    """(left, top, right, bottom) in pixels of the upright original; None for the whole picture."""
    picture: int
    """The picture of the document, from 1."""


class RankedRow(TypedDict):
    """One document at its place."""

    corpus_id: int
    """Place of the document in the list that was given, from 0."""
    score: float
    """1 / rank; higher is better, comparable within one query only."""
    did: str
    """Id of the document in `Ranking.reranked`."""
    evidence: list[Evidence]
    """What the agent looked at, in order; empty where it decided without a look."""
    text: NotRequired[Any]
    """The document as given, when documents were asked for."""


@dataclass(frozen=True, slots=True)
class Ranking(Sequence[RankedRow]):
    """Rows, best first: a sequence that can be indexed and gone through like a list."""

    rows: tuple[RankedRow, ...]
    """The rows."""
    reranked: Reranked
    """The whole record: every window, turn and look."""

    @property
    def verdict(self) -> Verdict:
        """NOTHING_FITS where the agent says that nothing fits; FAILED where a budget ended it without an answer."""
        return self.reranked.verdict

    @overload
    def __getitem__(self, place: int) -> RankedRow: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[RankedRow, ...]: ...

    def __getitem__(self, place: int | slice) -> RankedRow | tuple[RankedRow, ...]:
        """Return a row, or some of them."""
        return self.rows[place]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[RankedRow]:
        """Yield the rows."""
        return iter(self.rows)


def ranking_of(reranked: Reranked, documents: Sequence[Any] | None, *, top_k: int | None) -> Ranking:
    """Return the rows of a query whose dids are places in the list of documents.

    Args:
        reranked: the record.
        documents: what rows hold under `text`; None leaves it out.
        top_k: most rows; None is all.
    """
    looks = evidence_of(reranked)
    rows: list[RankedRow] = []
    for ranked in reranked.ranking[:top_k]:
        number = int(ranked.did)
        row = RankedRow(corpus_id=number, score=ranked.score, did=ranked.did, evidence=looks.get(ranked.did, []))
        if documents is not None:
            row["text"] = documents[number]
        rows.append(row)
    return Ranking(tuple(rows), reranked)


def evidence_of(reranked: Reranked) -> dict[str, list[Evidence]]:
    """Return what was looked at by calls: did -> looks in order, the same region of a picture once."""
    found: dict[str, dict[Evidence, None]] = {}
    for trajectory in reranked.trajectories:
        for shown in trajectory.shown:
            refused = isinstance(shown, PictureShown) and shown.refused is not None
            if shown.turn is None or refused:
                continue
            for cut in shown.cuts:
                if cut.did is not None:
                    picture = 1 if isinstance(cut.address, int) else cut.address[1]
                    found.setdefault(cut.did, {})[Evidence(box=cut.box, picture=picture)] = None
    return {did: list(looks) for did, looks in found.items()}

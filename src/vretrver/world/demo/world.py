"""The world of the demonstration: the catalogue, its queries, what the coarse stage finds for them, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.mbeir import MbeirQuery, MbeirSet, open_mbeir
from ...geometry import Box
from ...images import ImageStore
from ...records import Candidate, Hit, Query
from ...retrieval.encoders import encoder_named
from ...retrieval.index import MemoryIndex
from ...retrieval.retriever import Retriever
from ...runs import Qrels
from ..draw.pose import FRAME
from ..draw.truth import load_evidence
from ..draw.write import write_catalogue
from ..oracle import DetailRegion, OracleTruth

TASKS = (0, 4, 7)
"""Task shapes shown: text to picture, picture to picture, picture and text to picture."""

DEPTH = 20
"""Candidates the coarse stage proposes; one window."""

Note = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWorld:
    """A catalogue that was searched."""

    directory: Path
    """Where it is."""
    images: ImageStore
    """Its pictures."""
    pairs: tuple[tuple[Query, tuple[Hit, ...]], ...]
    """Queries with what the coarse stage found, best first."""
    truth: OracleTruth
    """The judged positives, their twins, and where the details are."""
    encoder: str
    """Fingerprint of the coarse stage."""

    @property
    def coarse(self) -> dict[str, list[str]]:
        """Candidates of each query by id, as the coarse stage has them."""
        return {query.qid: [hit.candidate.did for hit in hits] for query, hits in self.pairs}

    @property
    def qrels(self) -> Qrels:
        """The judgements of the queries asked."""
        return Qrels(judged={qid: dict.fromkeys(dids, 1) for qid, dids in self.truth.relevant.items()})


def demo_world(
    out: Path,
    *,
    items: int,
    queries: int,
    seed: int,
    workers: int,
    encoder: str,
    progress: Callable[[str], Progress],
    note: Note,
) -> DemoWorld:
    """Draw a catalogue, or reuse an existing one, and search it.

    Args:
        out: folder for the catalogue.
        items: pictures in the pool; a multiple of 5.
        queries: most queries asked, spread over `TASKS`; a small catalogue has fewer.
        seed: seed of the catalogue.
        workers: processes that draw.
        encoder: name of the coarse stage's encoder.
        progress: returns a progress function for a piece of work.
        note: called with messages for a person.
    """
    directory = out / f"catalogue-{seed}-{items}"
    write_catalogue(directory, seed=seed, items=items, workers=workers, progress=progress("drawing"))
    images = ImageStore({"": directory})
    shares = [len(range(place, queries, len(TASKS))) for place in range(len(TASKS))]
    rows = [
        row
        for task, share in zip(TASKS, shares, strict=True)
        for row in list(_task(directory, task).queries())[:share]
    ]
    retriever = _retriever(directory, images, encoder, progress("encoding"), note)
    found = retriever.search([row.query for row in rows], DEPTH)
    return DemoWorld(
        directory=directory,
        images=images,
        pairs=tuple((row.query, tuple(hits)) for row, hits in zip(rows, found, strict=True)),
        truth=_truth(directory, rows),
        encoder=retriever.encoder.fingerprint,
    )


def _task(directory: Path, task: int) -> MbeirSet:
    return open_mbeir(directory, dataset="catalogue", task=task)


def _retriever(directory: Path, images: ImageStore, encoder: str, progress: Progress, note: Note) -> Retriever:
    """Return what searches the pool; the tasks share one pool of pictures, which is encoded once."""
    pool: dict[str, Candidate] = {}
    for task in TASKS:
        pool.update((candidate.did, candidate) for candidate in _task(directory, task).candidates())
    made = encoder_named(encoder, images)
    retriever = Retriever(made, MemoryIndex(dimension=made.dimension, fingerprint=made.fingerprint), pool.values())
    for refused in retriever.encode(progress=progress):
        note(f"left out: {refused.did}: {refused.reason}")
    return retriever


def _truth(directory: Path, rows: Sequence[MbeirQuery]) -> OracleTruth:
    evidence: Mapping[str, DetailRegion] = {
        path: DetailRegion(
            box=Box(left=e.box[0], top=e.box[1], right=e.box[2], bottom=e.box[3]), width=FRAME, height=FRAME
        )
        for path, e in load_evidence(directory / "evidence.jsonl").items()
    }
    return OracleTruth(
        relevant={row.query.qid: frozenset(row.positives) for row in rows},
        alike={row.query.qid: frozenset(row.positives + row.negatives) for row in rows},
        evidence=evidence,
    )

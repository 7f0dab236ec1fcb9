"""The demonstration: a drawn catalogue, the coarse stage over it, and the agent with and without its tools.

The agent's turns are written by the scripted oracle, which knows the answer but uses a detail only once it has looked
at it (`policies.oracle`); so the figures show what looking is worth here, not what a model can do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from .agent.bench import Views
from .agent.dialects.vretrver import vretrver
from .agent.reranker import AgentConfig, Reranked, Reranker
from .agent.schedule import ReferenceSchedule
from .data.catalogue.pose import FRAME
from .data.catalogue.truth import load_evidence
from .data.catalogue.write import write_catalogue
from .data.mbeir import MbeirQuery, open_mbeir
from .evaluation.evaluate import evaluate
from .geometry import Box, PixelBudget
from .images import ImageStore
from .policies.oracle import Evidence, Truth, oracle
from .records import Candidate, Hit, Query
from .report.html import write_report
from .retrieval.hash_encoder import HashEncoder
from .retrieval.index import MemoryIndex
from .retrieval.retriever import Retriever
from .runs import Qrels, Run

TASKS = (0, 4, 7)
"""Task shapes shown: text to picture, picture to picture, picture and text to picture."""

DEPTH = 20
"""Candidates the coarse stage proposes; one window."""

_THUMBNAIL = PixelBudget(tokens=9)

VIEWS = Views(query=_THUMBNAIL, candidate=_THUMBNAIL, select=PixelBudget(tokens=64), zoom=PixelBudget(tokens=16))
"""Sizes for the catalogue: 96 px thumbnails, where no detail can be seen, and 128 px regions at full scale."""

Note = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What a demonstration measured."""

    queries: int
    """Queries asked."""
    pool: int
    """Pictures searched."""
    seconds: float
    """Whole run, drawing included."""
    policy: str
    """What wrote the agent's turns."""
    coarse: Mapping[str, float]
    """hit@1 and hit@20 of the coarse stage."""
    agent: Mapping[str, float]
    """hit@1, mrr, and per query: executed calls, tokens (estimated), seconds."""
    agent_without_tools: Mapping[str, float]
    """hit@1 of the same policy when it may not look."""
    report: Path
    """The evidence report."""

    def to_json(self) -> dict[str, object]:
        """Return the result with plain values, in this order."""
        return {
            "queries": self.queries,
            "pool": self.pool,
            "seconds": round(self.seconds, 2),
            "policy": self.policy,
            "coarse": dict(self.coarse),
            "agent": dict(self.agent),
            "agent_without_tools": dict(self.agent_without_tools),
            "report": str(self.report),
        }


def run_demo(
    out: Path, *, items: int, queries: int, seed: int, workers: int, progress: Callable[[str], Progress], note: Note
) -> DemoResult:
    """Draw, search, rerank, measure and write the report.

    Args:
        out: folder for the catalogue and the report; a catalogue that is there is used again.
        items: pictures in the pool; a multiple of 5.
        queries: most queries asked, spread over `TASKS`; a small catalogue has fewer.
        seed: seed of the catalogue.
        workers: processes that draw.
        progress: returns a progress function for a piece of work.
        note: takes messages for a person.
    """
    started = time.monotonic()
    directory = out / f"catalogue-{seed}-{items}"
    write_catalogue(directory, seed=seed, items=items, workers=workers, progress=progress("drawing"))
    images = ImageStore({"": directory})
    shares = [len(range(place, queries, len(TASKS))) for place in range(len(TASKS))]
    asked = {task: _queries(directory, task, share) for task, share in zip(TASKS, shares, strict=True)}
    hits = _coarse(directory, asked, images, progress("encoding"), note)
    everything = [row for rows in asked.values() for row in rows]
    truth = _truth(directory, everything)
    pairs = [(row.query, hits[row.query.qid]) for row in everything]
    blind = _rerank(pairs, truth, images, tools=False, progress=progress("without tools"))
    looked = time.monotonic()
    looking = _rerank(pairs, truth, images, tools=True, progress=progress("with tools"))
    looked = time.monotonic() - looked
    relevant = Qrels(judged={qid: dict.fromkeys(dids, 1) for qid, dids in truth.relevant.items()})
    coarse_run = {qid: [hit.candidate.did for hit in row] for qid, row in hits.items()}
    result = DemoResult(
        queries=len(everything),
        pool=items,
        seconds=time.monotonic() - started,
        policy=looking[0].trajectories[0].policy,
        coarse=_scores(coarse_run, relevant, ("hit@1", "hit@20")),
        agent={**_scores(_orders(looking), relevant, ("hit@1", "mrr")), **_costs(looking, looked)},
        agent_without_tools=_scores(_orders(blind), relevant, ("hit@1",)),
        report=out / "report.html",
    )
    _report(result, looking, images)
    return result


def _queries(directory: Path, task: int, count: int) -> list[MbeirQuery]:
    return list(open_mbeir(directory, dataset="catalogue", task=task).queries())[:count]


def _coarse(
    directory: Path, asked: Mapping[int, Sequence[MbeirQuery]], images: ImageStore, progress: Progress, note: Note
) -> dict[str, list[Hit]]:
    """Return the hits per qid; the tasks share one pool of pictures, which is encoded once."""
    pool: dict[str, Candidate] = {}
    for task in asked:
        pool.update((c.did, c) for c in open_mbeir(directory, dataset="catalogue", task=task).candidates())
    encoder = HashEncoder(images)
    retriever = Retriever(
        encoder, MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint), pool.values()
    )
    for refused in retriever.encode(progress=progress):
        note(f"left out: {refused.did}: {refused.reason}")
    rows = [row for rows in asked.values() for row in rows]
    found = retriever.search([row.query for row in rows], DEPTH)
    return {row.query.qid: hits for row, hits in zip(rows, found, strict=True)}


def _truth(directory: Path, rows: Sequence[MbeirQuery]) -> Truth:
    """Return what the oracle knows: the judged positives, their twins, and where the details are."""
    evidence = {
        path: Evidence(
            box=Box(left=e.box[0], top=e.box[1], right=e.box[2], bottom=e.box[3]), width=FRAME, height=FRAME
        )
        for path, e in load_evidence(directory / "evidence.jsonl").items()
    }
    return Truth(
        relevant={row.query.qid: frozenset(row.positives) for row in rows},
        alike={row.query.qid: frozenset(row.positives + row.negatives) for row in rows},
        evidence=evidence,
    )


def _rerank(
    pairs: Sequence[tuple[Query, Sequence[Hit]]], truth: Truth, images: ImageStore, *, tools: bool, progress: Progress
) -> list[Reranked]:
    config = AgentConfig(dialect=vretrver(tools=tools), views=VIEWS, schedule=ReferenceSchedule(depth=DEPTH))
    reranker = Reranker(oracle(truth), images, config)
    done: list[Reranked] = []
    for reranked in reranker.rerank_many(pairs):
        done.append(reranked)
        progress(len(done), len(pairs))
    place = {query.qid: index for index, (query, _) in enumerate(pairs)}
    return sorted(done, key=lambda reranked: place[reranked.query.qid])


def _orders(done: Sequence[Reranked]) -> dict[str, list[str]]:
    return {reranked.query.qid: [ranked.did for ranked in reranked.ranking] for reranked in done}


def _scores(orders: Mapping[str, Sequence[str]], qrels: Qrels, metrics: Sequence[str]) -> dict[str, float]:
    means = evaluate(Run.from_order(tag="demo", order=orders), qrels, metrics).means
    return {name: round(value, 4) for name, value in means.items()}


def _costs(done: Sequence[Reranked], seconds: float) -> dict[str, float]:
    """Return means per query; all queries together took `seconds`."""
    return {
        "calls": round(fmean(sum(t.looks for t in r.trajectories) for r in done), 2),
        "tokens": round(fmean(sum(t.tokens for t in r.trajectories) for r in done), 1),
        "seconds": round(seconds / len(done), 4),
    }


def _report(result: DemoResult, looking: Sequence[Reranked], images: ImageStore) -> None:
    """Write the report over some of the queries that looking changed, of every task shape."""
    moved = [r for r in looking if r.ranking[0].coarse_rank > 1 and any(t.looks for t in r.trajectories)]
    shown = (moved or list(looking))[:: max(len(moved or looking) // 8, 1)][:8]
    summary = [
        ("policy", result.policy),
        ("queries", f"{result.queries}, pool {result.pool}"),
        ("coarse hit@1 / hit@20", f"{result.coarse['hit@1']:.3f} / {result.coarse['hit@20']:.3f}"),
        ("agent hit@1", f"{result.agent['hit@1']:.3f}"),
        ("agent without tools hit@1", f"{result.agent_without_tools['hit@1']:.3f}"),
    ]
    write_report(result.report, shown, images, title="vretrver demo: what looking changed", summary=summary)

"""Queries a second of a model folder over the drawn catalogue, at different numbers of sessions at once."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path

from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.plans import ReferencePlanner
from vretrver.agent.policy import Sampling
from vretrver.agent.reranker import Reranker
from vretrver.data.mbeir import open_mbeir
from vretrver.images import ImageStore
from vretrver.models.loading import load_model
from vretrver.policies.local.policy import LocalPolicy
from vretrver.records import Hit, Query
from vretrver.world.demo.world import DEPTH, TASKS
from vretrver.world.draw.write import write_catalogue
from vretrver.world.tiny.views import VIEWS

AT_ONCE = (1, 8, 64)
"""Sessions at once."""

ITEMS = 200
"""Pictures in the pool."""


def queries_a_second(folder: Path, *, queries: int, device: str = "cpu", seed: int = 4201) -> list[dict[str, object]]:
    """Rerank queries of an unseen catalogue and return, for each number of sessions at once, what it took.

    A single session is given an eighth of the queries, so that it does not take eight times as long.
    """
    model = load_model(folder, device=device)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as directory:
        pairs = _pairs(Path(directory), queries, seed)
        images = ImageStore({"": directory})
        config = AgentConfig(
            dialect=vretrver(), views=VIEWS, planner=ReferencePlanner(depth=DEPTH), sampling=Sampling()
        )
        for at_once in AT_ONCE:
            model.vision.forget()
            policy = LocalPolicy(model, in_flight=at_once)
            asked = pairs if at_once > 1 else pairs[: -(-queries // 8)]
            started = time.monotonic()
            done = list(Reranker(policy, images, config).rerank_many(asked))
            seconds = time.monotonic() - started
            windows = [window for reranked in done for window in reranked.trajectories]
            rows.append(
                {
                    "at_once": at_once,
                    "queries": len(done),
                    "seconds": round(seconds, 2),
                    "queries_a_second": round(len(done) / seconds, 3),
                    "looks_a_query": round(sum(window.looks for window in windows) / len(done), 2),
                    "tokens_written_a_second": round(
                        sum(turn.usage.completion_tokens for window in windows for turn in window.turns) / seconds, 1
                    ),
                    "ends": dict(Counter(str(window.stop) for window in windows)),
                }
            )
    return rows


def _pairs(directory: Path, count: int, seed: int) -> list[tuple[Query, list[Hit]]]:
    """Draw a catalogue and return queries, each with what answers it, its twins and others up to a window."""
    write_catalogue(directory, seed=seed, items=ITEMS, workers=1)
    pairs: list[tuple[Query, list[Hit]]] = []
    for task in TASKS:
        opened = open_mbeir(directory, dataset="catalogue", task=task)
        pool = {candidate.did: candidate for candidate in opened.candidates()}
        for row in list(opened.queries())[: -(-count // len(TASKS))]:
            first = [*row.positives, *row.negatives]
            dids = [*first, *(did for did in pool if did not in set(first))][:DEPTH]
            order = sorted(dids)
            hits = [Hit(candidate=pool[did], score=-float(place)) for place, did in enumerate(order)]
            pairs.append((row.query, hits))
    return pairs[:count]

"""What a plan costs and finds: policy rounds, turns, seconds and hit@1 of the shipped agent over 50 candidates.

Run as `python -m measure plans`; it writes measure/results/plans.json. A policy round is a turn that must wait for
the one before it: windows of one round of a plan go on side by side, so a query needs the most turns of each round's
windows, summed. The reference plan is compared with plans of blocks, on the same queries of a catalogue that neither
training nor any choice has seen. Some queries are run once more, alone, for their seconds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from measure.envelope import RESULTS, envelope, write_result
from measure.looks import ITEMS, SEED
from vretrver.agent.bench import Views
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.plans import BlocksPlanner, Planner, ReferencePlanner
from vretrver.agent.policy import Policy, Sampling
from vretrver.agent.reranked import Reranked
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import Trajectory
from vretrver.evaluation.intervals import bootstrap, wilson
from vretrver.images import Pictures
from vretrver.models.shipped import AGENT, ENCODER, shipped_folder
from vretrver.policies.local.policy import LocalPolicy
from vretrver.records import Hit, Query
from vretrver.training.computing import computing
from vretrver.world.gallery import draw_gallery
from vretrver.world.looks.config import LooksConfig
from vretrver.world.looks.world import LooksWorld
from vretrver.world.tiny.views import VIEWS

DEPTH, SIZE = 50, 20
"""Candidates reranked, and in a window."""

REFERENCE = ReferencePlanner(depth=DEPTH, size=SIZE, stride=10)
"""What the others are compared with."""

BLOCKS = ("50,20", "50,20,turns=0", "50,20,1", "50,20,2", "50,20,3", "50,20,4", "50,25", "50,25,4")
"""Plans of blocks, as depth, size, keep and turns. Without keep as many reach the last window as it holds: 6 of each
block of 20, 12 of each of 25; without turns a block has as many as the dialect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query to rerank."""

    query: Query
    """The query."""
    hits: tuple[Hit, ...]
    """Its candidates, best first; the right one is among them."""
    wanted: str
    """Id of the right candidate."""


def chain(windows: Sequence[Trajectory]) -> dict[int, int]:
    """Return round of the plan -> the most turns of one of its windows."""
    most: dict[int, int] = defaultdict(int)
    for window in windows:
        most[window.step.round] = max(most[window.step.round], len(window.turns))
    return most


def rounds(windows: Sequence[Trajectory]) -> int:
    """Return the policy rounds of a query: for each round of its plan the most turns of a window, summed."""
    return sum(chain(windows).values())


def blocks(numbers: str) -> BlocksPlanner:
    """Return the plan of blocks that `DEPTH,SIZE[,KEEP][,turns=N]` names; raises ValueError for other texts."""
    numbers, _, turns = numbers.partition(",turns=")
    depth, size, *keep = map(int, numbers.split(","))
    return BlocksPlanner(depth=depth, size=size, keep=keep[0] if keep else None, turns=int(turns) if turns else None)


def run_plan(
    policy: Policy, images: Pictures, views: Views, planner: Planner, asked: Sequence[Asked]
) -> list[Reranked]:
    """Rerank all queries together under a plan; returns them in the order asked."""
    reranker = Reranker(policy, images, _config(planner, views))
    done = {one.query.qid: one for one in reranker.rerank_many([(one.query, one.hits) for one in asked])}
    return [done[one.query.qid] for one in asked]


def seconds_alone(
    policy: Policy, images: Pictures, views: Views, planners: Sequence[Planner], asked: Sequence[Asked]
) -> dict[str, list[float]]:
    """Return plan -> seconds of each query, run alone; the plans take turns, so that a busy machine is shared."""
    rerankers = {planner.name: Reranker(policy, images, _config(planner, views)) for planner in planners}
    seconds: dict[str, list[float]] = {name: [] for name in rerankers}
    for one in asked:
        for name, reranker in rerankers.items():
            started = time.monotonic()
            reranker.rerank(one.query, one.hits)
            seconds[name].append(time.monotonic() - started)
    return seconds


def _config(planner: Planner, views: Views) -> AgentConfig:
    return AgentConfig(dialect=vretrver(), views=views, planner=planner, sampling=Sampling(max_tokens=512))


def figures(ran: Sequence[Reranked], asked: Sequence[Asked]) -> dict[str, Any]:
    """Return what queries came to under one plan, and what they cost, a query."""
    n = len(ran)
    hits = sum(_first(one, ask) for one, ask in zip(ran, asked, strict=True))
    windows = [window for one in ran for window in one.trajectories]
    chains = [chain(one.trajectories) for one in ran]
    last = max(number for one in chains for number in one)
    return {
        "queries": n,
        "hit@1": [round(value, 4) for value in (hits / n, *wilson(hits, n))],
        "policy_rounds": round(fmean(rounds(one.trajectories) for one in ran), 3),
        "most_turns_of_each_round": [round(fmean(one[number] for one in chains), 3) for number in range(last + 1)],
        "windows": round(len(windows) / n, 3),
        "turns": round(sum(len(window.turns) for window in windows) / n, 3),
        "looks": round(sum(window.looks for window in windows) / n, 3),
        "tokens": round(sum(window.tokens for window in windows) / n, 1),
        "failed_windows": sum(window.ranking is None for window in windows),
    }


def against(ran: Sequence[Reranked], reference: Sequence[Reranked], asked: Sequence[Asked]) -> dict[str, Any]:
    """Return how a plan differs from the reference on the same queries; intervals are of 95 %."""
    mine = [_first(one, ask) for one, ask in zip(ran, asked, strict=True)]
    theirs = [_first(one, ask) for one, ask in zip(reference, asked, strict=True)]
    gains = [float(a) - float(b) for a, b in zip(mine, theirs, strict=True)]
    low, high = bootstrap(gains, seed=0)
    shares = [rounds(a.trajectories) for a in ran], [rounds(b.trajectories) for b in reference]
    return {
        "hit@1_difference": [round(value, 4) for value in (fmean(gains), low, high)],
        "right_only_here": sum(gain > 0 for gain in gains),
        "right_only_in_the_reference": sum(gain < 0 for gain in gains),
        "policy_rounds_over_reference": round(sum(shares[0]) / sum(shares[1]), 3),
        "queries_with_half_the_rounds": sum(2 * a <= b for a, b in zip(*shares, strict=True)),
    }


def _first(reranked: Reranked, asked: Asked) -> bool:
    return reranked.ranking[0].did == asked.wanted


def compare(
    policy: Policy,
    images: Pictures,
    asked: Sequence[Asked],
    *,
    planners: Sequence[Planner],
    alone: int,
    views: Views = VIEWS,
) -> dict[str, dict[str, Any]]:
    """Return plan -> its figures, the first plan being what the others are compared with.

    Args:
        policy: writes the turns.
        images: where pictures are read.
        asked: queries.
        planners: plans.
        alone: queries that are run once more, alone, for their seconds.
        views: sizes of pictures.
    """
    ran: dict[str, list[Reranked]] = {}
    result: dict[str, dict[str, Any]] = {}
    reference = planners[0].name
    for planner in planners:
        started = time.monotonic()
        ran[planner.name] = run_plan(policy, images, views, planner, asked)
        together = {"seconds_a_query_together": round((time.monotonic() - started) / len(asked), 3)}
        result[planner.name] = {**figures(ran[planner.name], asked), **together}
        if planner.name != reference:
            result[planner.name]["against_reference"] = against(ran[planner.name], ran[reference], asked)
        print(planner.name, result[planner.name], flush=True)
    _add_seconds(result, seconds_alone(policy, images, views, planners, asked[:alone]), reference)
    return result


def _add_seconds(result: dict[str, dict[str, Any]], seconds: Mapping[str, Sequence[float]], reference: str) -> None:
    for name, spent in seconds.items():
        if spent:
            result[name]["seconds_alone_median"] = round(median(spent), 3)
            result[name]["seconds_alone_over_reference"] = round(sum(spent) / sum(seconds[reference]), 3)


def drawn_queries(world: LooksWorld, shapes: Sequence[int]) -> list[Asked]:
    """Return the queries of all task shapes, taking turns, with what the coarse stage found."""
    by_shape = []
    for task in shapes:
        pool = world.pairs.asked[task].candidates
        by_shape.append(
            [
                Asked(query=one.query, hits=tuple(world.hits(task, one.window(DEPTH))), wanted=pool[one.item].did)
                for one in world.asked(task)
            ]
        )
    return [one for together in zip(*by_shape, strict=True) for one in together]


def main() -> None:
    """Draw what is missing of the gallery, measure, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=25, help="of each task shape")
    parser.add_argument("--shapes", type=int, nargs="+", default=[0, 4, 7])
    parser.add_argument("--blocks", nargs="+", default=BLOCKS, help="DEPTH,SIZE[,KEEP][,turns=N] of plans of blocks")
    parser.add_argument("--items", type=int, default=ITEMS, help="of the catalogue; a multiple of 5")
    parser.add_argument("--gallery", type=Path, help="where the catalogue's pictures are kept; drawn where missing")
    parser.add_argument("--alone", type=int, default=6, help="queries that are timed alone")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of torch")
    parser.add_argument("--out", type=Path, default=RESULTS / "plans.json")
    options = parser.parse_args()
    agent, encoder = shipped_folder(AGENT), shipped_folder(ENCODER)
    with tempfile.TemporaryDirectory() as folder, computing(options.threads, subnormal=True):
        gallery = options.gallery or Path(folder) / "plans.gallery"
        gallery.parent.mkdir(parents=True, exist_ok=True)
        draw_gallery(gallery, seed=SEED, items=options.items, workers=os.cpu_count() or 1)
        config = LooksConfig(
            agent=Path(agent),
            encoder=f"lamra:{encoder}",
            gallery=gallery,
            queries=options.queries,
            shapes=tuple(options.shapes),
        )
        world = LooksWorld(config)
        policy = LocalPolicy.of_folder(agent, dtype="bfloat16", device="cpu", in_flight=64)
        asked = drawn_queries(world, options.shapes)
        planners = (REFERENCE, *map(blocks, options.blocks))
        measured = compare(policy, world.images, asked, planners=planners, alone=options.alone)
    settings = {
        "queries": len(asked),
        "shapes": options.shapes,
        "catalogue": {"seed": SEED, "items": options.items},
        "threads": options.threads,
        "policy": policy.fingerprint,
    }
    write_result(options.out, {**envelope("plans"), "settings": settings, "plans": measured})

"""One cell of the experiment: an arm over one window of each query, and its scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from ...agent.policy import Policy, Sampling
from ...agent.reranked import Reranked
from ...agent.trajectory import StopReason, Trajectory
from ...assembly.agent import assembled
from ...assembly.failures import why
from ...assembly.plans import ReferencePlan
from ...assembly.spec import AgentSpec
from ...errors import PolicyError
from ...evaluation.intervals import bootstrap, wilson
from .arms import Arm
from .audit import CAUSES, totals
from .world import AskedQuery, LooksWorld

PICTURE_ASKS = frozenset({3, 4, 6, 8})
"""Task shapes whose query's picture holds the detail that is asked for."""

TEXT_POOLS = frozenset({1, 3, 6})
"""Task shapes whose candidates are texts."""


def run_cell(
    arm: Arm,
    policy: Policy,
    world: LooksWorld,
    task: int,
    asked: Sequence[AskedQuery],
    size: int,
    seed: int,
) -> dict[str, Any]:
    """Rank one window of each query and return its scores; the coarse stage's misses count as misses end to end.

    Raises:
        PolicyError: a window ended for a reason outside the agent, such as too little memory; it is not counted as a
        miss.
    """
    spec = AgentSpec(
        plan=ReferencePlan(depth=size, size=size, stride=size),
        sampling=Sampling(max_tokens=512),
        complete_answers=arm.complete,
        workers=0,  # which sessions share a batch must not depend on timing, or ties turn in bfloat16
    )
    agent = assembled(spec, policy, world.images, dialect=arm.dialect, views=arm.views)
    started = time.monotonic()
    pairs = [(one.query, world.hits(task, one.window(size))) for one in asked]
    done = {reranked.query.qid: reranked for reranked in agent.rerank_many(pairs)}
    seconds = time.monotonic() - started
    ranked = [done[one.query.qid] for one in asked]
    _refuse_interrupted(ranked)
    return scores(ranked, asked, world, task, size, seconds, seed)


def _refuse_interrupted(ranked: Sequence[Reranked]) -> None:
    broken = next((reranked for reranked in ranked if reranked.interrupted), None)
    if broken is not None:
        raise PolicyError(
            f"query {broken.query.qid}: the policy failed ({why(broken.failed[0])}); fix that and run the "
            "command again; finished cells are kept"
        )


def scores(
    ranked: Sequence[Reranked],
    asked: Sequence[AskedQuery],
    world: LooksWorld,
    task: int,
    size: int,
    seconds: float,
    seed: int,
) -> dict[str, Any]:
    """Return the scores of one cell."""
    pool = world.pairs.asked[task].candidates
    ranks = [_rank(reranked, pool[one.item].did) for reranked, one in zip(ranked, asked, strict=True)]
    reciprocal = [1 / rank if rank else 0.0 for rank in ranks]
    found = [one.coarse_rank is not None and one.coarse_rank <= size for one in asked]
    end = [rank == 1 and there for rank, there in zip(ranks, found, strict=True)]
    end_mrr = [
        value if there else 1 / (one.coarse_rank or 1000)
        for value, there, one in zip(reciprocal, found, asked, strict=True)
    ]
    missed = [
        world.auditor.cause(
            reranked.trajectories[0],
            pool[one.item].did,
            asks_picture=task in PICTURE_ASKS,
            pictured=task not in TEXT_POOLS,
        )
        for reranked, one, rank in zip(ranked, asked, ranks, strict=True)
        if rank != 1
    ]
    n = len(ranks)
    return {
        "queries": n,
        "guess": round(fmean(world.guess(task, one.item, one.window(size)) for one in asked), 4),
        "hit@1": _interval(sum(rank == 1 for rank in ranks), n),
        "mrr": _mean(reciprocal, seed),
        "end_to_end_hit@1": _interval(sum(end), n),
        "end_to_end_mrr": _mean(end_mrr, seed),
        **_conduct([reranked.trajectories[0] for reranked in ranked], world),
        "missed_because": {cause: missed.count(cause) for cause in CAUSES},
        "seconds": round(seconds / n, 4),
    }


def _conduct(trajectories: Sequence[Trajectory], world: LooksWorld) -> dict[str, Any]:
    """Return means per query: keeping to the protocol, quality of looks, cost."""
    valid = [t.stop is StopReason.ANSWERED and not t.repairs.any for t in trajectories]
    return {
        "format_valid": round(fmean(valid), 4),
        "forced": round(fmean(t.forced for t in trajectories), 4),
        **totals([world.auditor.audit(t) for t in trajectories]),
        "looks": round(fmean(t.looks for t in trajectories), 3),
        "visual_tokens": round(fmean(t.visual_tokens for t in trajectories), 1),
        "tokens": round(fmean(t.tokens for t in trajectories), 1),
    }


def _rank(reranked: Reranked, did: str) -> int | None:
    """Return the place of a candidate from 1; None where the window failed and nothing was ranked."""
    if reranked.failed:
        return None
    return next(ranked.rank for ranked in reranked.ranking if ranked.did == did)


def _interval(hits: int, n: int) -> list[float]:
    low, high = wilson(hits, n)
    return [round(hits / n, 4), round(low, 4), round(high, 4)]


def _mean(values: Sequence[float], seed: int) -> list[float]:
    low, high = bootstrap(values, seed=seed, draws=2000)
    return [round(fmean(values), 4), round(low, 4), round(high, 4)]

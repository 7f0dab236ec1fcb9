"""Shows that an engine serves callers as if each were alone, and that nothing is left behind.

Run as `python -m measure engine_soak`; it writes measure/results/engine_soak.json and ends with status 1 when a
promise was broken. Two threads submit queries, some of them cancelled on the way and some given too little time;
every other result must be that of the same query alone. It is done over a scripted policy and over a model of random
weights; then thousands of queries show whether conversations, threads, files or memory are left behind.
"""

from __future__ import annotations

import argparse
import queue
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from measure.agent_world import World, draw_world
from measure.envelope import RESULTS, envelope, write_result
from measure.held import held
from measure.local_policy_world import build_model
from measure.mutations import valid_reply
from measure.paced_policy import PacedPolicy
from measure.tally import Tally
from vretrver.agent.bench import Views
from vretrver.agent.budget import Budget
from vretrver.agent.config import AgentConfig
from vretrver.agent.engine import Engine
from vretrver.agent.events import Event, TurnEnded, ignore
from vretrver.agent.plans import BlocksPlanner
from vretrver.agent.policy import PolicyLimits, Sampling
from vretrver.agent.reranked import Ended, Reranked
from vretrver.agent.reranker import Reranker
from vretrver.agent.tickets import Ticket
from vretrver.errors import Overloaded
from vretrver.geometry import PixelBudget
from vretrver.policies.conversations import TURNS
from vretrver.policies.local.policy import LocalPolicy
from vretrver.policies.scripted import Moment, first_k
from vretrver.prng import Stream
from vretrver.records import Query
from vretrver.training.computing import computing
from vretrver.world.tiny.config import TinySize

CALLERS = 2
"""Threads that submit; each asks queries of the same ids as the other."""

TIMES = (0.0, 0.2, 0.5)
"""What late queries are given, as shares of what one takes alone."""

ONE_CELL = PixelBudget(cell=32, tokens=1)
SHOWN = Views(query=ONE_CELL, candidate=ONE_CELL, select=ONE_CELL, zoom=ONE_CELL, text_chars=200)
"""Pictures as small as the model takes them."""

MOST_GROWTH_MB = 16
"""Memory may grow by so much over thousands of queries."""

SMALL = TinySize(
    hidden=64,
    layers=2,
    heads=4,
    inner=96,
    vision_hidden=32,
    vision_layers=2,
    vision_heads=2,
    vision_inner=48,
    deepstack=(0,),
    positions=16,
)
"""A model of random weights that costs little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How an engine is used."""

    queries: int
    """Queries in all."""
    disturbed: int
    """So many of them are cancelled after their first turn, and as many are given too little time."""
    queue: int = 8
    """Queries that are worked on or wait at once."""

    def kind(self, number: int) -> str:
        """Return whether a query is cancelled, late or whole; all are spread over the run."""
        period = self.queries // self.disturbed
        if number // period >= self.disturbed:
            return "whole"
        return {0: "cancelled", period // 2: "late"}.get(number % period, "whole")


class Callers:
    """Threads that submit a load to one engine, with one more that cancels.

    Args:
        reranker: what the engine serves with.
        world: what is asked.
        load: how many queries.
        alone: seconds that a query takes alone.
    """

    def __init__(self, reranker: Reranker, world: World, load: Load, alone: float) -> None:
        self.world, self.load, self.alone = world, load, alone
        self.engine = Engine(reranker, queue=load.queue)
        self.tickets: dict[int, Ticket] = {}
        self._turned: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def results(self) -> dict[int, Reranked]:
        """Submit everything, wait for all results and close the engine; number of the query -> its result."""
        callers = [threading.Thread(target=self._submit, args=(first,)) for first in range(CALLERS)]
        canceller = threading.Thread(target=self._cancel)
        for thread in (*callers, canceller):
            thread.start()
        for caller in callers:
            caller.join()
        results = {number: ticket.result(600) for number, ticket in sorted(self.tickets.items())}
        self._turned.put(None)
        canceller.join()
        self.engine.close(within=10.0)
        return results

    def _submit(self, first: int) -> None:
        for number in range(first, self.load.queries, CALLERS):
            kind, asked = self.load.kind(number), query(self.world, number // CALLERS)
            budget = Budget(seconds=TIMES[number % len(TIMES)] * self.alone) if kind == "late" else None
            watch = self._watch(number) if kind == "cancelled" else ignore
            while number not in self.tickets:
                try:
                    self.tickets[number] = self.engine.submit(asked, self.world.hits, budget=budget, watch=watch)
                except Overloaded:
                    time.sleep(0.002)

    def _watch(self, number: int) -> Any:
        def watch(event: Event) -> None:
            if isinstance(event, TurnEnded):
                self._turned.put(number)

        return watch

    def _cancel(self) -> None:
        """Cancel each query that is to be cancelled once its first turn has ended."""
        while (number := self._turned.get()) is not None:
            while number not in self.tickets:
                time.sleep(0.001)
            self.tickets[number].cancel()


def soak(reranker: Reranker, alone: Reranker, world: World, load: Load) -> tuple[Tally, dict[str, Any]]:
    """Serve a load and compare every result with the one computed alone.

    Args:
        reranker: what the engine serves with; its policy is used by nothing else.
        alone: reranks one query after another; its policy writes what the other's does.
        world: what is asked.
        load: how many queries.

    Returns:
        What was seen, with the promises that were broken, and the figures.
    """
    tally = Tally()
    wanted = {number: alone.rerank(query(world, number), world.hits) for number in range(-(-load.queries // CALLERS))}
    spent = min(_seconds(reranker, query(world, number), world) for number in range(3))
    started = time.monotonic()
    results = Callers(reranker, world, load, spent).results()
    seconds = time.monotonic() - started
    for number, result in results.items():
        kind, mine = load.kind(number), wanted[number // CALLERS]
        tally.seen[f"{kind}: {result.ended}"] += 1
        turns = [turn for window in result.trajectories for turn in window.turns]
        tally.seen[f"{kind}: {result.ended}, with turns"] += any(turn.finish in TURNS for turn in turns)
        failure = next((str(window.failure) for window in result.trajectories if window.failure), None)
        tally.promise(failure is None, f"query {number} ({kind}) failed: {failure}")
        expected = {"cancelled": Ended.CANCELLED, "late": Ended.DEADLINE}.get(kind, Ended.COMPLETE)
        if result.ended is Ended.COMPLETE:
            tally.promise(told(result) == told(mine), f"query {number} ({kind}) is not what it is alone")
        tally.promise(result.ended in (expected, Ended.COMPLETE), f"query {number} ({kind}) ended {result.ended}")
        order = sorted(ranked.did for ranked in result.ranking)
        tally.promise(order == sorted(hit.candidate.did for hit in world.hits), f"query {number}: no permutation")
    for kind in ("cancelled", "late"):
        ended = load.disturbed - tally.seen[f"{kind}: {Ended.COMPLETE}"]
        tally.promise(ended > load.disturbed // 2, f"only {ended} of {load.disturbed} queries ended {kind}")
    held = len(reranker.policy._conversations)
    tally.promise(held == 0, f"{held} conversations were kept")
    return tally, {"seconds": round(seconds, 1), "seconds_alone": round(spent, 3), "seen": dict(+tally.seen)}


def told(result: Reranked) -> tuple[list[str], list[list[str]]]:
    """Return what a query came to: its order, and the texts of the turns of each window."""
    order = [ranked.did for ranked in result.ranking]
    return order, [[turn.text for turn in window.turns] for window in result.trajectories]


def _seconds(reranker: Reranker, asked: Query, world: World) -> float:
    started = time.monotonic()
    reranker.rerank(asked, world.hits)
    return time.monotonic() - started


def query(world: World, number: int) -> Query:
    """Return query `number` of the world."""
    return replace(world.query, qid=f"9:{number}")


def scripted(world: World, *, seconds: float = 0.0) -> Reranker:
    """Return a reranker over a script whose turns depend on the query alone; a round takes `seconds`."""

    def script(moment: Moment) -> str:
        return valid_reply(Stream(1, moment.stream, len(moment.said)), moment.count)

    limits = PolicyLimits(in_flight=16)
    return _reranker(PacedPolicy(script, name="soak", seconds=seconds, limits=limits), world, Sampling())


def modelled(world: World, folder: Path) -> Reranker:
    """Return a reranker over the model in a folder, whose turns are drawn, not greedy."""
    policy = LocalPolicy.of_folder(folder, dtype="float32", device="cpu", in_flight=8)
    return _reranker(policy, world, Sampling(max_tokens=32, temperature=1.0))


def _reranker(policy: Any, world: World, sampling: Sampling) -> Reranker:
    config = AgentConfig(views=SHOWN, planner=BlocksPlanner(depth=6, size=4), sampling=sampling)
    return Reranker(policy, world.store, config)


def leaks(world: World, queries: int, *, warm: int) -> tuple[Tally, dict[str, Any]]:
    """Serve `queries` small queries after `warm` others and compare what is held before and after."""
    policy, tally = first_k(), Tally()
    with Engine(_reranker(policy, world, Sampling())) as engine:
        _serve(engine, world, range(warm))
        before = held(policy)
        _serve(engine, world, range(warm, warm + queries))
        after = held(policy)
    for name in ("conversations", "threads", "files"):
        was, now = getattr(before, name), getattr(after, name)
        tally.promise(now <= was, f"{name}: {was} before, {now} after {queries} queries")
    grown = after.resident_mb - before.resident_mb
    tally.promise(grown <= MOST_GROWTH_MB, f"memory grew by {grown:.1f} MB over {queries} queries")
    return tally, {"queries": queries, "before": asdict(before), "after": asdict(after)}


def _serve(engine: Engine, world: World, numbers: Sequence[int]) -> None:
    """Submit queries of three candidates and wait for them, a few dozen at once."""
    for first in range(0, len(numbers), 64):
        tickets = [engine.submit(query(world, number), world.hits[:3]) for number in numbers[first : first + 64]]
        for ticket in tickets:
            ticket.result(600)


@contextmanager
def drawn() -> Iterator[tuple[World, Path]]:
    """Yield a world and the folder of a model, for as long as the block runs."""
    with tempfile.TemporaryDirectory() as name:
        build_model(Path(name) / "model", SMALL)
        yield draw_world(Path(name)), Path(name) / "model"


def main() -> int:
    """Run the full counts and write the result file; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=400, help="over the scripted policy")
    parser.add_argument("--modelled", type=int, default=40, help="over the model")
    parser.add_argument("--served", type=int, default=5000, help="queries after which nothing may be left behind")
    parser.add_argument("--out", type=Path, default=RESULTS / "engine_soak.json")
    options = parser.parse_args()
    with drawn() as (world, folder), computing(1, subnormal=True):
        script = Load(queries=options.queries, disturbed=max(1, options.queries // 10))
        model = Load(queries=options.modelled, disturbed=max(1, options.modelled // 10), queue=6)
        runs = {
            "scripted": soak(scripted(world, seconds=0.005), scripted(world), world, script),
            "local": soak(modelled(world, folder), modelled(world, folder), world, model),
            "leaks": leaks(world, options.served, warm=500),
        }
    broken = [sentence for tally, _ in runs.values() for sentence in tally.broken]
    loads = {"scripted": asdict(script), "local": asdict(model)}
    figures = {name: found for name, (_, found) in runs.items()}
    write_result(options.out, {**envelope("engine_soak"), "loads": loads, **figures, "broken": broken})
    print(f"{options.queries} and {options.modelled} queries, {options.served} more, {len(broken)} promises broken")
    return 1 if broken else 0

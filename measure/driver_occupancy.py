"""Shows that the driver keeps a policy's batch full: sessions of different lengths over a policy with few places.

Run as `python -m measure driver_occupancy`; it writes measure/results/driver_occupancy.json. Time is counted in
decode slices, so the numbers are exact; with a pool a run varies by a few slices, as its threads finish. The driver
runs sessions on its own thread and with a pool, queries whose windows go on side by side, and groups of rollouts.
Beside it runs one that works in rounds, as reinforcement learning code often does: it waits for the slowest of a
round before it begins the next.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from measure.agent_world import VIEWS, World, draw_world
from measure.envelope import RESULTS, envelope, write_result
from measure.sliced_policy import LONGEST, SHORTEST, CountedPool, SlicedPolicy, sliced_policy
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects import dialect_named
from vretrver.agent.driver import Driver
from vretrver.agent.effects import Do, Running
from vretrver.agent.plans import BlocksPlanner
from vretrver.agent.policy import Completion, Policy, Request, Sampling
from vretrver.agent.reranked import Reranked
from vretrver.agent.reranker import Ask, Reranker
from vretrver.agent.session import Session, SessionSetup, rank_group, rank_window
from vretrver.agent.trajectory import Trajectory

PLANNER = BlocksPlanner(depth=6, size=4)
"""Two windows side by side, and one in which their best meet."""

ROLLOUTS = 4
"""Rollouts of a group."""

WORKERS = 2
"""Threads of the pool."""

Make = Callable[[World, Policy, int], Sequence[Running[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """How full a policy's batch was."""

    slices: int
    """Decode slices until the last running ended."""
    full_work_slices: int
    """Those during which as many runnings were unfinished as there are places."""
    occupancy: float | None
    """Mean share of places in use over these; None when there were never that many runnings."""
    occupancy_overall: float
    """Mean share of places in use over all slices, the running dry at the end included."""


def occupancy_of(policy: SlicedPolicy, runnings: int) -> Occupancy:
    """Return how full the batch was in a run over `runnings` runnings, each with one turn to ask for at the least."""
    full = [busy for busy, gone in zip(policy.busy, policy.ended, strict=True) if runnings - gone >= policy.slots]
    return Occupancy(
        slices=len(policy.busy),
        full_work_slices=len(full),
        occupancy=sum(full) / (len(full) * policy.slots) if full else None,
        occupancy_overall=sum(policy.busy) / (len(policy.busy) * policy.slots),
    )


def sessions(world: World, policy: Policy, count: int) -> list[Session]:
    """Return sessions of the real loop, each over the world's candidates."""
    setup = _setup(world, policy)
    return [rank_window(world.task(f"s{number}"), setup) for number in range(count)]


def groups(world: World, policy: Policy, count: int) -> list[Running[tuple[Trajectory, ...]]]:
    """Return groups of `ROLLOUTS` rollouts: an opening, then as many children that start after it."""
    setup = _setup(world, policy)
    return [rank_group(world.task(f"g{number}"), setup, ROLLOUTS) for number in range(count)]


def queries(world: World, policy: Policy, count: int) -> list[Running[Reranked]]:
    """Return queries whose windows are children: two side by side, then one."""
    config = AgentConfig(views=VIEWS, planner=PLANNER)
    reranker = Reranker(policy, world.store, config, clock=lambda: 0.0)
    asks = [Ask(query=replace(world.query, qid=f"q{number}"), hits=world.hits) for number in range(count)]
    return [reranker.running(ask, name=ask.query.qid) for ask in asks]


def _setup(world: World, policy: Policy) -> SessionSetup:
    return SessionSetup(
        dialect=dialect_named("vretrver"),
        images=world.store,
        views=VIEWS,
        sampling=Sampling(),
        policy=policy.fingerprint,
        policy_limits=policy.limits,
        config="",
        clock=lambda: 0.0,
    )


def run_driver(world: World, make: Make, count: int, slots: int, *, seed: int, workers: int = 0) -> SlicedPolicy:
    """Drive runnings to their ends and return the policy with what it saw and what they came to."""
    with ExitStack() as stack:
        pool = stack.enter_context(CountedPool(workers)) if workers else None
        policy = sliced_policy(slots, seed=seed, pool=pool)
        driver: Driver[Any] = Driver(policy, pool=pool)
        for result in driver.run(make(world, policy, count)):
            policy.results.append(result)
    policy.results = [result for _, result in sorted(policy.results, key=lambda pair: pair[0])]
    return policy


def run_in_rounds(policy: SlicedPolicy, runnings: Iterable[Session]) -> None:
    """Drive sessions in rounds of one turn each: the next round begins when the slowest turn is done."""
    waiting = iter(runnings)
    running: dict[str, Session] = {}
    ready: dict[str, Request] = {}
    while True:
        while len(running) < policy.slots and (fresh := next(waiting, None)) is not None:
            request = _asked(fresh, None)
            running[request.session], ready[request.session] = fresh, request
        if not running:
            return
        for request in ready.values():
            policy.submit(request)
        done: list[Completion] = []
        while len(done) < len(ready):
            done += policy.collect()
        ready.clear()
        for completion in done:
            try:
                ready[completion.session] = _asked(running[completion.session], completion)
            except StopIteration as stop:
                del running[completion.session]
                policy.release(completion.session)
                policy.results.append(stop.value)


def _asked(session: Session, sent: Completion | None) -> Request:
    """Send a turn in and return the next request; work is done at once."""
    effect = session.send(sent)
    while isinstance(effect, Do):
        effect = session.send(effect.work())
    assert isinstance(effect, Request)
    return effect


def measure(count: int, slots: int, *, seed: int) -> dict[str, Occupancy]:
    """Run `count` sessions, queries and groups through the driver, and the sessions in rounds.

    Raises:
        RuntimeError: what they came to depends on how they were driven.
    """
    with tempfile.TemporaryDirectory() as name:
        world = draw_world(Path(name))
        rounds = sliced_policy(slots, seed=seed)
        run_in_rounds(rounds, sessions(world, rounds, count))
        ran = {"rounds": rounds}
        for kind, make in (("sessions", sessions), ("queries", queries), ("groups", groups)):
            for workers in (0, WORKERS):
                arm = f"{kind}, with a pool" if workers else kind
                ran[arm] = run_driver(world, make, count, slots, seed=seed, workers=workers)
    for kind in ("sessions", "queries", "groups"):
        if ran[kind].results != ran[f"{kind}, with a pool"].results:
            raise RuntimeError(f"{kind} did not come to the same records with a pool")
    if ran["sessions"].results != sorted(rounds.results, key=lambda record: int(record.session[1:])):
        raise RuntimeError("the two drivers did not come to the same records")
    return {name: occupancy_of(policy, count) for name, policy in ran.items()}


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="sessions, queries, groups")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "driver_occupancy.json")
    options = parser.parse_args()
    measured = measure(options.count, options.slots, seed=options.seed)
    settings = {
        "count": options.count,
        "slots": options.slots,
        "seed": options.seed,
        "turns_per_session": [1, 5],
        "slices_per_turn": [SHORTEST, LONGEST],
        "plan_of_queries": PLANNER.name,
        "rollouts_of_groups": ROLLOUTS,
        "threads_of_the_pool": WORKERS,
    }
    result = {name: asdict(occupancy) for name, occupancy in measured.items()}
    write_result(options.out, {**envelope("driver_occupancy"), "settings": settings, **result})
    for name, occupancy in measured.items():
        print(f"{name}: {occupancy.occupancy} of the places in use, {occupancy.slices} slices in all")

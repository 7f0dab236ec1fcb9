"""The second half of the fuzz: whole queries on mutated replies, many at once, some cancelled on the way.

Every combination of dialect, form of the answer, plan and budget runs, on the driver's thread and with a pool.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from measure.agent_fuzz_records import check_query
from measure.agent_fuzz_replies import DIALECTS
from measure.agent_world import VIEWS, World
from measure.fuzzed_tools import fuzzed_dialect
from measure.mutations import mutated_reply
from measure.tally import Tally
from vretrver.agent.answers import FORMS
from vretrver.agent.budget import Budget
from vretrver.agent.config import AgentConfig
from vretrver.agent.driver import Driver, Seat
from vretrver.agent.plans import BlocksPlanner, Planner, ReferencePlanner
from vretrver.agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits
from vretrver.agent.reranked import Reranked
from vretrver.agent.reranker import Ask, Reranker
from vretrver.policies.scripted import Moment, ScriptedPolicy
from vretrver.prng import Stream
from vretrver.traces import read_traces, reranked_to_json

BUDGETS = (Budget(), Budget(look_tokens=8, tokens=1500), Budget(turns=4, looks=2), Budget(seconds=60.0))
"""None, and those that a query of this world runs into; the clock moves by one second whenever it is read."""

PLANNERS: tuple[Planner, ...] = (ReferencePlanner(depth=6, size=4, stride=2), BlocksPlanner(depth=6, size=4))
"""Windows one after another, and windows side by side."""

CANCELLED_ONE_IN = 6
"""One query in so many is cancelled, after a number of the driver's steps that is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One combination of what a query can be run with."""

    dialect: str
    """Name of the dialect."""
    form: str
    """Name of the answer's form."""
    planner: Planner
    """Which windows there are."""
    budget: Budget
    """What each query may cost."""
    workers: int
    """Threads of the pool; 0 is the driver's own thread."""

    @property
    def name(self) -> str:
        """What broken promises are reported under."""
        return f"{self.dialect} {self.form} {self.planner.name} {self.workers}"

    @property
    def config(self) -> AgentConfig:
        """The agent's configuration."""
        dialect = replace(fuzzed_dialect(self.dialect), form=FORMS[self.form])
        return AgentConfig(dialect=dialect, views=VIEWS, planner=self.planner, budget=self.budget)


SETTINGS = tuple(
    Setting(dialect=dialect, form=form, planner=planner, budget=budget, workers=workers)
    for workers, dialect, form, planner, budget in itertools.product((0, 2), DIALECTS, FORMS, PLANNERS, BUDGETS)
)
"""All combinations."""


def fuzz_sessions(world: World, count: int, *, seed: int, directory: Path) -> Tally:
    """Run at least `count` whole sessions on mutated replies and check every record.

    Args:
        world: what is ranked; a query has two or three windows over its six candidates.
        count: sessions, shared evenly by `SETTINGS`.
        seed: decides every reply and whom is cancelled.
        directory: where the trace files are written.
    """
    tally = Tally()
    for number, setting in enumerate(SETTINGS):
        path, share = directory / f"{number}.jsonl", -(-count // len(SETTINGS))
        try:
            runs = _reranked(world, setting, share, Stream(seed, "session", number), tally)
            written = _write_traces(path, runs, setting, world, tally)
            tally.promise(list(read_traces(path)) == written, f"{setting.name}: traces read back changed")
        except Exception as error:  # noqa: BLE001 - recorded: that none escapes is what is being shown
            tally.broken.append(f"sessions of {setting.name}: {type(error).__name__}: {error}"[:500])
    return tally


def _reranked(world: World, setting: Setting, count: int, stream: Stream, tally: Tally) -> Iterator[Reranked]:
    """Rerank the world's candidates for one query after another, 16 at once, until `count` sessions have ended."""
    limits = PolicyLimits(in_flight=16, pictures=24)
    policy = ScriptedPolicy(_script(stream, setting.form), name="fuzz", limits=limits)
    ticks = itertools.count()
    reranker = Reranker(policy, world.store, setting.config, clock=lambda: float(next(ticks)))
    with ThreadPoolExecutor(setting.workers) if setting.workers else nullcontext() as pool:
        yield from _driven(Driver(policy, pool=pool, clock=reranker.clock), reranker, world, count, stream, tally)
    tally.promise(not policy._conversations, f"{setting.name}: {len(policy._conversations)} conversations were kept")


def _driven(
    driver: Driver[Reranked], reranker: Reranker, world: World, count: int, stream: Stream, tally: Tally
) -> Iterator[Reranked]:
    """Drive queries to their ends and cancel some of them on the way."""
    finished: list[Reranked] = []
    cancels: list[tuple[int, Seat[Reranked]]] = []
    asked = queries = sessions = steps = 0
    while True:
        while driver.room and sessions + asked - queries < count:
            query = replace(world.query, qid=f"9:{asked}")
            running = reranker.running(Ask(query=query, hits=world.hits), name=query.qid)
            seat = driver.start(running, finished.append)
            draw = stream.child("cancel", asked)
            if draw.below(CANCELLED_ONE_IN) == 0:
                cancels.append((steps + draw.below(6), seat))
            asked += 1
        more = driver.step()
        steps += 1
        for seat in [seat for at, seat in cancels if at < steps]:
            tally.seen["query cancelled"] += not seat.over
            driver.cancel(seat)
        cancels = [(at, seat) for at, seat in cancels if at >= steps]
        sessions += sum(len(reranked.trajectories) or 1 for reranked in finished)
        queries += len(finished)
        yield from finished
        finished.clear()
        if not more and sessions >= count:
            return


def _script(stream: Stream, form: str) -> Callable[[Moment], str | Completion]:
    """Return the script that writes a session's turns, one in twenty of which fails in some way."""

    def script(moment: Moment) -> str | Completion:
        draw = stream.child(moment.session, len(moment.said))
        text = mutated_reply(draw, moment.count, damages=(0, 0, 1, 2), or_none=form == "ranking-or-none")
        if draw.below(20):
            return text
        failure = Failure(kind=draw.choice(list(FailureKind)), words="drawn \ud800")
        finish = draw.choice(list(FinishReason))
        return Completion(session=moment.session, text=text, finish=finish, failure=failure)

    return script


def _write_traces(
    path: Path, results: Iterable[Reranked], setting: Setting, world: World, tally: Tally
) -> list[Reranked]:
    written: list[Reranked] = []
    with path.open("wb") as file:
        for reranked in results:
            written.append(reranked)
            file.write(reranked_to_json(reranked) + b"\n")
            check_query(reranked, setting.planner, setting.budget, world, tally)
    return written

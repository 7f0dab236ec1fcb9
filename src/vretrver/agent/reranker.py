"""Reranking: the windows of a plan over one policy, for one query or many at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, count

from ..images import Pictures
from ..records import Hit, Query
from .bench import Bench
from .budget import Account, Budget
from .config import AgentConfig, refuse_forcing
from .driver import Driver
from .effects import Await, Do, Running, Start, WorkAbandoned
from .events import Event, Watch, ignore
from .memo import Memo, WindowKey, agent_key, window_key
from .plans import Window
from .policy import Policy
from .reranked import Ended, Reranked, check_hits, interrupted, outcome_of, reranked
from .session import Session, SessionSetup, make_bench, rank_window, unopened
from .task import WindowStep, WindowTask
from .texts import TextProvider
from .trajectory import StopReason, Trajectory
from .workers import Workers

WORKERS = min(4, os.cpu_count() or 1)
"""Threads that open pictures and run tools, unless told otherwise: decoding releases the lock, records do not."""

_ENDINGS = {
    StopReason.DEADLINE: Ended.DEADLINE,
    StopReason.CANCELLED: Ended.CANCELLED,
    StopReason.BUDGET: Ended.BUDGET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One query to rerank."""

    query: Query
    """What is asked."""
    hits: Sequence[Hit]
    """Its candidates, best first."""
    budget: Budget | None = None
    """What it may cost; None takes the configuration's."""
    watch: Watch = ignore
    """Is told of windows and turns as they happen."""
    started: float | None = None
    """When its seconds began to count, on the reranker's clock; None is when it is started."""


class Reranker:
    """Reranks hits with an agent that looks before it ranks.

    Args:
        policy: what writes the agent's turns.
        images: where the pictures of queries and candidates are read.
        config: dialect, sizes, plan, sampling, budget.
        texts: what reads the text of pictures, for tools that tell it; None where nothing does.
        memo: windows that are known already, and where new ones are kept.
        watch: is told of windows and turns of all queries.
        workers: threads that open pictures and run tools; 0 does both on the thread that runs the driver.
        clock: seconds; a test may stop it.
    """

    def __init__(
        self,
        policy: Policy,
        images: Pictures,
        config: AgentConfig | None = None,
        *,
        texts: TextProvider | None = None,
        memo: Memo | None = None,
        watch: Watch = ignore,
        workers: int = WORKERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self.images = images
        self.config = config or AgentConfig()
        self.texts = texts
        self.memo = memo
        self.watch = watch
        self.workers = workers
        self.clock = clock
        self._sha256 = self.config.sha256

    @property
    def setup(self) -> SessionSetup:
        """What all sessions share; made anew each time, because a policy's weights may have changed."""
        return SessionSetup(
            dialect=self.config.dialect,
            images=self.images,
            texts=self.texts,
            views=self.config.views or self.config.dialect.views,
            sampling=self.config.sampling,
            policy=self.policy.fingerprint,
            policy_limits=self.policy.limits,
            config=self._sha256,
            revision=self.policy.revision,
            complete_answers=self.config.complete_answers,
            score_tokens=self.config.score_tokens,
            clock=self.clock,
        )

    def rerank(self, query: Query, hits: Sequence[Hit], *, budget: Budget | None = None) -> Reranked:
        """Rerank the hits of one query, best first.

        Raises:
            DataError: the query has no hits, or a candidate appears twice among them.
        """
        return next(self.rerank_many([Ask(query=query, hits=hits, budget=budget)]))

    def rerank_many(self, requests: Iterable[Ask | tuple[Query, Sequence[Hit]]]) -> Generator[Reranked, None, None]:
        """Rerank many queries together and yield each as it finishes, in no particular order.

        Raises:
            DataError: a query has no hits, or a candidate appears twice among them.
            PolicyInUse: another driver runs something on the policy.
        """
        names: dict[int, str] = {}
        with Workers(self.workers) if self.workers else nullcontext() as pool:
            driver: Driver[Reranked] = Driver(self.policy, pool=pool, clock=self.clock)
            for number, result in driver.run(self._runnings(requests, names)):
                del names[number]
                yield result

    def _runnings(
        self, requests: Iterable[Ask | tuple[Query, Sequence[Hit]]], names: dict[int, str]
    ) -> Iterator[Running[Reranked]]:
        """Yield the running of each request; `names`, those in use by its number, is read and added to.

        Sessions are named by their query's id, and so are streams, so that a resumed run asks what an undisturbed
        one asks. Where a query of that id runs just now, the sessions take another name and the streams do not.
        """
        for number, request in enumerate(requests):
            ask = request if isinstance(request, Ask) else Ask(query=request[0], hits=request[1])
            qid = ask.query.qid
            names[number] = _free(qid, {*names.values()})
            yield self.running(ask, name=names[number], stream=qid)

    def running(self, ask: Ask, *, name: str, stream: str | None = None) -> Running[Reranked]:
        """Return the running that reranks one query, for a driver.

        Args:
            ask: query, candidates, budget.
            name: begins the names of its sessions; unique among what the driver runs.
            stream: begins the names of its random streams; None is `name`.
        """
        check_hits(ask.query, ask.hits)
        run = _Run(self, ask, name=name, stream=name if stream is None else stream)
        return run.running()


class _Run:
    """One query on its way through its plan."""

    def __init__(self, reranker: Reranker, ask: Ask, *, name: str, stream: str) -> None:
        self.reranker, self.ask, self.name, self.stream = reranker, ask, name, stream
        self.setup = reranker.setup
        self.planner = reranker.config.planner
        self.windows: dict[int, Trajectory] = {}
        self.account = Account(ask.budget or reranker.config.budget, self.setup.clock, started=ask.started)

    def running(self) -> Running[Reranked]:
        """Start the windows that are due, tell the plan what became of them, until none is left or the end came."""
        plan = self.planner.plan(len(self.ask.hits))
        ended = Ended.COMPLETE
        started: dict[int, Window] = {}
        while True:
            if ended is Ended.COMPLETE:
                for window in plan.due():
                    started[(yield Start(self._window(window)))] = window
            if not started:
                break
            number, trajectory = yield Await()
            window = started.pop(number)
            self.windows[window.index] = trajectory
            plan.told(window, outcome_of(trajectory))
            ended = _ENDINGS.get(trajectory.stop, ended)
        return reranked(
            self.ask.query,
            self.ask.hits,
            self.planner,
            self.windows,
            seconds=self.account.seconds,
            ended=ended,
            reached=self.account.reached,
        )

    def _window(self, window: Window) -> Session:
        """Rank one window, or take what is known of it."""
        task = self._task(window)
        bench = make_bench(task, self.setup)
        memo = self.reranker.memo
        if memo is None:
            return (yield from self._ranked(task, bench))
        try:
            key: WindowKey = yield Do(partial(self._key, task, bench), deadline=self.account.deadline)
        except WorkAbandoned as abandoned:
            return unopened(task, self.setup, bench, self.account, abandoned.finish)
        known = memo.known(key)
        if known is not None:
            return known
        trajectory = yield from self._ranked(task, bench)
        if not interrupted(trajectory):
            with suppress(WorkAbandoned):  # the record is complete, and kept as soon as the disk lets it
                yield Do(partial(memo.keep, key, trajectory), deadline=self.account.deadline, lasting=True)
        return trajectory

    def _ranked(self, task: WindowTask, bench: Bench) -> Session:
        return rank_window(task, self.setup, account=self.account, bench=bench, watch=self._watch)

    def _watch(self, event: Event) -> None:
        self.ask.watch(event)
        self.reranker.watch(event)

    def _task(self, window: Window) -> WindowTask:
        refuse_forcing([window], self.planner, self.reranker.config.dialect)
        return WindowTask(
            session=f"{self.name}/w{window.index}",
            stream=f"{self.stream}/w{window.index}",
            query=self.ask.query,
            candidates=tuple(self.ask.hits[place].candidate for place in window.candidates),
            step=WindowStep(plan=self.planner.name, index=window.index, round=window.round, places=window.places),
            turns=window.turns,
        )

    def _key(self, task: WindowTask, bench: Bench) -> WindowKey:
        agent = agent_key(self.setup.config, self.setup.policy, self.setup.revision)
        return window_key(task, bench.pin_all(), agent=agent)


def _free(name: str, used: Collection[str]) -> str:
    """Return a name, with a number behind it where it is in use."""
    numbered = (f"{name}#{again}" for again in count(2))
    return next(one for one in chain([name], numbered) if one not in used)

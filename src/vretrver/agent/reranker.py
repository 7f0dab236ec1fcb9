"""Reranking: the windows of a plan over one policy, for one query or many at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count

from ..images import Pictures
from ..records import Hit, Query
from .bench import Bench
from .budget import Account, Budget
from .config import AgentConfig, refuse_forcing
from .driver import Driver
from .due import DueWindow, looked_up
from .effects import Await, Do, Running, Start, WorkAbandoned
from .events import Event, Watch, WindowKnown, ignore
from .memo import Memo
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
    wanted: int | None = None
    """Places of the head that matter, at least 1: no window is started once these are settled. None is all places."""
    watch: Watch = ignore
    """Is told of windows and turns as they happen."""
    started: float | None = None
    """When its seconds began to count, on the reranker's clock; None is when it is started."""

    def __post_init__(self) -> None:
        """Refuse fewer than one wanted place with ValueError."""
        if self.wanted is not None and self.wanted < 1:
            raise ValueError(f"at least one place is wanted, got {self.wanted}")


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
        return self.setup_within(self.config.budget)

    def setup_within(self, budget: Budget) -> SessionSetup:
        """Return `setup` for queries that have a budget of their own, which their records name."""
        same = budget == self.config.budget
        return SessionSetup(
            dialect=self.config.dialect,
            images=self.images,
            texts=self.texts,
            views=self.config.views or self.config.dialect.views,
            sampling=self.config.sampling,
            policy=self.policy.fingerprint,
            policy_limits=self.policy.limits,
            config=self._sha256 if same else replace(self.config, budget=budget).sha256,
            revision=self.policy.revision,
            complete_answers=self.config.complete_answers,
            score_tokens=self.config.score_tokens,
            clock=self.clock,
        )

    def rerank(
        self, query: Query, hits: Sequence[Hit], *, budget: Budget | None = None, wanted: int | None = None
    ) -> Reranked:
        """Rerank the hits of one query, best first; `budget` and `wanted` are those of `Ask`.

        Raises:
            DataError: the query has no hits, or a candidate appears twice among them.
        """
        return next(self.rerank_many([Ask(query=query, hits=hits, budget=budget, wanted=wanted)]))

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
        budget = ask.budget or reranker.config.budget
        self.setup = reranker.setup_within(budget)
        self.planner = reranker.config.planner
        self.plan = self.planner.plan(len(ask.hits))
        self.wanted = min(ask.wanted or len(ask.hits), len(ask.hits))
        self.windows: dict[int, Trajectory] = {}
        self.ended = Ended.COMPLETE
        self.account = Account(budget, self.setup.clock, started=ask.started)

    def running(self) -> Running[Reranked]:
        """Start the windows that are due, tell the plan what became of them, until none is left or the end came."""
        started: dict[int, Window] = {}
        while True:
            windows = self.plan.due() if self._goes_on else ()
            due: list[DueWindow] = (yield from self._looked_up(windows)) if windows else []
            for one in due:
                if one.known is not None:
                    self._take_known(one, one.known)
            fresh = [one for one in due if one.known is None]
            self.account.hold(one.task.session for one in fresh)
            for one in fresh:
                started[(yield Start(self._window(one)))] = one.window
            if started:
                number, trajectory = yield Await()
                self._told(started.pop(number), trajectory)
            elif not due:
                break
        return reranked(
            self.ask.query,
            self.ask.hits,
            self.planner,
            self.windows,
            seconds=self.account.seconds,
            ended=self.ended,
            reached=self.account.reached,
        )

    @property
    def _goes_on(self) -> bool:
        """Whether further windows may start."""
        return self.ended is Ended.COMPLETE and self.plan.settled < self.wanted

    def _looked_up(self, windows: Sequence[Window]) -> Running[list[DueWindow]]:
        """Return windows that are due with what is known of them: all of a round, before any of it spends."""
        tasks = [self._task(window) for window in windows]
        due = [
            DueWindow(window=window, task=task, bench=make_bench(task, self.setup))
            for window, task in zip(windows, tasks, strict=True)
        ]
        memo = self.reranker.memo
        if memo is None:
            return due
        work = partial(looked_up, due, memo, self.setup.agent, self.account.position)
        try:
            found: list[DueWindow] = yield Do(work, deadline=self.account.deadline)
        except WorkAbandoned as abandoned:
            for one in due:
                self._told(one.window, unopened(one.task, self.setup, one.bench, self.account, abandoned.finish))
            return []
        return found

    def _take_known(self, due: DueWindow, trajectory: Trajectory) -> None:
        """Take what is known of a window in place of running it, at what it cost when it ran."""
        self.account.charge(trajectory.spent)
        self._watch(WindowKnown(due.task.session, due.task, trajectory))
        self._told(due.window, trajectory)

    def _told(self, window: Window, trajectory: Trajectory) -> None:
        self.windows[window.index] = trajectory
        self.plan.told(window, outcome_of(trajectory))
        self.ended = _ENDINGS.get(trajectory.stop, self.ended)

    def _window(self, due: DueWindow) -> Session:
        """Rank one window, and keep its record."""
        trajectory = yield from self._ranked(due.task, due.bench)
        memo = self.reranker.memo
        if memo is not None and due.key is not None and not interrupted(trajectory):
            with suppress(WorkAbandoned):  # the record is complete, and kept as soon as the disk lets it
                yield Do(partial(memo.keep, due.key, trajectory), deadline=self.account.deadline, lasting=True)
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
            step=WindowStep(
                plan=self.planner.name,
                index=window.index,
                round=window.round,
                places=window.places,
                turns=window.turns,
            ),
            turns=window.turns,
        )


def _free(name: str, used: Collection[str]) -> str:
    """Return a name, with a number behind it where it is in use."""
    numbered = (f"{name}#{again}" for again in count(2))
    return next(one for one in chain([name], numbered) if one not in used)

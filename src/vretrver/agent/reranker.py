"""Reranking: sessions over the windows of a schedule, for one query or many at once."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, is_dataclass
from typing import ClassVar

from pydantic import ConfigDict

from ..errors import DataError
from ..images import ImageStore
from ..records import Hit, Query
from .bench import Views
from .dialect import Dialect
from .dialects import dialect_named
from .driver import Driver
from .policy import Completion, Policy, Request, Sampling
from .schedule import ReferenceSchedule, Schedule, rank_scores
from .session import SessionLimits, SessionSetup, rank_window
from .task import ScheduleStep, WindowTask
from .tools import signature
from .trajectory import STORED, StopReason, Trajectory

_ENDING = {StopReason.DEADLINE, StopReason.CANCELLED}
_OUTSIDE = {*_ENDING, StopReason.POLICY_ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One candidate at its final place."""

    did: str
    """The candidate."""
    rank: int
    """Place, from 1."""
    score: float
    """Higher is better, strictly decreasing over a ranking."""
    coarse_rank: int
    """Place before, from 1."""
    calibrated: bool = False
    """Whether `score` is a probability; until there is a calibration it is 1 / rank and False."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """What became of one query: the order, and the record of every window that led to it."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    query: Query
    """What was asked."""
    hits: tuple[Hit, ...]
    """The candidates as given, best first."""
    ranking: tuple[Ranked, ...]
    """All candidates as given, best first; a window that failed left its part of the order as it was."""
    trajectories: tuple[Trajectory, ...]
    """One per window, in the order they were ranked."""
    seconds: float = 0.0
    """From the first request to the last completion."""

    @property
    def failed(self) -> tuple[Trajectory, ...]:
        """The windows without a usable answer; their part of the order is the one given, not confirmed."""
        return tuple(trajectory for trajectory in self.trajectories if trajectory.ranking is None)

    @property
    def interrupted(self) -> bool:
        """Whether a window ended for a reason outside the agent, so that asking again may well succeed."""
        return any(trajectory.stop in _OUTSIDE for trajectory in self.trajectories)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """How a reranker works; `sha256` of it stands in every trajectory."""

    dialect: Dialect = field(default_factory=lambda: dialect_named("vretrver"))
    """Texts, tools and rules."""
    views: Views | None = None
    """Sizes of pictures; None takes the dialect's."""
    schedule: Schedule = field(default_factory=ReferenceSchedule)
    """Order of windows."""
    sampling: Sampling = Sampling(complete_answers=True)
    """How completions are drawn. Training, and measuring what a model writes by itself, want free answers."""
    limits: SessionLimits = field(default_factory=SessionLimits)
    """Caps of one session."""
    seconds: float | None = None
    """Most seconds for one query; None is no limit."""

    @property
    def sha256(self) -> str:
        """Hash of everything here that decides what is asked and shown."""
        dialect = self.dialect
        known: list[str | int | float | bool | None] = [
            dialect.name,
            dialect.wording.system(dialect.tools),
            _described(dialect.wording),
            json.dumps([[signature(tool), *tool.aliases, _described(tool)] for tool in dialect.tools]),
            json.dumps(dialect.stop),
            _described(dialect.boxes),
            repr(self.views or dialect.views),
            dialect.turns,
            dialect.calls_per_turn,
            dialect.forces_answer,
            self.schedule.name,
            repr(self.sampling),
            repr(self.limits),
            self.seconds,
        ]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()


class Reranker:
    """Reranks hits with an agent that looks before it ranks.

    Args:
        policy: what writes the agent's turns.
        images: where the pictures of queries and candidates are read.
        config: dialect, sizes, schedule, sampling, limits.
        clock: seconds; a test may stop it.
    """

    def __init__(
        self,
        policy: Policy,
        images: ImageStore,
        config: AgentConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self.config = config or AgentConfig()
        self._setup = SessionSetup(
            dialect=self.config.dialect,
            images=images,
            views=self.config.views or self.config.dialect.views,
            limits=self.config.limits,
            sampling=self.config.sampling,
            policy=policy.fingerprint,
            policy_limits=policy.limits,
            config=self.config.sha256,
            clock=clock,
        )

    def rerank(self, query: Query, hits: Sequence[Hit]) -> Reranked:
        """Rerank the hits of one query, best first."""
        return next(self.rerank_many([(query, hits)]))

    def rerank_many(self, requests: Iterable[tuple[Query, Sequence[Hit]]]) -> Generator[Reranked, None, None]:
        """Rerank many queries together and yield each as it finishes, in no particular order.

        Raises:
            DataError: a query has no hits, or a candidate stands twice among them.
        """
        driver: Driver[Reranked] = Driver(self.policy)
        runs = (self._rerank(query, hits, name) for name, query, hits in _named(requests))
        for _, reranked in driver.run(runs):
            yield reranked

    def _rerank(self, query: Query, hits: Sequence[Hit], name: str) -> Generator[Request, Completion, Reranked]:
        if not hits:
            raise DataError(f"query {query.qid} has no candidates to rerank; give at least one")
        if len({hit.candidate.did for hit in hits}) < len(hits):
            twice = next(did for did, times in Counter(hit.candidate.did for hit in hits).items() if times > 1)
            raise DataError(f"query {query.qid}: candidate {twice} stands in its list twice; leave one out")
        started = self._setup.clock()
        deadline = None if self.config.seconds is None else started + self.config.seconds
        order = list(range(len(hits)))
        trajectories: list[Trajectory] = []
        windows = self.config.schedule.windows(len(hits))
        window = next(windows, None)
        while window is not None:
            step = ScheduleStep(
                schedule=self.config.schedule.name, index=len(trajectories), start=window.start, stop=window.stop
            )
            task = WindowTask(
                session=f"{name}/w{step.index}",
                query=query,
                candidates=tuple(hits[place].candidate for place in order[window]),
                step=step,
            )
            trajectory = yield from rank_window(task, self._setup, deadline=deadline)
            trajectories.append(trajectory)
            outcome = _permutation(trajectory)
            if outcome is not None:
                order[window] = [order[window][place] for place in outcome]
            if trajectory.stop in _ENDING:
                break
            try:
                window = windows.send(outcome)
            except StopIteration:
                window = None
        return Reranked(
            query=query,
            hits=tuple(hits),
            ranking=_ranked(hits, order),
            trajectories=tuple(trajectories),
            seconds=self._setup.clock() - started,
        )


def _described(part: object) -> str:
    """Return what tells one part of a dialect from another, the same in every run.

    That is all fields of a dataclass; of anything else only its class, because a plain `repr` holds an address.
    """
    return repr(part) if is_dataclass(part) else f"{type(part).__module__}.{type(part).__qualname__}"


def _named(requests: Iterable[tuple[Query, Sequence[Hit]]]) -> Iterator[tuple[str, Query, Sequence[Hit]]]:
    """Name each query's sessions by its id, so that a resumed run asks what an undisturbed one asks."""
    seen: Counter[str] = Counter()
    for query, hits in requests:
        seen[query.qid] += 1
        again = seen[query.qid]
        yield (query.qid if again == 1 else f"{query.qid}#{again}"), query, hits


def _permutation(trajectory: Trajectory) -> list[int] | None:
    """Return the ranking as 0-based places in the window, or None when the window failed."""
    if trajectory.ranking is None:
        return None
    place = {did: index for index, did in enumerate(trajectory.candidates)}
    return [place[did] for did in trajectory.ranking]


def _ranked(hits: Sequence[Hit], order: Sequence[int]) -> tuple[Ranked, ...]:
    scores = rank_scores(len(order))
    return tuple(
        Ranked(did=hits[place].candidate.did, rank=rank, score=score, coarse_rank=place + 1)
        for rank, (place, score) in enumerate(zip(order, scores, strict=True), start=1)
    )

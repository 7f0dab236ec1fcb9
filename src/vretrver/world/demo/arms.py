"""One arm over the demonstration's queries; what a model has ranked is kept and not ranked again."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from ...agent.ablation import without_evidence
from ...agent.bench import Views
from ...agent.config import AgentConfig
from ...agent.dialect import Dialect
from ...agent.dialects import dialect_named
from ...agent.dialects.vretrver import vretrver
from ...agent.events import Watch, ignore
from ...agent.policy import Policy, Sampling
from ...agent.reranked import Reranked
from ...agent.reranker import Reranker
from ...assembly.plans import ReferencePlan
from ...assembly.resuming import done_before, rerank_into
from ...assembly.spec import AgentSpec
from ...assembly.told import config_of, dialect_name, views_of
from ...files import replace_file
from ..tiny.views import VIEWS
from .world import DEPTH, DemoWorld, Progress

ORACLE = "oracle"
"""The policy that knows the answers, beside those of `policies.named`."""

MOST_TOKENS = 512
"""Most tokens of one turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoArm:
    """One way to rank."""

    name: str
    """Name of its files."""
    policy: Policy
    """What writes the turns."""
    config: AgentConfig
    """Its dialect, sizes, plan and sampling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """What an arm did."""

    reranked: tuple[Reranked, ...]
    """All queries, in the order they were asked."""
    seconds: float
    """Wall time of ranking them, in whatever run that was."""

    @property
    def orders(self) -> dict[str, list[str]]:
        """Candidates of each query by id, best first."""
        return {done.query.qid: [ranked.did for ranked in done.ranking] for done in self.reranked}

    def costs(self) -> dict[str, float]:
        """Return means per query, and how many queries had a window without a usable answer."""
        return {
            "looks": round(fmean(sum(t.looks for t in done.trajectories) for done in self.reranked), 2),
            "tokens": round(fmean(sum(t.tokens for t in done.trajectories) for done in self.reranked), 1),
            "seconds": round(self.seconds / len(self.reranked), 4),
            "failed": sum(bool(done.failed) for done in self.reranked),
        }


def arms_of(policy: Policy, dialect: Dialect, views: Views) -> tuple[DemoArm, DemoArm]:
    """Return the agent, and the same agent without what its looks show; a script is given no tools instead."""
    blind = vretrver(tools=False) if policy.scripted else without_evidence(dialect)
    return (
        DemoArm(name="agent", policy=policy, config=_config(dialect, views, scripted=policy.scripted)),
        DemoArm(name="without-evidence", policy=policy, config=_config(blind, views, scripted=policy.scripted)),
    )


def told_and_shown(policy: str) -> tuple[Dialect, Views]:
    """Return the dialect and the sizes of a policy by name: what a model's folder says, else the catalogue's.

    Raises:
        ConfigError: the folder cannot be used.
    """
    spec = AgentSpec(policy=policy)
    return dialect_named(dialect_name(spec)), views_of(spec, VIEWS)


def run_arm(arm: DemoArm, world: DemoWorld, kept: Path, progress: Progress) -> ArmResult:
    """Rank all queries; a model's earlier results are read from the folder `kept`, and new ones added to it.

    Raises:
        DataError: a file of that folder is damaged.
    """
    trace = None if arm.policy.scripted else kept / f"{arm.name}-{_key(arm)}.jsonl"
    if trace is not None:
        kept.mkdir(parents=True, exist_ok=True)
    watch: Watch = getattr(arm.policy, "watch", ignore)
    # One thread: which sessions share a batch must not depend on timing, or ties turn in bfloat16.
    reranker = Reranker(arm.policy, world.images, arm.config, watch=watch, workers=0)
    done = done_before(trace, world.pairs, reranker, strict=False)
    todo = [pair for pair in world.pairs if pair[0].qid not in done]
    clock = _Clock(trace)
    for reranked in rerank_into(trace, reranker, todo):
        clock.note()
        done[reranked.query.qid] = reranked
        progress(len(done), len(world.pairs))
    return ArmResult(reranked=tuple(done[query.qid] for query, _ in world.pairs), seconds=clock.seconds)


class _Clock:
    """Seconds of ranking, those of earlier runs included; kept in a file next to the trace."""

    def __init__(self, trace: Path | None) -> None:
        self.path = None if trace is None else trace.with_suffix(".json")
        self.seconds = 0.0
        if self.path is not None and self.path.is_file():
            self.seconds = float(json.loads(self.path.read_bytes())["seconds"])
        self.before = self.seconds
        self.started = time.monotonic()

    def note(self) -> None:
        self.seconds = round(self.before + time.monotonic() - self.started, 3)
        if self.path is not None:
            replace_file(self.path, json.dumps({"seconds": self.seconds}).encode(), sync=False)


def _config(dialect: Dialect, views: Views, *, scripted: bool) -> AgentConfig:
    """Return the configuration of an arm.

    A model writes its answers freely, so that its own form is measured; a script learns from the grammar of complete
    answers how many candidates there are.
    """
    spec = AgentSpec(
        plan=ReferencePlan(depth=DEPTH, size=DEPTH),
        sampling=Sampling(max_tokens=MOST_TOKENS),
        complete_answers=scripted,
    )
    return config_of(spec, dialect=dialect, views=views)


def _key(arm: DemoArm) -> str:
    return hashlib.sha256(f"{arm.policy.fingerprint}\n{arm.config.sha256}".encode()).hexdigest()[:12]

"""The full pipeline once: draw, search, rank with real looks, with empty looks and as the oracle, report.

The agent is the small one that ships. The oracle knows the answers and uses a detail only once it has looked at it;
next to the agent it is the ceiling; in place of the agent it demonstrates the pipeline without a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...agent.policy import Policy
from ...models.shipped import SHIPPED
from ...policies.named import LocalOptions, opened
from ...report.html import write_report
from ..oracle import oracle
from .arms import ORACLE, ArmResult, arms_of, run_arm, told_and_shown
from .choice import chosen
from .result import DemoResult, Figures, scores
from .world import DemoWorld, Note, Progress, demo_world


def run_demo(
    out: Path,
    *,
    items: int,
    queries: int,
    seed: int,
    workers: int,
    progress: Callable[[str], Progress],
    note: Note,
    policy: str = SHIPPED,
    encoder: str | None = None,
    local: LocalOptions | None = None,
) -> DemoResult:
    """Run the demonstration, or the unfinished rest of it.

    Args:
        out: folder for the catalogue, the rankings and the report; existing files are reused.
        items: pictures in the pool; a multiple of 5.
        queries: most queries asked, spread over `world.TASKS`; a small catalogue has fewer.
        seed: seed of the catalogue.
        workers: processes that draw.
        progress: returns a progress function for a piece of work.
        note: called with messages for a person.
        policy: `oracle`, or a name of `policies.named`.
        encoder: name of the coarse stage's encoder; None takes the shipped one, or with the oracle the one without a
            model.
        local: how a model is run in this process.

    Raises:
        ConfigError: a name is wrong, or this copy of the package lacks the shipped models.
        MissingDependency: the extra `models` is not installed.
    """
    started = time.monotonic()
    dialect, views = told_and_shown(policy)
    world = demo_world(
        out,
        items=items,
        queries=queries,
        seed=seed,
        workers=workers,
        encoder=encoder or ("hash" if policy == ORACLE else SHIPPED),
        progress=progress,
        note=note,
    )
    kept = out / f"rankings-{seed}-{items}"
    ceiling = arms_of(oracle(world.truth), *told_and_shown(ORACLE))
    with _policy(policy, world, local) as opened_policy:
        looking, blind = arms_of(opened_policy, dialect, views)
        ran = run_arm(looking, world, kept, progress("ranking"))
        ran_blind = run_arm(blind, world, kept, progress("ranking without evidence"))
    best = ran if policy == ORACLE else run_arm(ceiling[0], world, kept, progress("the oracle"))
    result = DemoResult(
        queries=len(world.pairs),
        pool=items,
        seconds=time.monotonic() - started,
        policy=looking.policy.fingerprint,
        encoder=world.encoder,
        coarse=scores(world.coarse, world.qrels, ("hit@1", "hit@20", "mrr")),
        agent=_figures(ran, world),
        agent_without_evidence=_figures(ran_blind, world),
        oracle=_figures(best, world),
        report=out / "report.html",
    )
    _report(result, ran, world)
    return result


@contextmanager
def _policy(name: str, world: DemoWorld, local: LocalOptions | None) -> Iterator[Policy]:
    if name == ORACLE:
        yield oracle(world.truth)
        return
    with opened(name, local=local) as policy:
        yield policy


def _figures(ran: ArmResult, world: DemoWorld) -> Figures:
    return {**scores(ran.orders, world.qrels, ("hit@1", "mrr")), **ran.costs()}


def _report(result: DemoResult, ran: ArmResult, world: DemoWorld) -> None:
    """Write the report over some of the queries, right and wrong ones, of every task shape."""
    choice = chosen(ran.reranked, world.truth.relevant)
    arms = (("agent", result.agent), ("agent without evidence", result.agent_without_evidence))
    summary = [
        ("policy", result.policy),
        ("queries", f"{result.queries}, pool {result.pool}"),
        ("coarse hit@1", with_interval(result.coarse["hit@1"])),
        *((f"{name} hit@1", with_interval(figures["hit@1"])) for name, figures in arms),
        ("oracle hit@1", with_interval(result.oracle["hit@1"])),
    ]
    write_report(
        result.report,
        choice.shown,
        world.images,
        title="vretrver demo: what looking changed",
        lead=choice.lead,
        summary=summary,
        wanted=world.truth.relevant,
    )


def with_interval(figure: Sequence[float]) -> str:
    """Return `0.812 [0.754, 0.859]` for a value with its interval."""
    value, low, high = figure
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"

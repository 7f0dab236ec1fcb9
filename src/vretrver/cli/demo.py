"""`vretrver demo`: the whole way once, on a drawn catalogue."""

from __future__ import annotations

import importlib.util
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, MissingDependency
from .output import emit_json, emit_table, note
from .progress import progress

if TYPE_CHECKING:
    from ..world.demo.result import DemoResult, Figures

_SHIPPED = (
    "The shipped models know the drawn catalogue and nothing else. Their cold start was written by a scripted",
    "expert that knows where the details are; the catalogue of this demonstration was never trained on.",
)
_ORACLE = (
    "The agent is scripted: it knows the answers, but uses a detail only once it has looked at it. No model is",
    "involved.",
)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the catalogue and the report.")] = Path("demo-out"),
    items: Annotated[int, typer.Option(help="Pictures in the pool; a multiple of 5.", min=25)] = 300,
    queries: Annotated[int, typer.Option(help="Most queries asked; a small pool has fewer.", min=3)] = 210,
    seed: Annotated[int, typer.Option(help="Seed of the catalogue.", min=0)] = 7,
    policy: Annotated[
        str, typer.Option(help="shipped, the small agent in the package; local:FOLDER; or oracle, a script.")
    ] = "shipped",
    encoder: Annotated[
        str | None,
        typer.Option(help="Of the coarse stage; default shipped, with the oracle hash, no model."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Draw a catalogue, search it, rerank with looks and without their evidence, and write the evidence report."""
    _check(policy, encoder)
    from ..world.demo.run import run_demo

    with ExitStack() as bars:
        result = run_demo(
            out,
            items=items,
            queries=queries,
            seed=seed,
            workers=min(os.cpu_count() or 1, 4),
            progress=lambda what: bars.enter_context(progress(what)),
            note=note,
            policy=policy,
            encoder=encoder,
        )
    if as_json:
        emit_json(result.to_json())
        return
    note(f"{result.queries} queries over {result.pool} pictures in {result.seconds:.1f} s")
    for line in {"shipped": _SHIPPED, "oracle": _ORACLE}.get(policy, ()):
        note(line)
    emit_table(("stage", "hit@1", "hit@20", "mrr", "looks", "tokens", "seconds"), _rows(result, policy))
    note("Values have 95 % intervals; looks, tokens and seconds are per query, many queries being ranked at once.")
    if result.agent["failed"]:
        note(
            f"Queries without a usable answer: {result.agent['failed']:.0f}; they keep the order of the coarse stage."
        )
    note(f"The evidence report is {result.report}")


def _check(policy: str, encoder: str | None) -> None:
    """Raise what would only be found out after the catalogue is drawn: a policy of no kind, libraries not there."""
    kind, colon, folder = policy.partition(":")
    if policy not in ("shipped", "oracle") and not (kind == "local" and colon and folder):
        raise ConfigError(f"--policy {policy}: the demonstration takes shipped, local:FOLDER or oracle")
    if policy != "oracle" or encoder not in (None, "hash"):
        for library in ("torch", "transformers"):
            if importlib.util.find_spec(library) is None:
                raise MissingDependency(
                    f"{library} is not installed; run: pip install 'vretrver[models]', or try --policy oracle"
                )


def _rows(result: DemoResult, policy: str) -> list[tuple[str, ...]]:
    from ..world.demo.run import with_interval

    coarse = result.coarse
    stage = "coarse stage (colours and words)" if result.encoder.startswith("hash-") else "coarse stage"
    first = (stage, with_interval(coarse["hit@1"]), f"{coarse['hit@20'][0]:.3f}", with_interval(coarse["mrr"]))
    rows: list[tuple[str, ...]] = [(*first, "-", "-", "-")]
    if policy == "oracle":
        rows += [
            _row("scripted oracle, may not look", result.agent_without_evidence),
            _row("scripted oracle, looks", result.agent),
        ]
    else:
        rows += [
            _row("agent whose looks show nothing new", result.agent_without_evidence),
            _row("agent", result.agent),
            _row("scripted oracle, looks (the ceiling)", result.oracle),
        ]
    return rows


def _row(name: str, figures: Figures) -> tuple[str, ...]:
    from ..world.demo.run import with_interval

    costs = (f"{figures['looks']:.1f}", f"{figures['tokens']:.0f}", f"{figures['seconds']:.3f}")
    return (name, with_interval(figures["hit@1"]), "-", with_interval(figures["mrr"]), *costs)

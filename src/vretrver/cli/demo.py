"""`vretrver demo`: the whole way once, on a drawn catalogue."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from .output import emit_json, emit_table, note, progress


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the catalogue and the report.")] = Path("demo-out"),
    items: Annotated[int, typer.Option(help="Pictures in the pool; a multiple of 5.", min=25)] = 300,
    queries: Annotated[int, typer.Option(help="Most queries asked; a small pool has fewer.", min=3)] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the catalogue.", min=0)] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Draw a catalogue, search it, rerank with and without looking, and write the evidence report."""
    from ..demo import run_demo

    with ExitStack() as bars:
        result = run_demo(
            out,
            items=items,
            queries=queries,
            seed=seed,
            workers=min(os.cpu_count() or 1, 4),
            progress=lambda what: bars.enter_context(progress(what)),
            note=note,
        )
    if as_json:
        emit_json(result.to_json())
        return
    agent, coarse = result.agent, result.coarse
    rows = [
        ("coarse stage (colours and words)", f"{coarse['hit@1']:.3f}", f"{coarse['hit@20']:.3f}", "-", "-"),
        ("scripted oracle, may not look", f"{result.agent_without_tools['hit@1']:.3f}", "-", "-", "-"),
        ("scripted oracle, looks", f"{agent['hit@1']:.3f}", "-", f"{agent['mrr']:.3f}", f"{agent['calls']:.1f}"),
    ]
    note(f"{result.queries} queries over {result.pool} pictures in {result.seconds:.1f} s. The agent is scripted: it")
    note("knows the answers, but uses a detail only once it has looked at it. No model is involved yet.")
    emit_table(("stage", "hit@1", "hit@20", "mrr", "looks/query"), rows)
    note(f"the evidence report is {result.report}")

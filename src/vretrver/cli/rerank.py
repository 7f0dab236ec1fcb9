"""`vretrver rerank`: the agent over candidates somebody found; `hits` has the forms in which they may be given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .agents import (
    AgentOption,
    AnswersOption,
    DepthOption,
    DialectOption,
    JournalOption,
    KeepOption,
    LooksOption,
    ModelOption,
    PlanOption,
    SecondsOption,
    SetOption,
    StrideOption,
    TemperatureOption,
    TurnsOption,
    WindowOption,
    spec_of,
)
from .models import POLICIES, DeviceOption, DtypeOption
from .printing import rerank_and_print

if TYPE_CHECKING:
    from ..images import ImageStore


def rerank(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="A JSONL of queries with candidates (- for stdin), a published evaluation file (parquet), "
            "or one query's candidates."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="Text of one query.")] = None,
    image: Annotated[Path | None, typer.Option(help="Picture of one query.")] = None,
    policy: Annotated[str | None, typer.Option(help=f"{POLICIES} Default first-k.")] = None,
    model: ModelOption = None,
    agent: AgentOption = None,
    sets: SetOption = None,
    journal: JournalOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    dialect: DialectOption = None,
    answers: AnswersOption = None,
    run: Annotated[
        Path | None, typer.Option(help="A TREC run or a LamRA result, with --queries and --corpus.")
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="The queries of --run: M-BEIR's, or a JSONL.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="The candidates of --run: M-BEIR's pool, or a JSONL.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder the files' picture paths start from.")] = None,
    path_map: Annotated[
        list[str] | None,
        typer.Option("--map", help="OLD=NEW: where a published file's pictures lie now; may be given several times."),
    ] = None,
    plan: PlanOption = None,
    depth: DepthOption = None,
    window: WindowOption = None,
    stride: StrideOption = None,
    keep: KeepOption = None,
    temperature: TemperatureOption = None,
    seconds: SecondsOption = None,
    looks: LooksOption = None,
    turns: TurnsOption = None,
    trace: Annotated[
        Path | None, typer.Option(help="Append the record here; what it holds is not done again.")
    ] = None,
    windows: Annotated[
        Path | None,
        typer.Option(help="Keep every window in this folder as it ends; what it holds is not asked again."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the evidence report here (HTML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a query.")] = False,
) -> None:
    """Rerank candidates with the agent, and show what it looked at. Exit code 1 when no query could be ranked."""
    from ..assembly.told import dialect_name
    from .hits import what_to_rerank

    values = {
        "policy": policy, "model": model, "journal": journal, "dialect": dialect, "answers": answers,
        "local.dtype": dtype, "local.device": device, "sampling.temperature": temperature, "budget.seconds": seconds,
        "budget.looks": looks, "budget.turns": turns,
    }  # fmt: skip
    spec = spec_of(
        agent, sets, plan=plan, depth=depth, window=window, stride=stride, keep=keep, values=values
    )  # fmt: skip
    given = what_to_rerank(
        files or [], text=text, image=image, run=run, queries=queries, corpus=corpus, root=root,
        path_map=path_map or [], depth=spec.plan.depth,
    )  # fmt: skip
    rerank_and_print(
        given.pairs,
        given.images if root is not None else _with_roots(given.images, spec.roots),
        spec,
        dialect=given.dialect(dialect_name(spec)),
        trace=trace,
        windows=windows,
        report=report,
        as_json=as_json,
    )


def _with_roots(images: ImageStore, roots: dict[str, str]) -> ImageStore:
    """Return a store in which the roots that the agent's file names count over the folders of the files."""
    from ..images import ImageStore as Store

    return Store({**images.roots, **roots}) if roots else images

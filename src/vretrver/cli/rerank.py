"""`vretrver rerank`: the agent over candidates somebody found; `hits` has the forms in which they may be given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
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
from .columns import IdColumn, ImageColumns, MetadataColumns, TextColumns
from .confirmed import TrustOption
from .formats import FormatOption, JsonOption, OutOption, Printer, format_of
from .models import POLICIES, DeviceOption, DtypeOption
from .printing import rerank_and_print
from .searching import QueriesOption

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
        Path | None,
        typer.Option(
            help="A TREC run, a LamRA result, or what search wrote with --format jsonl; with --index or --corpus."
        ),
    ] = None,
    queries: QueriesOption = None,
    index: Annotated[
        str | None,
        typer.Option(
            help="The index that knows candidates named by id, in --run or in the JSONL: a directory or qdrant://..."
        ),
    ] = None,
    corpus: Annotated[
        str | None, typer.Option(help="The same, for a table, an M-BEIR pool, or a JSONL of candidates.")
    ] = None,
    id_column: IdColumn = None,
    text_columns: TextColumns = None,
    image_columns: ImageColumns = None,
    metadata_columns: MetadataColumns = None,
    trust: TrustOption = False,
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
        typer.Option(
            help="Keep queries and every window in this folder as they end; what it holds is not asked again."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="I/N: only the queries of part I of N, from 0; the parts may share a --windows folder."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the evidence report here (HTML).")] = None,
    top: Annotated[
        int | None, typer.Option(help="Candidates of each query that are printed; default all.", min=1)
    ] = None,
    form: FormatOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rerank candidates with the agent, and show what it looked at. Exit code 1 when no query could be ranked."""
    from ..assembly.told import dialect_name
    from ..data.sources.columns import columns_from
    from ..run_folder import Shard
    from .hits import what_to_rerank

    values = {
        "policy": policy, "model": model, "journal": journal, "dialect": dialect, "answers": answers,
        "local.dtype": dtype, "local.device": device, "sampling.temperature": temperature, "budget.seconds": seconds,
        "budget.looks": looks, "budget.turns": turns,
    }  # fmt: skip
    spec = spec_of(
        agent, sets, plan=plan, depth=depth, window=window, stride=stride, keep=keep, values=values
    )  # fmt: skip
    if index is not None and corpus is not None:
        raise ConfigError("--index and --corpus both say which candidates ids name; give one of them")
    columns = columns_from(id_column=id_column, text=text_columns, image=image_columns, metadata=metadata_columns)
    given = what_to_rerank(
        files or [], text=text, image=image, run=run, queries=queries, corpus=index or corpus, columns=columns,
        trust=trust, root=root, path_map=path_map or [], depth=spec.plan.depth,
    )  # fmt: skip
    if shard is not None and not given.several:
        raise ConfigError("--shard shares many queries out; one query of the command line is not divided")
    printer = Printer(format_of(form, as_json=as_json), out, several=given.several, top=top)
    rerank_and_print(
        given.pairs,
        given.images if root is not None else _with_roots(given.images, spec.roots),
        spec,
        dialect=given.dialect(dialect_name(spec)),
        trace=trace,
        windows=windows,
        shard=None if shard is None else Shard.parsed(shard),
        report=report,
        printer=printer,
    )


def _with_roots(images: ImageStore, roots: dict[str, str]) -> ImageStore:
    """Return a store in which the roots that the agent's file names count over the folders of the files."""
    from ..images import ImageStore as Store

    return Store({**images.roots, **roots}) if roots else images

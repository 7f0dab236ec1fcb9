"""`vretrver search`: the coarse stage over an index or a source, and the agent on top if wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

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
    check_no_agent,
    spec_of,
)
from .columns import (
    IdColumn,
    ImageColumns,
    MaxMbOption,
    MetadataColumns,
    RootOption,
    TextColumns,
    limits_of,
    roots_of,
)
from .confirmed import TrustOption
from .formats import FormatOption, JsonOption, OutOption, Printer, format_of
from .listing import show_listed
from .models import ENCODERS, POLICIES, DeviceOption, DtypeOption, note_default, note_shipped
from .output import note, prepare_output
from .pages import write_page
from .printing import rerank_and_print
from .progress import progress
from .searching import QueriesOption, asked_of, find, show_found, why_empty


def search(
    source: Annotated[
        str | None,
        typer.Argument(
            help="An index directory, qdrant://HOST:PORT/COLLECTION, a folder, a document, a table, a pool of M-BEIR."
        ),
    ] = None,
    index: Annotated[str | None, typer.Option(help="The same, for an index directory or qdrant://...")] = None,
    text: Annotated[str | None, typer.Option(help="Text of the query.")] = None,
    image: Annotated[Path | None, typer.Option(help="Picture of the query.")] = None,
    queries: QueriesOption = None,
    top: Annotated[int, typer.Option(help="Candidates of each query that are printed.", min=1)] = 10,
    root: RootOption = None,
    max_mb: MaxMbOption = None,
    id_column: IdColumn = None,
    text_columns: TextColumns = None,
    image_columns: ImageColumns = None,
    metadata_columns: MetadataColumns = None,
    where: Annotated[str | None, typer.Option("--filter", help="Of an index: as price < 20 AND shop = 'a'.")] = None,
    encoder: Annotated[
        str | None, typer.Option(help=f"What encodes; default the index's, or hash. {ENCODERS}")
    ] = None,
    device: DeviceOption = None,
    words: Annotated[
        Literal["auto", "only", "never"],
        typer.Option(help="Search words, with the vectors if any."),
    ] = "auto",
    min_score: Annotated[
        float | None, typer.Option(help="Leave out what vectors find below this score of the encoder.")
    ] = None,
    resident_mb: Annotated[int, typer.Option(help="Of an index: hold it in memory if it fits.", min=0)] = 0,
    approximate: Annotated[bool, typer.Option("--approximate", help="Of an index: search approximately.")] = False,
    trust: TrustOption = False,
    policy: Annotated[str | None, typer.Option(help=f"Rerank what was found: {POLICIES}")] = None,
    model: ModelOption = None,
    agent: AgentOption = None,
    sets: SetOption = None,
    journal: JournalOption = None,
    dtype: DtypeOption = None,
    dialect: DialectOption = None,
    answers: AnswersOption = None,
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
        Path | None,
        typer.Option(help="With --policy or --agent: append the record here; what it holds is not done again."),
    ] = None,
    windows: Annotated[
        Path | None, typer.Option(help="With --policy or --agent: keep every window in this folder as it ends.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write a page of the results here, with --policy or --agent the evidence report (HTML)."),
    ] = None,
    form: FormatOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find candidates for a query, best first; with --policy or --agent, rerank --depth of them and print --top.

    With --filter and no query, an index lists what passes, the newest first where its items have a day.

    A source without an index is encoded each time, by the encoder without a model unless told otherwise: it knows
    colours and words.
    """
    from ..assembly.agent import check_agent
    from ..assembly.corpus import CorpusOptions, open_corpus
    from ..data.sources.columns import columns_from
    from ..models.shipped import SHIPPED

    values = {
        "policy": policy, "model": model, "journal": journal, "dialect": dialect, "answers": answers,
        "local.dtype": dtype, "sampling.temperature": temperature, "budget.seconds": seconds, "budget.looks": looks,
        "budget.turns": turns,
    }  # fmt: skip
    planned = {"plan": plan, "depth": depth, "window": window, "stride": stride, "keep": keep}
    check_no_agent(policy, agent, {"trace": trace, "windows": windows, "set": sets, **values, **planned})
    spec = None
    if policy is not None or agent is not None:
        spec = spec_of(
            agent, sets, plan=plan, depth=depth, window=window, stride=stride, keep=keep, device=device, values=values
        )  # fmt: skip
    if (source is None) == (index is None):
        raise ConfigError("name what is searched, once: SOURCE, or --index with an index directory or qdrant://...")
    asked = asked_of(text, image, queries, where=where)
    if asked.listed and spec is not None:
        raise ConfigError("an agent ranks by a query; give --text, --image or --queries beside --filter")
    base, named = roots_of(root)
    printer = Printer(format_of(form, as_json=as_json), out, several=queries is not None, top=top)
    printer.check([(query, ()) for query in asked.queries])
    if spec is not None:
        check_agent(spec)
    for file in (report, trace, spec.journal if spec is not None else None):
        prepare_output(file)
    options = CorpusOptions(
        where=where,
        resident_mb=resident_mb,
        approximate=approximate,
        encoder=encoder,
        device=device or "auto",
        words=words,
        trust=trust,
        pictures=spec is not None or report is not None,
        columns=columns_from(id_column=id_column, text=text_columns, image=image_columns, metadata=metadata_columns),
        named_roots=named,
        limits=limits_of(max_mb),
        listed=asked.listed,
        query=asked.folder,
    )
    if base is None and spec is not None:
        base = spec.roots.get("")
    corpus = open_corpus(source or index or "", options, root=base, note=note, progress=progress)
    if asked.listed:
        show_listed(asked.queries[0], corpus, top, printer, report)
        return
    if spec is None or spec.policy != SHIPPED:  # else reranking says it
        note_shipped([encoder], corpus.images)
    searched = find(corpus, asked.queries, top if spec is None else max(top, spec.plan.depth), min_score=min_score)
    if any(one.by_vectors for one in searched):
        note_default(encoder, corpus.retriever.encoder)
    reasons = why_empty(searched, "no item passes --filter" if where else "there are no items")
    pairs = [(query, one.hits) for query, one in zip(asked.queries, searched, strict=True)]
    printer.check(pairs)
    if spec is not None and any(one.hits for one in searched):
        rerank_and_print(
            pairs, corpus.images, spec, texts=corpus.texts,
            trace=trace, windows=windows, report=report, printer=printer, reasons=reasons,
        )  # fmt: skip
        return
    show_found(asked.queries, searched, reasons, corpus, printer)
    if report is not None:
        write_page(report, asked.queries, searched, corpus, reasons)

"""`vretrver search`: the coarse stage over an index or a source, and the agent on top if wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
from .models import ENCODERS, POLICIES, DeviceOption, DtypeOption, note_default, note_shipped
from .output import emit_json, emit_table, note, prepare_output, progress
from .printing import rerank_and_print

if TYPE_CHECKING:
    from ..assembly.corpus import Corpus
    from ..records import Query
    from ..retrieval.searched import Searched


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
    top: Annotated[int, typer.Option(help="Candidates to find.", min=1)] = 10,
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
    trace: Annotated[Path | None, typer.Option(help="With --policy: append the record here.")] = None,
    report: Annotated[Path | None, typer.Option(help="With --policy: write the evidence report here (HTML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find candidates for a query, best first; with --policy or --agent, rerank them.

    A source without an index is encoded each time, by the encoder without a model unless told otherwise: it knows
    colours and words.
    """
    from ..assembly.agent import check_agent
    from ..assembly.corpus import CorpusOptions, open_corpus
    from ..data.sources.columns import columns_from
    from ..models.shipped import SHIPPED
    from .inputs import folder_of, query_of

    values = {
        "policy": policy, "model": model, "journal": journal, "dialect": dialect, "answers": answers,
        "local.dtype": dtype, "sampling.temperature": temperature, "budget.seconds": seconds, "budget.looks": looks,
        "budget.turns": turns,
    }  # fmt: skip
    windows = {"plan": plan, "depth": depth, "window": window, "stride": stride, "keep": keep}
    check_no_agent(policy, agent, {"report": report, "trace": trace, "set": sets, **values, **windows})
    spec = None
    if policy is not None or agent is not None:
        spec = spec_of(
            agent, sets, plan=plan, depth=depth, window=window, stride=stride, keep=keep, device=device, values=values
        )  # fmt: skip
    if (source is None) == (index is None):
        raise ConfigError("name what is searched, once: SOURCE, or --index with an index directory or qdrant://...")
    query = query_of(text, image)
    base, named = roots_of(root)
    if spec is not None:
        check_agent(spec)
        for file in (report, trace, spec.journal):
            prepare_output(file)
    options = CorpusOptions(
        where=where,
        resident_mb=resident_mb,
        approximate=approximate,
        encoder=encoder,
        device=device or "auto",
        words=words,
        trust=trust,
        pictures=spec is not None,
        columns=columns_from(id_column=id_column, text=text_columns, image=image_columns, metadata=metadata_columns),
        named_roots=named,
        limits=limits_of(max_mb),
        query=folder_of(image),
    )
    if base is None and spec is not None:
        base = spec.roots.get("")
    corpus = open_corpus(source or index or "", options, root=base, note=note, progress=progress)
    if words != "only":
        note_default(encoder, corpus.retriever.encoder)
    if spec is None or spec.policy != SHIPPED:  # else reranking says it
        note_shipped([encoder], corpus.images)
    (found,) = corpus.search([query], top, min_score=min_score)
    if found.reason is not None:
        note(f"nothing was found: {found.reason}")
    elif found.unknown:
        note(f"in no item: {', '.join(found.unknown)}")
    if spec is not None and found.hits:
        rerank_and_print([(query, found.hits)], corpus.images, spec, trace=trace, report=report, as_json=as_json)
    else:
        _print(query, found, corpus, as_json=as_json)


def _print(query: Query, found: Searched, corpus: Corpus, *, as_json: bool) -> None:
    hits = found.hits
    if as_json:
        rows = [{"did": h.candidate.did, "rank": rank, "score": h.score} for rank, h in enumerate(hits, start=1)]
        made_by, left_out = corpus.retriever.encoder.fingerprint, corpus.left_out
        said = {"qid": query.qid, "encoder": made_by, "hits": rows, "left_out": left_out}
        emit_json(said if found.reason is None else {**said, "reason": found.reason})
    elif hits:
        table = [(rank, hit.candidate.did, round(hit.score, 4)) for rank, hit in enumerate(hits, start=1)]
        emit_table(("rank", "candidate", "score"), table)

"""`vretrver search`: the coarse stage over an index or a source, and the agent on top if wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
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
from .models import (
    ENCODERS,
    POLICIES,
    DeviceOption,
    DtypeOption,
    check_policy,
    is_local,
    local_options,
    note_default,
    note_shipped,
    recipe_of,
)
from .output import emit_json, emit_table, note, prepare_output, progress

if TYPE_CHECKING:
    from ..images import ImageStore
    from ..retrieval.retriever import Retriever
    from .indexes import IndexOptions


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
    resident_mb: Annotated[int, typer.Option(help="Of an index: hold it in memory if it fits.", min=0)] = 0,
    approximate: Annotated[bool, typer.Option("--approximate", help="Of an index: search approximately.")] = False,
    policy: Annotated[str | None, typer.Option(help=f"Rerank what was found: {POLICIES}")] = None,
    model: Annotated[str | None, typer.Option(help="The server's model, unless VRETRVER_MODEL names it.")] = None,
    dialect: Annotated[
        str | None, typer.Option(help="With --policy: vretrver (default), or released for the published checkpoints.")
    ] = None,
    dtype: DtypeOption = None,
    trace: Annotated[Path | None, typer.Option(help="With --policy: append the record here.")] = None,
    journal: Annotated[Path | None, typer.Option(help="With --policy: keep every turn here.")] = None,
    report: Annotated[Path | None, typer.Option(help="With --policy: write the evidence report here (HTML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find candidates for a query, best first.

    What is no index is encoded anew each time, unless told otherwise by the encoder without a model: it knows colours
    and words.
    """
    from ..models.shipped import SHIPPED
    from ..retrieval.qdrant.address import is_qdrant
    from .collections import open_collection
    from .indexes import IndexOptions, is_index, open_index
    from .inputs import folder_of, query_of

    for option, value in (("report", report), ("trace", trace), ("journal", journal), ("dialect", dialect)):
        if value is not None and policy is None:
            raise ConfigError(f"--{option} needs --policy: it is about what an agent looks at")
    if (source is None) == (index is None):
        raise ConfigError("name what is searched, once: SOURCE, or --index with an index directory or qdrant://...")
    source = source or index or ""
    query = query_of(text, image)
    base, named = roots_of(root)
    if policy is not None:
        check_policy(policy, model)
    for file in (report, trace, journal):
        prepare_output(file)
    options = IndexOptions(
        where=where,
        resident_mb=resident_mb,
        approximate=approximate,
        encoder=encoder,
        device=device or "auto",
        named_roots=named,
        limits=limits_of(max_mb),
    )
    left_out = 0
    folder = folder_of(image)
    if is_qdrant(source):
        retriever, images = open_collection(source, options, root=base, query=folder)
    elif is_index(Path(source)):
        retriever, images = open_index(Path(source), options, root=base, query=folder)
    elif where is not None or resident_mb or approximate:
        raise ConfigError(f"{source}: no index; --filter, --resident-mb and --approximate need one")
    else:
        columns = (id_column, text_columns, image_columns, metadata_columns)
        retriever, images, left_out = _encoded(Path(source), base, columns, image, options)
    note_default(encoder, retriever.encoder)
    if policy != SHIPPED:  # else reranking says it
        note_shipped([encoder], images)
    (hits,) = retriever.search([query], top)
    if not hits:
        note("nothing was found: no item passes --filter" if where else "nothing was found: there are no items")
    if policy is not None:
        from ..agent.dialects import dialect_named
        from .rerank import rerank_and_print

        recipe, local = recipe_of(policy), local_options(dtype, device) if is_local(policy) else None
        rerank_and_print(
            [(query, hits)],
            images,
            policy=policy,
            model=model,
            local=local,
            dialect=dialect_named(dialect or (recipe.dialect if recipe else "vretrver")),
            trace=trace,
            journal=journal,
            report=report,
            as_json=as_json,
        )
    elif as_json:
        found = [{"did": h.candidate.did, "rank": rank, "score": h.score} for rank, h in enumerate(hits, start=1)]
        emit_json({"qid": query.qid, "encoder": retriever.encoder.fingerprint, "hits": found, "left_out": left_out})
    else:
        rows = [(rank, hit.candidate.did, round(hit.score, 4)) for rank, hit in enumerate(hits, start=1)]
        emit_table(("rank", "candidate", "score"), rows)


def _encoded(
    source: Path,
    root: str | None,
    names: tuple[str | None, str | None, str | None, str | None],
    image: Path | None,
    options: IndexOptions,
) -> tuple[Retriever, ImageStore, int]:
    """Encode a source in memory; returns what finds in it, its pictures, and how many items were left out."""
    from ..data.sources.columns import columns_from
    from ..data.sources.source import read_source
    from ..retrieval.encoders import encoder_named
    from ..retrieval.index import MemoryIndex
    from ..retrieval.retriever import Retriever
    from .inputs import QUERY, corpus_of, folder_of, note_left_out, nothing_encoded, store_of

    id_column, texts, pictures, metadata = names
    columns = columns_from(id_column=id_column, text=texts, image=pictures, metadata=metadata)
    opened = read_source(source, root=root, named_roots=options.named_roots, columns=columns, limits=options.limits)
    corpus = corpus_of(opened)
    images = store_of({**opened.roots, QUERY: folder_of(image)}, options.limits)
    encoder = encoder_named(options.encoder or "hash", images, device=options.device)
    index = MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint)
    retriever = Retriever(encoder, index, corpus)
    with progress("encoding") as update:
        refused = retriever.encode(progress=update)
    if len(refused) == len(corpus):
        raise nothing_encoded(opened, refused)
    note_left_out(refused)
    return retriever, images, len(refused)

"""`vretrver search`: the coarse stage over a folder of pictures or a pool, and the agent on top if wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .columns import IdColumn, ImageColumns, MetadataColumns, RootOption, TextColumns
from .output import emit_json, emit_table, note, progress


def search(
    source: Annotated[Path, typer.Argument(help="A folder of pictures, a document, a table, or a pool of M-BEIR.")],
    text: Annotated[str | None, typer.Option(help="Text of the query.")] = None,
    image: Annotated[Path | None, typer.Option(help="Picture of the query.")] = None,
    top: Annotated[int, typer.Option(help="Candidates to find.", min=1)] = 10,
    root: RootOption = None,
    id_column: IdColumn = None,
    text_columns: TextColumns = None,
    image_columns: ImageColumns = None,
    metadata_columns: MetadataColumns = None,
    policy: Annotated[str | None, typer.Option(help="Rerank what was found with this policy.")] = None,
    report: Annotated[Path | None, typer.Option(help="With --policy: write the evidence report here (HTML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find candidates for a query, best first. The encoder is the model-free one: it knows colours and words."""
    from ..data.sources.columns import columns_from
    from ..retrieval.hash_encoder import HashEncoder
    from ..retrieval.index import MemoryIndex
    from ..retrieval.retriever import Retriever
    from .inputs import corpus_of, query_of, store_of

    columns = columns_from(id_column=id_column, text=text_columns, image=image_columns, metadata=metadata_columns)
    corpus, images = corpus_of(source, root, columns)
    query = query_of(text, image)
    images = store_of({**images.roots, "query": image.parent if image else Path()})
    encoder = HashEncoder(images)
    index = MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint)
    retriever = Retriever(encoder, index, corpus)
    with progress("encoding") as update:
        refused = retriever.encode(progress=update)
    for candidate in refused:
        note(f"left out: {candidate.did}: {candidate.reason}")
    (hits,) = retriever.search([query], top)
    if policy is not None:
        from .rerank import rerank_and_print

        rerank_and_print([(query, hits)], images, policy=policy, report=report, as_json=as_json)
    elif as_json:
        found = [{"did": h.candidate.did, "rank": rank, "score": h.score} for rank, h in enumerate(hits, start=1)]
        emit_json({"qid": query.qid, "encoder": encoder.fingerprint, "hits": found, "left_out": len(refused)})
    else:
        rows = [(rank, hit.candidate.did, round(hit.score, 4)) for rank, hit in enumerate(hits, start=1)]
        emit_table(("rank", "candidate", "score"), rows)

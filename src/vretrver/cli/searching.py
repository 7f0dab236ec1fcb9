"""What `vretrver search` asks, how it finds many queries' hits, and how it shows them without an agent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, PictureError
from .output import note
from .progress import progress

if TYPE_CHECKING:
    from ..assembly.corpus import Corpus
    from ..records import Query
    from ..retrieval.searched import Searched
    from .formats import Printer

QueriesOption = Annotated[
    Path | None,
    typer.Option(help="Many queries: a JSONL, M-BEIR's file, a TSV (id, tab, text), TREC topics, or a text a line."),
]

_BATCH = 128
"""Queries encoded and searched at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQueries:
    """The queries of a command."""

    queries: list[Query]
    """In the order given; at least one."""
    folder: Path
    """Where their pictures lie, as the root `query`."""
    listed: bool = False
    """Whether there is a filter and no query: what passes is listed."""


def asked_of(text: str | None, image: Path | None, file: Path | None, *, where: str | None = None) -> AskedQueries:
    """Return what the options ask; raises ConfigError when they do not go together.

    A filter is the query where nothing else is asked.
    """
    from .inputs import folder_of, query_of

    if file is None:
        if not text and image is None:
            if where is None:
                raise ConfigError(
                    "there is no query; give --text, --image or --queries, or --filter to list what passes it"
                )
            return AskedQueries(queries=[_of_filter(where)], folder=Path(), listed=True)
        return AskedQueries(queries=[query_of(text, image)], folder=folder_of(image))
    if text or image is not None:
        raise ConfigError("--queries brings its own queries; leave --text and --image out")
    from ..data.named import QUERY
    from ..data.queries import read_query_file
    from ..data.trec_hits import root_of

    return AskedQueries(queries=read_query_file(file, root=QUERY), folder=root_of(file))


def _of_filter(where: str) -> Query:
    """Return the query that stands for a filter."""
    from ..records import Query, parts_of

    return Query(
        qid=f"filter-{hashlib.sha256(where.encode(errors='replace')).hexdigest()[:8]}", parts=parts_of(text=where)
    )


def find(corpus: Corpus, queries: Sequence[Query], depth: int, *, min_score: float | None = None) -> list[Searched]:
    """Return what is found for each query; one whose picture cannot be read is named and finds nothing.

    Raises:
        PictureError: none of the queries' pictures can be read.
    """
    found: list[Searched] = []
    failed: list[PictureError] = []
    with progress("searching", unit="queries") as update:
        for start in range(0, len(queries), _BATCH):
            batch = queries[start : start + _BATCH]
            try:
                found += corpus.search(batch, depth, min_score=min_score)
            except PictureError:
                found += _singly(corpus, batch, depth, min_score, failed)
            update(len(found), len(queries))
    if len(failed) == len(queries):
        raise failed[0]
    return found


def _singly(
    corpus: Corpus, batch: Sequence[Query], depth: int, min_score: float | None, failed: list[PictureError]
) -> list[Searched]:
    from ..retrieval.searched import Searched

    found: list[Searched] = []
    for query in batch:
        try:
            found += corpus.search([query], depth, min_score=min_score)
        except PictureError as error:
            failed.append(error)
            note(f"{query.qid}: not asked: {error}")
            found.append(Searched(hits=(), reason=f"not asked: {error}"))
    return found


def why_empty(searched: Sequence[Searched], default: str) -> list[str]:
    """Return why each query found nothing, empty texts for the others, and say it and unknown words on stderr."""
    if len(searched) == 1 and searched[0].hits and searched[0].unknown:
        note(f"in no item: {', '.join(searched[0].unknown)}")
    reasons = [f"nothing was found: {one.reason or default}" if not one.hits else "" for one in searched]
    told = [reason for reason in reasons if reason]
    if told:
        note(told[0] if len(searched) == 1 else f"{len(told)} of {len(searched)} queries: {told[0]}")
    return reasons


def show_found(
    queries: Sequence[Query], searched: Sequence[Searched], reasons: Sequence[str], corpus: Corpus, printer: Printer
) -> None:
    """Print what was found; `reasons` say why a query without hits has none."""
    from ..assembly.results import found

    facts = {"encoder": corpus.retriever.encoder.fingerprint, "left_out": corpus.left_out}
    for query, one, reason in zip(queries, searched, reasons, strict=True):
        unknown = {"unknown_words": one.unknown} if one.unknown else {}
        printer.show(
            found(
                query,
                one.hits,
                corpus.images.roots,
                facts={**facts, **unknown},
                reason=reason or None,
                top=printer.top,
            )
        )
    printer.close()

"""V-Retrver's evaluation rows: parquet whose column `hit` holds the first-stage candidates, best first.

Each hit is taken as one candidate. (The published windows list pictures and texts apart, which shifts the texts after
a candidate that lacks one.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from ...records import Candidate, Hit, parts_of
from ..hits import RerankRequest
from .items import query_of
from .messages import PublishedPrompt, prompt_of, texts_of_prompt
from .rows import PathMap, PublishedRow, number_in, object_in, objects_in, read_parquet_rows, text_in

_KNOWN = {"candidate_images", "candidate_texts", "did", "score"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRow:
    """One query with its first-stage hits."""

    where: str
    """Where it stands, as in `test.parquet: row 3`."""
    request: RerankRequest
    """The query and its hits, best first. A hit's did is the row's where it has one, else `qid#place`; what else
    the row says of a hit is metadata."""
    prompt: PublishedPrompt
    """The texts to make a dialect of."""


def read_evaluation(path: Path, *, paths: PathMap | None = None) -> Iterator[EvaluationRow]:
    """Yield the rows of an evaluation file in its order.

    A malformed row is never left out: its query would silently vanish from the result.

    Args:
        path: the parquet file.
        paths: where its pictures lie; None takes every path as relative to the default root.

    Raises:
        DataError: the file cannot be read, lacks a column, or holds a malformed row or a qid twice.
        MissingDependency: pyarrow is not installed.
    """
    first: dict[str, str] = {}
    mapped = paths or PathMap()
    for where, value in read_parquet_rows(path, ["prompt", "extra_info", "hit"]):
        row = _row(value, where, mapped)
        qid = row.request.query.qid
        if qid in first:
            raise DataError(f"{where}: qid {qid!r} stands already at {first[qid]}; make qids unique")
        first[qid] = where
        yield row


def _row(row: PublishedRow, where: str, paths: PathMap) -> EvaluationRow:
    query = query_of(row, object_in(row, "extra_info", where), where, paths)
    hits = tuple(
        _hit(hit, place, f"{query.qid}#{place}", f"{where}: hit {place}", paths)
        for place, hit in enumerate(objects_in(row, "hit", where), start=1)
    )
    if not hits:
        raise DataError(f"{where}: hit is empty; every query needs candidates")
    seen: set[str] = set()
    for hit in hits:
        if hit.candidate.did in seen:
            raise DataError(f"{where}: did {hit.candidate.did!r} appears twice among the hits")
        seen.add(hit.candidate.did)
    prompt = prompt_of(texts_of_prompt(row, where), where)
    return EvaluationRow(where=where, request=RerankRequest(query=query, hits=hits), prompt=prompt)


def _hit(hit: PublishedRow, place: int, nameless: str, where: str, paths: PathMap) -> Hit:
    image, text = text_in(hit, "candidate_images", where), text_in(hit, "candidate_texts", where)
    if not image and not text:
        raise DataError(f"{where}: it holds neither text nor a picture")
    score = number_in(hit, "score", where)
    candidate = Candidate(
        did=text_in(hit, "did", where) or nameless,
        parts=parts_of(text=text, images=[paths.ref(image, where)] if image else []),
        metadata={
            key: value
            for key, value in hit.items()
            if key not in _KNOWN and (value is None or isinstance(value, str | int | float | bool))
        },
    )
    return Hit(candidate=candidate, score=1.0 / place if score is None else score)

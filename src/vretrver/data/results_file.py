"""What `vretrver search` and `rerank` wrote as JSONL, read back as a ranking with its queries; docs/output.md."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError
from ..records import Query, parts_of
from ..runs import Run
from .rows import read_lines, read_objects

_FORMAT = "vretrver-results-"


def is_results_file(path: Path) -> bool:
    """Say whether a file begins like results: its first line is an object that names their format."""
    _, first = next(read_lines(path), ("", ""))
    return first.lstrip().startswith("{") and f'"{_FORMAT}' in first


def read_results(path: Path) -> tuple[Run, list[Query]]:
    """Return the ranking of a file of results, one object a line, and those of its queries that are texts only.

    Queries for which nothing was found are left out.

    Raises:
        DataError: naming path:line, for an object that is no result.
    """
    rankings: dict[str, tuple[tuple[str, float], ...]] = {}
    queries: list[Query] = []
    for where, value in read_objects(path):
        qid, asked = value.get("qid"), value.get("query")
        rows = value.get("ranking", value.get("hits"))
        if not isinstance(qid, str) or not isinstance(rows, list):
            raise DataError(f"{where}: no result of a query; give what --format jsonl wrote")
        if qid in rankings:
            raise DataError(f"{where}: qid {qid!r} came before; make qids unique")
        if rows:
            rankings[qid] = tuple(_hit(row, where) for row in rows)
        text = asked.get("text") if isinstance(asked, dict) and not asked.get("pictures") else None
        if isinstance(text, str) and text:
            queries.append(Query(qid=qid, parts=parts_of(text=text)))
    if not rankings:
        raise DataError(f"{path}: none of its queries has a hit")
    return Run(tag="vretrver", rankings=rankings), queries


def _hit(row: object, where: str) -> tuple[str, float]:
    did, score = (row.get("did"), row.get("score")) if isinstance(row, dict) else (None, None)
    if not isinstance(did, str) or type(score) not in (int, float):
        raise DataError(f"{where}: a hit has no did or no score; give what --format jsonl wrote")
    return did, float(score)  # type: ignore[arg-type]

"""Files of many queries, in the forms people have: JSONL, M-BEIR's, tables of two columns, TREC topics, lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from ..records import Query, parts_of
from .rows import read_lines
from .trec_hits import read_queries_of_either_form

_OTHER = (".csv", ".json", ".parquet", ".xml", ".xlsx")
_HEADERS = frozenset({"qid", "id", "query_id", "query-id", "topic", "topic_id"})
_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*([^<]*)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:Topic:)?\s*([^<]*)", re.IGNORECASE)
_DESCRIPTION = re.compile(r"<desc>\s*(?:Description:)?\s*([^<]*)", re.IGNORECASE)


def read_query_file(path: Path, *, root: str = "") -> list[Query]:
    """Return the queries of a file in its order; its first line says which form it has.

    JSONL holds queries as in a request or as in M-BEIR; `<top>` begins TREC topics, of which the title is asked, or
    the description where there is none; with tabs it is `id TAB text`, a first line `qid TAB ...` being names;
    everything else is one text a line, which has the number of its line as id.

    Args:
        path: the file, plain or `.gz`.
        root: name of the image root of the queries' pictures.

    Raises:
        DataError: it cannot be read, is of another form, holds no query, or an id twice; the message names the line.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; --queries takes a JSONL, a TSV, TREC topics, or one text a line")
    if Path(path.name.lower().removesuffix(".gz")).suffix in _OTHER:
        raise DataError(f"{path}: queries are a JSONL, a TSV (id, tab, text), TREC topics, or one text a line")
    lines = read_lines(path)
    _, first = next(lines, ("", ""))
    if not first:
        raise DataError(f"{path}: it holds no query; write one text a line")
    if first.lstrip().startswith("{"):
        found: Iterator[tuple[str, Query]] = (
            (f"{path}", query) for query in read_queries_of_either_form(path, root=root)
        )
    elif first.lstrip().lower().startswith("<top"):
        found = _topics(path)
    elif "\t" in first:
        found = _table(path)
    else:
        found = _texts(path)
    return _unique(found)


def _unique(found: Iterator[tuple[str, Query]]) -> list[Query]:
    queries: dict[str, Query] = {}
    for where, query in found:
        if queries.setdefault(query.qid, query) is not query:
            raise DataError(f"{where}: qid {query.qid!r} came before; make qids unique")
    return list(queries.values())


def _texts(path: Path) -> Iterator[tuple[str, Query]]:
    for where, line in read_lines(path):
        yield where, Query(qid=where.rpartition(":")[2], parts=parts_of(text=line.strip()))


def _table(path: Path) -> Iterator[tuple[str, Query]]:
    for place, (where, line) in enumerate(read_lines(path)):
        qid, _, text = (cell.strip() for cell in line.partition("\t"))
        if place == 0 and qid.lower() in _HEADERS:
            continue
        if not (qid and text):
            raise DataError(f"{where}: a line is an id, a tab and a text, got {line[:60]!r}")
        if "\t" in text:
            raise DataError(f"{where}: more than two columns; leave the id and the text")
        yield where, Query(qid=qid, parts=parts_of(text=text))


def _topics(path: Path) -> Iterator[tuple[str, Query]]:
    where, topic = "", ""
    for place, line in (*read_lines(path), ("", "<top>")):
        before, begins, after = _parted(line)
        topic += f"{before}\n"
        if begins:
            if where:
                yield where, _topic(where, topic)
            where, topic = place, after


def _parted(line: str) -> tuple[str, bool, str]:
    """Return what stands before and after `<top>` in a line, and whether it does."""
    match = re.search(r"<top>", line, re.IGNORECASE)
    return (line, False, "") if match is None else (line[: match.start()], True, line[match.end() :])


def _topic(where: str, topic: str) -> Query:
    qid, title, description = (
        " ".join(found[1].split()) if (found := tag.search(topic)) else "" for tag in (_NUMBER, _TITLE, _DESCRIPTION)
    )
    if not qid or not (title or description):
        raise DataError(f"{where}: the topic has no {'<title>' if qid else '<num>'}; write both")
    return Query(qid=qid, parts=parts_of(text=title or description))

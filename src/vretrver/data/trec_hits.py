"""Hits from a ranking that names queries and candidates by id, as a TREC run does, and the files those stand in.

The corpus is read row by row and only what the ranking names is kept, so it may be far larger than memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..records import Candidate, Hit, Query
from ..runs import Run, place_in_run, read_run
from .hits import RerankRequest, read_candidate_rows, read_query_rows
from .instructions import read_instructions
from .mbeir import read_candidates, read_queries
from .rows import read_objects
from .sources.tables import kind_of_table

PlaceOf = Callable[[str, str | None], str]
"""(qid, did or None) -> where the ranking of that query, or that did in it, stands, as in `run.trec:17`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHits:
    """What a ranking found, ready to be reranked."""

    requests: tuple[RerankRequest, ...]
    """The ranked queries with their hits, in the order of the query file."""
    unranked: tuple[str, ...]
    """Qids of the query file that the ranking does not hold."""


def read_trec_hits(run: Path, *, queries: Iterable[Query], corpus: Iterable[Candidate], depth: int) -> FoundHits:
    """Join a TREC run with its queries and corpus; see `join_hits`."""
    return join_hits(
        read_run(run),
        place=lambda qid, did: place_in_run(run, qid, did),
        queries=queries,
        corpus=corpus,
        depth=depth,
    )


def named_in(run: Run, *, depth: int) -> list[str]:
    """Return the dids that a ranking names down to a depth, each once."""
    return list(dict.fromkeys(did for ranking in run.rankings.values() for did, _ in ranking[:depth]))


def join_hits(
    run: Run, *, place: PlaceOf, queries: Iterable[Query], corpus: Iterable[Candidate], depth: int
) -> FoundHits:
    """Join a ranking with the queries and candidates it names.

    Args:
        run: the ranking.
        place: where a part of the ranking stands, for messages.
        queries: at least those of the ranking; qids unique.
        corpus: at least the candidates of the ranking; read once, in any order.
        depth: hits kept per query, at least 1; what lies below is not looked up.

    Raises:
        DataError: a qid or a did of the ranking is in neither file, or stands in one twice.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    asked: dict[str, Query] = {}
    for query in queries:
        if asked.setdefault(query.qid, query) is not query:
            raise DataError(f"qid {query.qid!r} appears twice in the queries; make qids unique")
    unknown = [qid for qid in run.rankings if qid not in asked]
    if unknown:
        raise DataError(
            f"{place(unknown[0], None)}: qid {unknown[0]!r} is not among the queries"
            f"{_and_more(unknown, 'qid')}; give the queries the ranking was made for"
        )
    best = {qid: ranking[:depth] for qid, ranking in run.rankings.items()}
    known = named_among(corpus, {did for ranking in best.values() for did, _ in ranking})
    missing = [(qid, did) for qid, ranking in best.items() for did, _ in ranking if did not in known]
    if missing:
        raise DataError(
            f"{place(*missing[0])}: did {missing[0][1]!r} of query {missing[0][0]!r} is not in the corpus"
            f"{_and_more(missing, 'hit')}; give the corpus the ranking was made from"
        )
    requests = (
        RerankRequest(
            query=query, hits=tuple(Hit(candidate=known[did], score=score) for did, score in best[query.qid])
        )
        for query in asked.values()
        if query.qid in best
    )
    return FoundHits(requests=tuple(requests), unranked=tuple(qid for qid in asked if qid not in best))


def read_queries_of_either_form(path: Path, *, root: str = "") -> Iterator[Query]:
    """Return the queries of an M-BEIR file, or of one that holds them as requests do; the first row tells which.

    M-BEIR queries get their instructions from the table of the layout the file lies in, if it has one.
    """
    if "query_modality" not in _first_row(path):
        return read_query_rows(path, root=root)
    table = root_of(path) / "instructions" / "query_instructions.tsv"
    instructions = read_instructions(table) if table.is_file() else None
    return (row.query for row in read_queries(path, instructions=instructions, root=root))


def read_corpus_of_either_form(path: Path, *, root: str = "") -> Iterator[Candidate]:
    """Return the candidates of an M-BEIR pool, or of a file that holds them as requests do."""
    if "modality" in _first_row(path):
        return read_candidates(path, root=root)
    return read_candidate_rows(path, root=root)


def root_of(path: Path) -> Path:
    """Return the folder picture paths start from: that of the M-BEIR layout a file lies in, else the file's own."""
    parents = path.resolve().parents
    return parents[2] if len(parents) > 2 and parents[1].name in ("cand_pool", "query") else parents[0]


def _first_row(path: Path) -> Mapping[str, object]:
    for _, row in read_objects(path):
        return row
    raise DataError(f"{path}: the file holds no row; give one JSON object a line")


def holds_candidates(path: Path) -> bool:
    """Say whether a file holds candidates as `read_corpus_of_either_form` reads them: rows with a `did`."""
    return kind_of_table(path) not in (".csv", ".tsv", ".parquet") and "did" in _first_row(path)


def named_among(corpus: Iterable[Candidate], dids: set[str]) -> dict[str, Candidate]:
    """Return those of a corpus that are named, by did; raises DataError for one that appears twice in it."""
    known: dict[str, Candidate] = {}
    for candidate in corpus:
        if candidate.did in dids and known.setdefault(candidate.did, candidate) is not candidate:
            raise DataError(f"did {candidate.did!r} appears twice in the corpus; make dids unique")
    return known


def _and_more(wrong: list[str] | list[tuple[str, str]], what: str) -> str:
    return f" (nor are {len(wrong) - 1} more {what}s)" if len(wrong) > 1 else ""

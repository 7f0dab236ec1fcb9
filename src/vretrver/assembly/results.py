"""The shape in which results are handed to programs: one object a query. docs/output.md describes it.

`FORMAT` names its version: a key that changes its meaning or goes away changes the name, a new key does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..agent.reranked import Ranked, Reranked
from ..agent.trajectory import Trajectory
from ..records import Candidate, Citation, Hit, ImageRef, Query
from ..runs import Run, check_word, run_text
from .evidence import evidence_of
from .failures import why
from .verdicts import unopened_dids, verdicts_by_did, verdicts_in_short

FORMAT = "vretrver-results-1"
"""Name and version of the shape, in every object."""

Roots = Mapping[str, Path | str]
"""Root name -> folder, or URL of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is told of one query."""

    qid: str
    """The query."""
    value: dict[str, Any]
    """The object that programs read."""
    header: tuple[str, ...]
    """Names of the columns of a table."""
    rows: tuple[tuple[object, ...], ...]
    """Its rows, best first."""
    ranking: tuple[tuple[str, float], ...]
    """(did, score), best first, scores never rising."""


def found(
    query: Query,
    hits: Sequence[Hit],
    roots: Roots,
    *,
    facts: Mapping[str, Any] | None = None,
    reason: str | None = None,
    top: int | None = None,
    scored: bool = True,
) -> Result:
    """Return what a search found.

    Args:
        query: what was asked.
        hits: what was found, best first.
        roots: where pictures are; those of other roots have no `file`.
        facts: further keys of the object, as `encoder`.
        reason: why nothing was found, or why the order says little; None where it is an ordinary result.
        top: hits that are told; None is all.
        scored: whether scores say more than places do; a table leaves out those that do not.
    """
    shown = hits if top is None else hits[:top]
    rows = [_of_hit(hit, roots, rank=rank, coarse=rank, score=hit.score) for rank, hit in enumerate(shown, start=1)]
    value = {
        "format": FORMAT, "qid": query.qid, "query": _of_query(query), **(facts or {}), "reason": reason, "hits": rows
    }  # fmt: skip
    table = [
        (rank, hit.candidate.did, *([round(hit.score, 4)] if scored else []), label_of(hit))
        for rank, hit in enumerate(shown, start=1)
    ]
    header, cells = _without_empty_labels(("rank", "candidate", *(["score"] if scored else [])), table)
    return Result(
        qid=query.qid,
        value=value,
        header=header,
        rows=cells,
        ranking=tuple((hit.candidate.did, hit.score) for hit in shown),
    )


def ranked(reranked: Reranked, roots: Roots, *, top: int | None = None) -> Result:
    """Return what a reranking came to; see `found`."""
    hits = {hit.candidate.did: hit for hit in reranked.hits}
    shown = reranked.ranking if top is None else reranked.ranking[:top]
    looks, verdicts = evidence_of(reranked), verdicts_by_did(reranked)
    last = {did: one for one in reranked.trajectories for did in one.candidates}
    rows = [
        {
            **_of_hit(hits[one.did], roots, rank=one.rank, coarse=one.coarse_rank, score=one.score),
            "coarse_score": hits[one.did].score,
            "scored_by": one.scored_by,
            "probability": one.probability,
            "status": _status(last.get(one.did)),
            "stop": last[one.did].stop.value if one.did in last else None,
            "looks": [{"picture": look.picture, "box": look.box} for look in looks.get(one.did, [])],
            **({"verdicts": verdicts[one.did]} if one.did in verdicts else {}),
        }
        for one in shown
    ]
    value = {
        "format": FORMAT,
        "qid": reranked.query.qid,
        "query": _of_query(reranked.query),
        "verdict": reranked.verdict,
        "ended": reranked.ended,
        "cost": _cost(reranked),
        "ranking": rows,
        "windows": [_of_window(one) for one in reranked.trajectories],
        "failed_windows": len(reranked.failed),
    }
    unopened = unopened_dids(reranked)
    told = {did: "could not be opened" if did in unopened else verdicts_in_short(verdicts[did]) for did in verdicts}
    table = [_table_row(one, hits[one.did], told.get(one.did, "")) for one in shown]
    header, cells = _without_empty_labels(("rank", "candidate", "before", "score"), table)
    return Result(
        qid=reranked.query.qid,
        value=value,
        header=header,
        rows=cells,
        ranking=tuple((one.did, one.score) for one in shown),
    )


def trec_text(results: Sequence[Result], *, tag: str) -> str:
    """Return results as a TREC run, scores strictly decreasing; queries without a hit are left out.

    Raises:
        DataError: an id or the tag holds white space; see `check_for_trec`.
    """
    return run_text(Run.from_scores(tag=tag, scored={one.qid: one.ranking for one in results if one.ranking}))


def check_for_trec(pairs: Sequence[tuple[Query, Sequence[Hit]]]) -> None:
    """Raise DataError for an id that a TREC run cannot hold, before work is done for it."""
    for query, hits in pairs:
        check_word(query.qid, "qid")
        for hit in hits:
            check_word(hit.candidate.did, "did")


def label_of(hit: Hit) -> str:
    """Return what a person recognises a hit by: the line that matched, else a title, else its text, else its date."""
    if hit.citation is not None and hit.citation.source != "name":  # the name is told already, in the id
        return _line(hit.citation.text)
    metadata = {name.strip().lower(): value for name, value in hit.candidate.metadata.items()}
    for name in ("title", "name", "label", "caption", "headline", "subject"):
        if isinstance(metadata.get(name), str) and str(metadata[name]).strip():
            return _line(str(metadata[name]))
    return _line(hit.candidate.text.strip().partition("\n")[0] or str(metadata.get("taken") or ""))


def _of_hit(hit: Hit, roots: Roots, *, rank: int, coarse: int, score: float) -> dict[str, Any]:
    candidate = hit.candidate
    picture = next(iter(candidate.pictures), None)
    return {
        "did": candidate.did,
        "rank": rank,
        "score": score,
        "coarse_rank": coarse,
        "text": candidate.text or None,
        "path": None if picture is None else picture.path,
        "file": None if picture is None else _file(picture, roots),
        "page": None if picture is None or not _paged(candidate, picture) else picture.page + 1,
        "metadata": dict(candidate.metadata),
        "citation": None if hit.citation is None else _of_citation(hit.citation),
    }


def _of_citation(citation: Citation) -> dict[str, Any]:
    return {
        "text": citation.text,
        "source": citation.source,
        "picture": citation.picture or None,
        "box": None if citation.box is None else citation.box.to_list(),
        "confidence": citation.confidence,
    }


def _of_query(query: Query) -> dict[str, Any]:
    return {"text": query.text or None, "pictures": [picture.path for picture in query.pictures]}


def _of_window(one: Trajectory) -> dict[str, Any]:
    failed = {"error": why(one)} if one.ranking is None else {}
    return {
        "round": one.step.round, "places": one.step.places, "reason": one.stop.value, "looks": one.looks,
        "tokens": one.tokens, **failed,
    }  # fmt: skip


def _cost(reranked: Reranked) -> dict[str, Any]:
    windows = reranked.trajectories
    return {
        "windows": len(windows),
        "turns": sum(len(one.turns) for one in windows),
        "looks": sum(one.looks for one in windows),
        "tokens": sum(one.tokens for one in windows),
        "seconds": round(reranked.seconds, 3),
    }


def _status(last: Trajectory | None) -> str:
    """Return whether a candidate's place was decided: by its last window, or by none that was answered."""
    if last is None:
        return "not_shown"
    return "ranked" if last.ranking is not None else "not_confirmed"


def _table_row(one: Ranked, hit: Hit, verdicts: str) -> tuple[object, ...]:
    label = _line(verdicts, most=_VERDICTS) or label_of(hit)
    return (one.rank, one.did, one.coarse_rank, round(one.score, 4), label)


def _without_empty_labels(
    header: tuple[str, ...], rows: Sequence[tuple[object, ...]]
) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    """Return header and rows, the last cell of which is a label, without labels where there is none at all."""
    if any(row[-1] for row in rows):
        return (*header, "what"), tuple(rows)
    return header, tuple(row[:-1] for row in rows)


def _file(picture: ImageRef, roots: Roots) -> str | None:
    root = roots.get(picture.root)
    if root is None:
        return None
    return f"{root.rstrip('/')}/{picture.path}" if isinstance(root, str) else os.path.abspath(root / picture.path)


def _paged(candidate: Candidate, picture: ImageRef) -> bool:
    """Return whether a picture is a page of a document."""
    return picture.page > 0 or "pages" in candidate.metadata or candidate.did.endswith(f"#page={picture.page + 1}")


_LABEL, _VERDICTS = 60, 120


def _line(text: str, *, most: int = _LABEL) -> str:
    """Return a text on one line of at most so many letters; letters that steer a terminal are left out."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= most else f"{line[: most - 1]}\u2026"

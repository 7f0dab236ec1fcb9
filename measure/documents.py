"""What reading is worth on drawn letters, invoices and receipts: words found by OCR alone, and the policy `reader`.

Run as `python -m measure documents`; it draws the documents and keeps what OCR reads under build/, and writes
measure/results/documents.json. Everything is read by OCR, text layers left aside, but for the rate of these.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure.documents_read import KeptReadings
from measure.envelope import RESULTS, envelope, write_result
from vretrver.agent.answers import Verdict
from vretrver.agent.reranked import Reranked
from vretrver.assembly.agent import open_agent
from vretrver.assembly.spec import AgentSpec
from vretrver.evaluation.intervals import wilson
from vretrver.images import ImageStore
from vretrver.policies.reader.judging import FactFinding
from vretrver.policies.reader.table import as_data, verdicts_of
from vretrver.records import Candidate, Hit, ImageRef, Query, TextLine, parts_of
from vretrver.retrieval.lexical.citation import citation_of
from vretrver.retrieval.lexical.index import LexicalIndex
from vretrver.text.layer import LayerReader
from vretrver.text.ocr import ocr_name
from vretrver.world.documents.write import write_documents

COVERED = 0.9
"""Least share of a printed value's ink box that a line's box has to hold to cover it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The documents as they lie on disk."""

    store: ImageStore
    """Opens their files."""
    truth: dict[str, dict[str, dict[str, object]]]
    """File -> what is true of it."""
    queries: list[dict[str, str]]
    """The queries."""
    candidates: dict[str, Candidate]
    """File -> the item, its picture pinned."""


class Lines:
    """Where the citing of lines finds what was read.

    Args:
        texts: the readings.
    """

    def __init__(self, texts: KeptReadings) -> None:
        self._texts = texts

    def lines(self, image: ImageRef) -> Sequence[TextLine]:
        """Return the lines of a page."""
        return self._texts.read(image).lines


def draw(folder: Path, count: int, seed: int) -> Drawn:
    """Draw the documents, or find them drawn."""
    write_documents(folder, count, seed)
    store = ImageStore({"": folder / "documents"})
    truth = {row["file"]: row for row in _rows(folder / "truth.jsonl")}
    candidates = {
        name: Candidate(did=name, parts=parts_of(images=[store.pin(ImageRef(path=name))])) for name in truth
    }
    return Drawn(store=store, truth=truth, queries=_rows(folder / "queries.jsonl"), candidates=candidates)


def rates(drawn: Drawn, texts: KeptReadings) -> dict[str, object]:
    """Return how fast pages are read on one core: by OCR, and text layers."""
    seconds = [texts.seconds(one.pictures[0]) for one in drawn.candidates.values()]
    layered = [one.pictures[0] for name, one in drawn.candidates.items() if drawn.truth[name]["form"] == "text"]
    reader = LayerReader(drawn.store)
    began = time.perf_counter()
    for ref in layered:
        reader.read(ref)
    return {
        "ocr_pages": len(seconds),
        "ocr_pages_a_second": round(len(seconds) / sum(seconds), 3),
        "ocr_seconds_median": round(statistics.median(seconds), 2),
        "layer_pages": len(layered),
        "layer_pages_a_second": round(len(layered) / (time.perf_counter() - began), 1),
    }


def coverage(drawn: Drawn, texts: KeptReadings, index: LexicalIndex) -> dict[str, object]:
    """Ask for every fact printed once on its page, and count the cited lines whose box covers the value's ink."""
    cited, covered, facts = 0, 0, 0
    lines = Lines(texts)
    for name, candidate in drawn.candidates.items():
        for fact, value in drawn.truth[name]["values"].items():
            if drawn.truth[name]["times"][fact] > 1:
                continue
            facts += 1
            citation = citation_of(candidate, index.ask(str(value)).weights, lines)
            cited += citation is not None
            if citation is not None and citation.box is not None:
                covered += _covers(citation.box.to_list(), drawn.truth[name]["boxes"][fact])
    return {"facts": facts, "cited": cited, "covering": _share(covered, facts), "least_share_of_ink": COVERED}


def rank(drawn: Drawn, texts: KeptReadings, index: LexicalIndex, depth: int) -> dict[str, object]:
    """Rank every query by words, and the best of these by the reader."""
    pairs = []
    for row in drawn.queries:
        (found,) = index.search([row["text"]], depth)
        hits = [Hit(candidate=drawn.candidates[did], score=score) for did, score in found]
        pairs.append((row, Query(qid=row["qid"], parts=parts_of(text=row["text"])), hits))
    began = time.process_time()
    with open_agent(AgentSpec(policy="reader"), drawn.store, texts=texts) as agent:
        done = {one.query.qid: one for one in agent.rerank_many([(query, hits) for _, query, hits in pairs])}
    seconds = time.process_time() - began
    rows = [(row, hits, done[query.qid]) for row, query, hits in pairs]
    sorts = sorted({row["sort"] for row, _, _ in rows if row["answer"] is not None})
    return {
        "depth": depth,
        "hit_at_1": {sort: _hits([one for one in rows if one[0]["sort"] == sort]) for sort in sorts}
        | {"single and twin": _hits([one for one in rows if one[0]["sort"] in ("single", "twin")])},
        "none_fits": _none(rows),
        "verdict_boxes": _boxes(drawn, rows),
        "looks_a_query": round(statistics.mean(_looks(one) for *_, one in rows), 2),
        "regions_read_again_a_query": round(statistics.mean(_regions(one) for *_, one in rows), 2),
        "cpu_seconds_a_query_with_readings_kept": round(seconds / len(rows), 3),
    }


Ranked = tuple[dict[str, str], list[Hit], Reranked]


def _hits(rows: Sequence[Ranked]) -> dict[str, object]:
    words = sum(hits[0].candidate.did == row["answer"] for row, hits, _ in rows)
    reader = sum(one.ranking[0].did == row["answer"] for row, _, one in rows)
    found = sum(any(hit.candidate.did == row["answer"] for hit in hits) for row, hits, _ in rows)
    missed = [row["qid"] for row, _, one in rows if one.ranking[0].did != row["answer"]]
    return {
        "queries": len(rows),
        "words": _share(words, len(rows)),
        "reader": _share(reader, len(rows)),
        "among_the_candidates": _share(found, len(rows)),
        "missed_by_reader": missed,
    }


def _none(rows: Sequence[Ranked]) -> dict[str, object]:
    said = [(row["qid"], row["answer"] is None) for row, _, one in rows if one.verdict is Verdict.NOTHING_FITS]
    right, wanted = sum(correct for _, correct in said), sum(row["answer"] is None for row, _, _ in rows)
    return {
        "queries_without_answer": wanted,
        "queries_with_answer": len(rows) - wanted,
        "said": len(said),
        "precision": _share(right, len(said)) if said else None,
        "recall": _share(right, wanted),
        "wrongly_said": [qid for qid, correct in said if not correct],
    }


def _boxes(drawn: Drawn, rows: Sequence[Ranked]) -> dict[str, object]:
    """Return how many boxes of `yes` on the right document cover the value that was asked for."""
    kinds = {"date": "date", "name": "name", "code": "code", "amount": "total", "number": "total"}
    found = covered = 0
    for row, _, one in rows:
        record = one.trajectories[-1]
        if row["answer"] not in record.candidates:
            continue
        data = as_data(verdicts_of(record), record)
        boxes = drawn.truth[row["answer"]]["boxes"]
        (mine,) = [each for each in data["candidates"] if each["did"] == row["answer"]]
        for fact, verdict in zip(data["facts"], mine["verdicts"], strict=True):
            if fact["kind"] in kinds and verdict["finding"] == FactFinding.YES:
                found += 1
                covered += _covers(verdict["box"], boxes[kinds[fact["kind"]]])
    return {"yes": found, "covering": _share(covered, found)}


def _looks(one: Reranked) -> int:
    return sum(record.looks for record in one.trajectories)


def _regions(one: Reranked) -> int:
    shown = [cut for record in one.trajectories for each in record.shown for cut in each.cuts]
    return sum(cut.box is not None for cut in shown)


def _covers(box: Sequence[int] | None, ink: Sequence[int]) -> bool:
    if box is None:
        return False
    across = min(box[2], ink[2]) - max(box[0], ink[0])
    down = min(box[3], ink[3]) - max(box[1], ink[1])
    area = (ink[2] - ink[0]) * (ink[3] - ink[1])
    return across > 0 and down > 0 and across * down >= COVERED * area


def _share(count: int, of: int) -> dict[str, object]:
    low, high = wilson(count, of)
    return {"share": round(count / of, 4), "of": of, "interval": [round(low, 4), round(high, 4)]}


def _rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def main() -> None:
    """Draw, read, rank, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="documents")
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--depth", type=int, default=10, help="candidates that the reader is given")
    parser.add_argument("--folder", type=Path, help="where documents and readings are kept; under build/ by default")
    parser.add_argument("--out", type=Path, default=RESULTS / "documents.json")
    told = parser.parse_args()
    folder = told.folder or Path("build") / f"documents-{told.count}-{told.seed}"
    drawn = draw(folder, told.count, told.seed)
    texts = KeptReadings(drawn.store, folder / "readings.jsonl")
    index = LexicalIndex()
    index.put(
        (name, "\n".join(line.text for line in texts.read(one.pictures[0]).lines), b"")
        for name, one in drawn.candidates.items()
    )
    forms = [str(row["form"]) for row in drawn.truth.values()]
    result = {
        "documents": {"count": told.count, "seed": told.seed, **{form: forms.count(form) for form in set(forms)}},
        "reader": ocr_name(),
        "rates_on_one_core": rates(drawn, texts),
        "cited_lines": coverage(drawn, texts, index),
        "ranked": rank(drawn, texts, index, told.depth),
    }
    write_result(told.out, envelope("documents") | result)

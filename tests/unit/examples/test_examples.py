"""Pins that the examples turn engines' responses into requests that reranking takes, and refuse half an answer."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples import opensearch_hits, pgvector_hits, qdrant_hits

from vretrver.data.hits import RerankRequest, read_requests

EXAMPLES = Path(__file__).parents[3] / "examples"
RESPONSES = EXAMPLES / "responses"
QUERIES = [json.loads(line) for line in (RESPONSES / "queries.jsonl").read_text().splitlines()]


def response(name: str) -> Any:
    return json.loads((RESPONSES / f"{name}.json").read_text())


def ran(folder: Path, program: str, *files: str) -> dict[str, RerankRequest]:
    """Run an example as its docstring says and read what it wrote."""
    command = [sys.executable, EXAMPLES / program, *(RESPONSES / file for file in files)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    (folder / "requests.jsonl").write_bytes(done.stdout)
    return {request.query.qid: request for request in read_requests(folder / "requests.jsonl")}


def dids(request: RerankRequest) -> list[str]:
    return [hit.candidate.did for hit in request.hits]


@pytest.mark.parametrize(
    ("program", "files", "mugs", "scores"),
    [
        (
            "opensearch_hits.py",
            ("queries.jsonl", "opensearch.json"),
            ["sku-104", "sku-221", "sku-090"],
            [0.8137, 0.8021, 0.6612],
        ),
        ("pgvector_hits.py", ("pgvector.json",), ["104", "221", "90"], [0.875, 0.8125, 0.625]),
        ("qdrant_hits.py", ("queries.jsonl", "qdrant.json"), ["104", "221", "90"], [0.8137, 0.8021, 0.6612]),
    ],
)
def test_an_example_writes_requests(
    tmp_path: Path, program: str, files: tuple[str, ...], mugs: list[str], scores: list[float]
):
    found = ran(tmp_path, program, *files)
    assert set(found) == {"mug", "lamp"}
    assert dids(found["mug"]) == mugs
    assert [hit.score for hit in found["mug"].hits] == scores
    assert found["mug"].query.text == "red mug with a white rim"
    texts_and_pictures = [(hit.candidate.text, len(hit.candidate.pictures)) for hit in found["mug"].hits]
    assert texts_and_pictures == [("Mug, red", 1), ("Mug, red, white rim", 1), ("Saucer for red mugs", 0)]
    assert (found["lamp"].hits[0].candidate.text, len(found["lamp"].hits[0].candidate.pictures)) == ("", 1)


def failed(change: Callable[[Any], None]) -> Any:
    changed = copy.deepcopy(response("opensearch"))
    change(changed["responses"][1])
    return changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (failed(lambda answer: answer.update(error={"reason": "no such index"})), "lamp: the search failed: no such"),
        (failed(lambda answer: answer.update(timed_out=True)), "lamp: only part of the index was searched"),
        (failed(lambda answer: answer["_shards"].update(failed=1)), "lamp: only part of the index was searched"),
        (failed(lambda answer: answer["hits"].update(hits=[])), "lamp: nothing was found"),
        ({"responses": []}, "2 queries, but 0 answers"),
    ],
)
def test_half_an_answer_of_opensearch_is_refused(changed: Any, message: str):
    with pytest.raises(SystemExit, match=message):
        list(opensearch_hits.requests(QUERIES, changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"status": {"error": "Not found: Collection"}}, "the search failed: Not found"),
        ({"status": "ok", "result": [{"points": []}]}, "2 queries, but 1 answers"),
        ({"status": "ok", "result": [{"points": []}] * 2}, "mug: nothing was found"),
    ],
)
def test_half_an_answer_of_qdrant_is_refused(changed: Any, message: str):
    with pytest.raises(SystemExit, match=message):
        list(qdrant_hits.requests(QUERIES, changed))


def test_rows_of_pgvector_may_come_in_any_order():
    rows = response("pgvector")
    assert list(pgvector_hits.requests(rows[::-1])) == list(pgvector_hits.requests(rows))


def test_no_rows_of_pgvector_are_refused(tmp_path: Path):
    (tmp_path / "none.json").write_text("null")
    with pytest.raises(SystemExit, match="no rows"):
        pgvector_hits.main(str(tmp_path / "none.json"))


def test_examples_are_short():
    for program in EXAMPLES.glob("*.py"):
        assert len(program.read_text().splitlines()) < 60, program.name

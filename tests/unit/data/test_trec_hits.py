"""Pins how a TREC run is joined with its queries and corpus, and that what it names in vain is said by path:line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from vretrver.data.trec_hits import (
    read_corpus_of_either_form,
    read_queries_of_either_form,
    read_trec_hits,
)
from vretrver.errors import DataError
from vretrver.records import Candidate, ImagePart, ImageRef, Query, TextPart

RUN = "q2 Q0 b 1 0.9 bm25\nq2 Q0 a 2 0.4 bm25\nq1 Q0 c 1 7.5 bm25\nq1 Q0 a 2 7.5 bm25\nq1 Q0 b 3 1 bm25\n"


def query(qid: str) -> Query:
    return Query(qid=qid, parts=(TextPart(text=f"asks {qid}"),))


def candidate(did: str) -> Candidate:
    return Candidate(did=did, parts=(TextPart(text=f"is {did}"),))


QUERIES = [query("q1"), query("q2"), query("q3")]
CORPUS = [candidate(did) for did in "xcbay"]


def run_file(folder: Path, text: str = RUN) -> Path:
    path = folder / "run.trec"
    path.write_text(text)
    return path


def rows(path: Path, *values: Mapping[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def test_each_ranked_query_gets_its_hits_best_first_in_the_order_of_the_query_file(tmp_path: Path):
    found = read_trec_hits(run_file(tmp_path), queries=QUERIES, corpus=CORPUS, depth=10)
    assert [request.query.qid for request in found.requests] == ["q1", "q2"]
    assert [(hit.candidate.did, hit.score) for hit in found.requests[0].hits] == [("c", 7.5), ("a", 7.5), ("b", 1.0)]
    assert found.requests[1].hits[0].candidate == candidate("b")
    assert found.unranked == ("q3",)


def test_depth_cuts_each_ranking_and_what_lies_below_is_not_looked_up(tmp_path: Path):
    without_b = [candidate("a"), candidate("c"), candidate("b")][:2]
    run = run_file(tmp_path, "q1 Q0 c 1 3 t\nq1 Q0 a 2 2 t\nq1 Q0 b 3 1 t\n")
    found = read_trec_hits(run, queries=QUERIES, corpus=without_b, depth=2)
    assert [hit.candidate.did for hit in found.requests[0].hits] == ["c", "a"]


def test_a_did_that_is_not_in_the_corpus_is_named_with_its_line(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        read_trec_hits(run_file(tmp_path), queries=QUERIES, corpus=[candidate("b"), candidate("c")], depth=10)
    message = str(caught.value)
    assert "run.trec:2: did 'a' of query 'q2' is not in the corpus (nor are 1 more hits)" in message


def test_a_qid_that_is_not_among_the_queries_is_named_with_its_line(tmp_path: Path):
    with pytest.raises(DataError, match=r"run\.trec:3: qid 'q1' is not among the queries; give the queries"):
        read_trec_hits(run_file(tmp_path), queries=[query("q2")], corpus=CORPUS, depth=10)


@pytest.mark.parametrize(
    ("queries", "corpus", "message"),
    [
        ([query("q1"), query("q2"), query("q2")], CORPUS, "qid 'q2' appears twice in the queries"),
        (QUERIES, [*CORPUS, candidate("a")], "did 'a' appears twice in the corpus"),
    ],
)
def test_repeated_ids_are_refused(tmp_path: Path, queries: list[Query], corpus: list[Candidate], message: str):
    with pytest.raises(DataError, match=message):
        read_trec_hits(run_file(tmp_path), queries=queries, corpus=corpus, depth=10)


def test_the_corpus_is_read_once_as_a_stream(tmp_path: Path):
    stream = iter(CORPUS)
    read_trec_hits(run_file(tmp_path), queries=QUERIES, corpus=stream, depth=10)
    assert next(stream, None) is None


def test_queries_and_corpus_may_be_written_as_in_a_request(tmp_path: Path):
    queries = rows(tmp_path / "q.jsonl", {"qid": "q1", "text": "red mug", "instruction": "Find it."})
    corpus = rows(tmp_path / "c.jsonl", {"did": "a", "image": "a.jpg", "metadata": {"price": 3}})
    (asked,) = read_queries_of_either_form(queries, root="shop")
    assert asked == Query(qid="q1", parts=(TextPart(text="red mug"),), instruction="Find it.")
    (item,) = read_corpus_of_either_form(corpus, root="shop")
    picture = ImagePart(image=ImageRef(path="a.jpg", root="shop"))
    assert item == Candidate(did="a", parts=(picture,), metadata={"price": 3})


def test_mbeir_files_are_known_by_their_first_row_and_get_their_layouts_instructions(tmp_path: Path):
    asked = {"qid": "9:1", "query_txt": "a dog", "query_modality": "text", "task_id": 0, "pos_cand_list": []}
    queries = rows(tmp_path / "query" / "test" / "q.jsonl", asked)
    corpus = rows(tmp_path / "pool.jsonl", {"did": "9:2", "img_path": "d.jpg", "txt": None, "modality": "image"})
    assert next(read_queries_of_either_form(queries)).instruction == ""
    table = tmp_path / "instructions" / "query_instructions.tsv"
    table.parent.mkdir()
    table.write_text(
        "query_modality\tcand_modality\tdataset_name\tdataset_id\tprompt_1\ntext\timage\tMSCOCO\t9\tFind a photo.\n"
    )
    assert next(read_queries_of_either_form(queries)).instruction == "Find a photo."
    assert next(read_corpus_of_either_form(corpus)).did == "9:2"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"qid": "q1", "text": "x", "candidates": []}, r"q\.jsonl:1: unknown key 'candidates'"),
        ({"qid": "q1"}, r"q\.jsonl:1: the line: it holds neither text nor a picture"),
        ({"text": "x"}, r"q\.jsonl:1: the key 'qid' is missing"),
    ],
)
def test_a_malformed_query_row_is_named(tmp_path: Path, value: Mapping[str, object], message: str):
    with pytest.raises(DataError, match=message):
        list(read_queries_of_either_form(rows(tmp_path / "q.jsonl", value)))


def test_an_empty_file_is_said(tmp_path: Path):
    with pytest.raises(DataError, match=r"c\.jsonl: the file holds no row"):
        read_corpus_of_either_form(rows(tmp_path / "c.jsonl"))

"""Pins the JSONL that reranking takes: what a line may hold, and that anything else is refused by path:line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from vretrver.data.hits import RerankRequest, read_requests
from vretrver.errors import DataError
from vretrver.records import ImagePart, ImageRef, TextPart


def read(*rows: object) -> list[RerankRequest]:
    return list(read_requests(io.StringIO("\n".join(json.dumps(row) for row in rows)), root="shop", name="hits"))


def row(**changes: object) -> dict[str, object]:
    return {"qid": "q", "text": "red mug", "candidates": [{"did": "a", "image": "a.jpg"}], **changes}


def candidate(**fields: object) -> dict[str, object]:
    return row(candidates=[{"did": "a", **fields}])


def image(path: str) -> ImagePart:
    return ImagePart(image=ImageRef(path=path, root="shop"))


def test_a_line_becomes_a_query_with_its_hits_in_the_order_given():
    hits = [
        {"did": "a", "image": "a.jpg", "score": 0.1, "metadata": {"price": 3}},
        {"did": "b", "text": "a mug", "score": 2},
    ]
    (request,) = read(row(image="q.jpg", instruction="Find the product.", candidates=hits, metadata={"user": "u"}))
    assert request.query.parts == (image("q.jpg"), TextPart(text="red mug"))
    assert request.query.instruction == "Find the product."
    assert request.query.metadata == {"user": "u"}
    assert [(hit.candidate.did, hit.score) for hit in request.hits] == [("a", 0.1), ("b", 2.0)]
    assert request.hits[0].candidate.parts == (image("a.jpg"),)
    assert request.hits[0].candidate.metadata == {"price": 3}


def test_without_scores_the_order_gives_them():
    (request,) = read(row(candidates=[{"did": name, "text": name} for name in "abcd"]))
    assert [hit.score for hit in request.hits] == [1.0, 0.5, 1 / 3, 0.25]


def test_several_pictures_come_in_order_before_the_text():
    (request,) = read(candidate(images=["1.jpg", "2.jpg"], text="mug"))
    assert request.hits[0].candidate.parts == (image("1.jpg"), image("2.jpg"), TextPart(text="mug"))


def test_parts_keep_their_order():
    parts = [{"text": "like"}, {"image": "x.jpg"}, {"text": "but red"}]
    (request,) = read({"qid": "q", "parts": parts, "candidates": [{"did": "a", "parts": parts}]})
    expected = (TextPart(text="like"), image("x.jpg"), TextPart(text="but red"))
    assert request.query.parts == expected
    assert request.hits[0].candidate.parts == expected


def test_requests_are_read_as_they_are_asked_for(tmp_path: Path):
    path = tmp_path / "hits.jsonl"
    path.write_text(json.dumps(row()) + "\nbroken\n")
    requests = read_requests(path)
    assert next(requests).query.qid == "q"
    with pytest.raises(DataError, match=r"hits\.jsonl:2: not valid JSON"):
        next(requests)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (row(qid=1), "qid: "),
        (row(qid=""), "qid: "),
        (row(text=""), "it holds neither text nor a picture"),
        (row(text=5), "text: "),
        (row(txet="a"), "unknown key 'txet'"),
        (row(candidates=[]), "candidates: "),
        (row(candidates={}), "candidates: "),
        (row(parts=[{"text": "a"}]), "give either parts, or text and pictures"),
        (row(metadata={"a": [1]}), "metadata.a"),
        (row(image="/etc/passwd"), "picture path '/etc/passwd'"),
        (row(candidates=[{"did": "a", "text": "x"}, {"did": "a", "text": "y"}]), "did 'a' appears twice"),
        (row(candidates=[{"did": "a", "text": "x", "score": 1}, {"did": "b", "text": "y"}]), "either all candidates"),
        (candidate(), "candidates.0: it holds neither text nor a picture"),
        (candidate(text="x", url="http://x"), "unknown key 'candidates.0.url'"),
        (candidate(image="../x.jpg"), "picture path '../x.jpg'"),
        (candidate(images=["a.jpg", "/b.jpg"]), "picture path '/b.jpg'"),
        (candidate(image="a.jpg", images=["b.jpg"]), "give either image or images"),
        (candidate(images=[]), "it holds neither text nor a picture"),
        (candidate(parts=[]), "it holds neither text nor a picture"),
        (candidate(parts=[{"text": "a", "image": "b.jpg"}]), "a part holds either text or image"),
        (candidate(parts=[{}]), "a part holds either text or image"),
        (candidate(parts=[{"image": "../x.jpg"}]), "picture path '../x.jpg'"),
        (candidate(text="x", score="1"), "candidates.0.score: "),
        (candidate(text="x", score=True), "candidates.0.score: "),
    ],
)
def test_anything_else_is_refused_by_its_place(wrong: object, message: str):
    with pytest.raises(DataError, match=r"^hits:2: ") as caught:
        read(row(qid="first"), wrong)
    assert message in str(caught.value)


def test_a_score_too_large_for_a_float_is_refused():
    line = json.dumps(candidate(text="x", score=1)).replace('"score": 1', '"score": 1e999')
    with pytest.raises(DataError, match=r"candidates\.0\.score: .*finite"):
        list(read_requests(io.StringIO(line)))


def test_a_qid_that_comes_twice_names_both_places():
    with pytest.raises(DataError, match="hits:2: qid 'q' stands already at hits:1"):
        read(row(), row())


def test_no_line_at_all_is_an_error():
    with pytest.raises(DataError, match="hits: holds no query"):
        read()


def test_the_number_of_further_mistakes_is_told():
    with pytest.raises(DataError, match="and 1 more"):
        read(row(qid=1, text=2))

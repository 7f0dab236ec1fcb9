"""Pins the shape of results: the example of docs/output.md, what a person recognises a hit by, and the TREC run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vretrver.assembly.results import FORMAT, check_for_trec, found, label_of, trec_text
from vretrver.errors import DataError
from vretrver.geometry import Box
from vretrver.records import Candidate, Citation, Hit, ImagePart, ImageRef, Query, TextPart, parts_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "output.md"
BOX = Box(left=40, top=60, right=310, bottom=84)
LINE = Citation(text="Invoice No. 4711", source="picture", picture=1, box=BOX, confidence=0.98)


def query(qid: str = "q1") -> Query:
    return Query(qid=qid, parts=parts_of(text="invoice 4711"))


def hit(did: str, score: float, **metadata: str | int) -> Hit:
    return Hit(candidate=Candidate(did=did, parts=(TextPart(text=f"text of {did}"),), metadata=metadata), score=score)


def test_the_example_of_the_document_is_what_is_told() -> None:
    page = Candidate(
        did="letters.pdf#page=2",
        parts=(ImagePart(image=ImageRef(path="letters.pdf", page=1)),),
        metadata={"document": "letters.pdf", "page": 2, "pages": 3},
    )
    told = found(query(), [Hit(candidate=page, score=7.5, citation=LINE)], {"": Path("/archive")})
    (example,) = re.findall(r"<!-- begin found -->\n```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert json.loads(json.dumps(told.value)) == json.loads(example)
    assert list(told.value) == list(json.loads(example))
    assert told.rows == ((1, "letters.pdf#page=2", 7.5, "Invoice No. 4711"),)


def test_a_file_is_told_only_where_its_folder_is_known() -> None:
    picture = Candidate(did="a", parts=(ImagePart(image=ImageRef(path="x/a.png", root="disk/")),))
    hits = [Hit(candidate=picture, score=1.0)]
    files = [
        found(query(), hits, roots).value["hits"][0]["file"]
        for roots in ({"": Path("/other")}, {"disk/": Path("/d/../e")}, {"disk/": "s3://bucket/photos/"})
    ]
    assert files == [None, "/e/x/a.png", "s3://bucket/photos/x/a.png"]


@pytest.mark.parametrize(
    ("metadata", "label"),
    [
        ({"Title": "Red mug", "price": 3}, "Red mug"),
        ({"name": "\x1b[31mred\nmug"}, "[31mred mug"),
        ({"price": 3}, "text of a"),
        ({"title": "x" * 80}, "x" * 59 + "\u2026"),
    ],
)
def test_a_label_is_a_title_or_the_text_on_one_line(metadata: dict[str, str | int], label: str) -> None:
    assert label_of(hit("a", 1.0, **metadata)) == label


def test_nothing_found_is_an_object_with_its_reason() -> None:
    told = found(query(), [], {}, reason="nothing was found: no item passes --filter")
    assert told.value == {
        "format": FORMAT,
        "qid": "q1",
        "query": {"text": "invoice 4711", "pictures": []},
        "reason": "nothing was found: no item passes --filter",
        "hits": [],
    }
    assert told.rows == ()


def test_scores_of_a_run_fall_strictly_and_an_empty_query_has_no_line() -> None:
    tied = found(query("q1"), [hit("a", 0.5), hit("b", 0.5)], {})
    assert trec_text([tied, found(query("q2"), [], {})], tag="t") == (
        "q1 Q0 a 1 0.5 t\nq1 Q0 b 2 0.4999999701976776 t\n"
    )


def test_an_id_that_a_run_cannot_hold_is_found_before_the_work() -> None:
    with pytest.raises(DataError, match=r"did 'red mug\.png' cannot be written to a TREC run file"):
        check_for_trec([(query(), [hit("red mug.png", 1.0)])])

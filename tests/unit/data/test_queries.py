"""Pins the forms of a file of queries, each told by its first line, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.data.queries import read_query_file
from vretrver.errors import DataError

TOPICS = """<top>
<num> Number: 301
<title> red mug
<desc> Description:
A mug that is red.
</top>
<top><num>302</num><title></title><desc>Description: only
described</desc></top>
"""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("q.txt", "red mug\n\nblue cup\n", [("1", "red mug"), ("3", "blue cup")]),
        ("q.tsv", "qid\ttext\nq1\tred mug\nq2\tblue cup\n", [("q1", "red mug"), ("q2", "blue cup")]),
        ("q.txt", "7\tred mug\n", [("7", "red mug")]),
        ("topics.301-302", TOPICS, [("301", "red mug"), ("302", "only described")]),
        ("q.jsonl", '{"qid": "a", "text": "red mug"}\n', [("a", "red mug")]),
        (
            "m.jsonl",
            '{"qid": "9:1", "query_txt": "red mug", "query_modality": "text", "task_id": 0}\n',
            [("9:1", "red mug")],
        ),
    ],
)
def test_a_form_is_told_by_its_first_line(
    name: str, content: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    assert [(query.qid, query.text) for query in read_query_file(tmp_path / name)] == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.tsv", "q1\ta\nq1\tb\n", r"q\.tsv:2: qid 'q1' came before"),
        ("q.tsv", "q1\ta\nb\n", r"q\.tsv:2: a line is an id, a tab and a text, got 'b'"),
        ("q.tsv", "q1\ta\tb\n", r"q\.tsv:1: more than two columns"),
        ("q.csv", "q1,a\n", "queries are a JSONL, a TSV"),
        ("q.txt", "\n", "it holds no query"),
        ("q.topics", "<top>\n<title> x\n</top>\n", r"q\.topics:1: the topic has no <num>"),
    ],
)
def test_what_is_wrong_is_named(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_query_file(tmp_path / name)
    with pytest.raises(DataError, match="no such file"):
        read_query_file(tmp_path / "gone")

"""Pins dates in filters: what counts as one, the spans that are meant, and the same hits in SQL and in Qdrant."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from vretrver.errors import ConfigError
from vretrver.records import Candidate, TextPart
from vretrver.retrieval.directory.dates import is_date, span_of
from vretrver.retrieval.directory.entries import kind_with
from vretrver.retrieval.directory.filters import parse_filter
from vretrver.retrieval.directory.manifest import Field

FIELDS = {"taken": Field(column="f0", kind="date"), "name": Field(column="f1", kind="text")}
ROWS = {
    "a": "2018-12-31T23:59:59",
    "b": "2019-01-01",
    "c": "2019-06-01 10:30:00",
    "d": "2019-06-30T00:00:00",
    "e": "2020-02-29",
    "none": None,
}
CASES = [
    ("year = 2019", "bcd"),
    ("year != 2019", "ae"),
    ("YEAR(taken) >= 2019", "bcde"),
    ("year < 2019", "a"),
    ("year IN (2018, 2020)", "ae"),
    ("NOT year IN (2018, 2020)", "bcd"),
    ("taken >= '2019-06-01'", "cde"),
    ("taken > '2019-06-01'", "de"),
    ("taken <= '2019-06-01'", "abc"),
    ("taken = '2019-06'", "cd"),
    ("taken = '2019-06-01 10:30'", "c"),
    ("NOT taken = '2019-06'", "abe"),
    ("taken IN ('2019-01', '2020')", "be"),
    ("taken < '2019'", "a"),
]


@pytest.fixture(scope="module")
def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE TABLE fields (slot TEXT, f0, f1)")
    connection.executemany("INSERT INTO fields VALUES (?, ?, 'x')", ROWS.items())
    return connection


def selected(table: sqlite3.Connection, expression: str) -> str:
    condition = parse_filter(expression, FIELDS)
    return "".join(sorted(did for (did,) in table.execute(condition.sql, condition.values)))


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_dates_are_compared_as_spans_of_time(table: sqlite3.Connection, expression: str, expected: str) -> None:
    assert selected(table, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("month = 6", "cd"), ("day != 1 AND month >= 6", "ad"), ("month IN (2, 12)", "ae"), ("year IS NULL", "none")],
)
def test_parts_of_dates_are_numbers(table: sqlite3.Connection, expression: str, expected: str) -> None:
    assert selected(table, expression) == expected


def test_qdrant_finds_the_same() -> None:
    client = pytest.importorskip("qdrant_client")
    from vretrver.retrieval.qdrant.index import QdrantIndex

    made = QdrantIndex.create(client.QdrantClient(":memory:"), "items", dimension=1, fingerprint="test")
    items = [Candidate(did=did, parts=(TextPart(text="x"),), metadata={"taken": day}) for did, day in ROWS.items()]
    made.put(items, np.ones((len(items), 1), np.float32))
    for expression, expected in CASES:
        found = made.narrowed(expression).search(np.ones((1, 1), np.float32), len(ROWS))[0]
        assert "".join(sorted(did for did, _ in found)) == expected, expression
    with pytest.raises(ConfigError, match="Qdrant has no month of a date"):
        made.narrowed("month = 6")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("taken >= 2019", "taken holds dates, 2019 is of kind number; write taken >= '2019-06-01', or year >= 2019"),
        ("taken = 'June'", "'June' is no date; write one as '2019-06-01', '2019-06' or '2019'"),
        ("taken = '2019-02-30'", "'2019-02-30' is no date"),
        ("month = 13", "'13' is no month; write a whole number from 1 to 12"),
        ("year(name) = 2019", "name holds no dates but values of kind text"),
        ("month LIKE '6'", "LIKE needs a field of kind text, this one is of kind number"),
    ],
)
def test_what_is_no_date_is_said(expression: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_filter(expression, FIELDS)
    assert message in str(caught.value)


def test_a_year_needs_one_date_to_be_of() -> None:
    with pytest.raises(ConfigError, match="no field holds dates, of which there would be a year"):
        parse_filter("year = 2019", {"name": FIELDS["name"]})
    two = {"taken": FIELDS["taken"], "made": Field(column="f1", kind="date")}
    with pytest.raises(ConfigError, match=r"year of which date\? Write year\(taken\) or year\(made\)"):
        parse_filter("year = 2019", two)


def test_spans_end_where_the_next_one_begins() -> None:
    assert [
        span_of(text) for text in ("2019", "2019-12", "2020-02-28", "2019-12-31T23:59", "2019-06-01 10:30:59")
    ] == [
        ("2019", "2020"),
        ("2019-12", "2020-01"),
        ("2020-02-28", "2020-02-29"),
        ("2019-12-31T23:59", "2020-01-01T00:00"),
        ("2019-06-01T10:30:59", "2019-06-01T10:31:00"),
    ]


def test_a_field_of_dates_becomes_one_of_texts_with_the_first_other_text() -> None:
    assert [is_date(text) for text in ("2019-06-01", "2019-06-01T10:30:00Z", "2019-13-01", "2019", "4711")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert kind_with(None, "2019-06-01") == "date"
    assert kind_with("date", "soon") == kind_with("text", "2019-06-01") == "text"
    assert kind_with("date", 3) is None

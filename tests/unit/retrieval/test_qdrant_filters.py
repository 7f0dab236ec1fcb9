"""Pins that a filter finds in Qdrant what it finds in SQL, missing values included, or is refused by name."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("qdrant_client")
from qdrant_client import QdrantClient

from vretrver.errors import ConfigError, DataError
from vretrver.records import Candidate, TextPart
from vretrver.retrieval.directory.filters import parse_filter
from vretrver.retrieval.directory.manifest import Field
from vretrver.retrieval.qdrant.filters import qdrant_filter
from vretrver.retrieval.qdrant.index import QdrantIndex

Value = str | int | float | bool | None
FIELDS = {
    "price": Field(column="f0", kind="number"),
    "colour": Field(column="f1", kind="text"),
    "sold": Field(column="f2", kind="truth"),
    "shop floor": Field(column="f3", kind="number"),
}
PRICES: tuple[Value, ...] = (1, 2.5, 3, 3.0, None)
COLOURS: tuple[Value, ...] = ("red", "it's", "", None)
ROWS: dict[str, dict[str, Value]] = {
    f"{p}{c}{s}": {"price": price, "colour": colour, "sold": sold, **({"shop floor": p} if c else {})}
    for p, price in enumerate(PRICES)
    for c, colour in enumerate(COLOURS)
    for s, sold in enumerate((True, False, None))
}


@pytest.fixture(scope="module")
def index() -> QdrantIndex:
    made = QdrantIndex.create(QdrantClient(":memory:"), "items", dimension=1, fingerprint="test")
    items = [Candidate(did=did, parts=(TextPart(text="x"),), metadata=row) for did, row in ROWS.items()]
    made.put(items, np.ones((len(items), 1), np.float32))
    return made


@pytest.fixture(scope="module")
def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE TABLE fields (slot TEXT, f0, f1, f2, f3)")
    rows = [(did, *(row.get(name) for name in FIELDS)) for did, row in ROWS.items()]
    connection.executemany("INSERT INTO fields VALUES (?, ?, ?, ?, ?)", rows)
    return connection


def found(index: QdrantIndex, expression: str) -> set[str]:
    return {did for did, _ in index.narrowed(expression).search(np.ones((1, 1), np.float32), len(ROWS))[0]}


def selected(table: sqlite3.Connection, expression: str) -> set[str]:
    condition = parse_filter(expression, FIELDS)
    return {did for (did,) in table.execute(condition.sql, condition.values)}


def test_a_filter_narrows_what_is_found(index: QdrantIndex):
    assert found(index, "price = 3 AND colour = 'red' AND sold = TRUE") == {"200", "300"}
    assert found(index, "sold IS NULL AND price < 2 AND colour IN ('red', 'it''s')") == {"002", "012"}


def test_a_narrowed_index_counts_what_matches_and_takes_nothing(index: QdrantIndex):
    narrowed = index.narrowed("price = 3")
    assert (len(narrowed), len(index)) == (24, 60)
    with pytest.raises(DataError, match="items: write to the index, not to a filtered view of it"):
        narrowed.add(["new"], np.ones((1, 1), np.float32))


def test_what_has_no_value_is_not_found_by_a_negation(index: QdrantIndex):
    assert not {did for did in found(index, "NOT price < 2") if ROWS[did]["price"] is None}
    assert not {did for did in found(index, "colour != 'red'") if ROWS[did]["colour"] is None}
    assert not {did for did in found(index, "colour NOT IN ('red')") if ROWS[did]["colour"] is None}


leaves = st.sampled_from(
    [
        "price < 2.5",
        "price <= 2.5",
        "price > 2",
        "price >= 3",
        "price = 3",
        "price != 3.0",
        "price IN (1, 3)",
        "price NOT IN (1, 2.5)",
        "price IS NULL",
        "colour = 'red'",
        "colour <> 'it''s'",
        "colour IN ('', 'red')",
        "colour IS NOT NULL",
        "sold = TRUE",
        "sold != TRUE",
        "sold IN (FALSE)",
        '"shop floor" >= 2',
        'NOT "shop floor" = 1',
    ]
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda text: f"NOT ({text})"),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda three: f"({' '.join(three)})"),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(expression=expressions)
def test_qdrant_finds_what_sql_selects(index: QdrantIndex, table: sqlite3.Connection, expression: str):
    assert found(index, expression) == selected(table, expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("colour LIKE 'r%'", "Qdrant has no LIKE; use =, !=, IN, numbers, or dates"),
        ("NOT colour NOT LIKE 'r%'", "Qdrant has no LIKE"),
        ("colour < 'red'", "Qdrant has no < on texts"),
        ("weight = 3", r"unknown field 'weight'; the fields are price \(number\), colour \(text\)"),
        ("price = 'three'", "three is of kind text, the field of kind number"),
        ("price = ", "'the end' where a value is needed"),
    ],
)
def test_what_cannot_be_said_is_refused(index: QdrantIndex, expression: str, message: str):
    with pytest.raises(ConfigError, match=message):
        found(index, expression)


def test_a_field_name_that_cannot_be_quoted_is_refused():
    with pytest.raises(ConfigError, match="Qdrant has no way to name the field"):
        qdrant_filter('"a""b" = 1', {'a"b': "number"})

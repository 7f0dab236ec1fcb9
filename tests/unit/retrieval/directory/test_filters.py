"""Pins what filters match, that text of a filter never reaches the database, and how wrong ones are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.retrieval.directory.letters import LetterEncoder, found, texts, update

from vretrver.data.exif import photo_metadata
from vretrver.errors import ConfigError
from vretrver.images import ExifBlock
from vretrver.retrieval.directory.filters import OF_PHOTOS, parse_filter
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.manifest import Field

GOODS: dict[str, dict[str, object]] = {
    "1": {"price": 10, "colour": "red", "new": True},
    "2": {"price": 20.5, "colour": "dark red", "new": False, "made in": "Porto"},
    "3": {"price": -3, "colour": "Blue"},
    "4": {"colour": "it's", "new": True, "price": None},
    "5": {},
}
FIELDS = {
    "price": Field(column="f0", kind="number"),
    "colour": Field(column="f1", kind="text"),
    "new": Field(column="f2", kind="truth"),
}


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("goods")
    update(directory, texts({"5": "a"}), LetterEncoder())  # before any field is known
    update(directory, texts(dict.fromkeys("12345", "a"), GOODS), LetterEncoder())
    return directory


@pytest.mark.parametrize(
    ("expression", "dids"),
    [
        ("price < 20", "13"),
        ("price <= 20.5 and price >= 10", "12"),
        ("price = 10.0", "1"),
        ("price != 10", "23"),
        ("price <> 10", "23"),
        ("price > -4 AND price < 1e1", "3"),
        ("NOT price < 20", "2"),
        ("NOT (price < 20 OR colour = 'it''s')", "2"),
        ("price IS NULL", "45"),
        ("price IS NOT NULL", "123"),
        ("colour = 'red'", "1"),
        ("colour IN ('red', 'Blue')", "13"),
        ("colour NOT IN ('red', 'Blue')", "24"),
        ("colour LIKE '%RED'", "12"),
        ("colour NOT LIKE '%red%' AND new = TRUE", "4"),
        ("colour LIKE 'r_d'", "1"),
        ("colour < 'd'", "3"),
        ("new = true", "14"),
        ("new != true", "2"),
        ("new IN (true, false)", "124"),
        ("\"made in\" = 'Porto'", "2"),
        ("colour = 'red' OR colour = 'Blue' AND price > 0", "1"),
        ("(colour = 'red' OR colour = 'Blue') AND price < 0", "3"),
        ("colour = '; DROP TABLE items; --'", ""),
        ("not not price<20", "13"),
        ("new", "14"),
        ("NOT new", "2"),
        ("new AND (price > 5 OR new) and not price IS NULL", "1"),
        ("colour = 'red' OR new", "14"),
        ("latitude IS NULL", "12345"),
        ("latitude IS NOT NULL", ""),
        ("NOT (taken IS NOT NULL) AND new", "14"),
    ],
)
def test_a_filter_matches(goods: Path, expression: str, dids: str):
    assert sorted(found(goods, "a", where=expression)) == list(dids)
    with DirectoryIndex(goods) as index:
        assert len(index.where(expression)) == len(dids)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("prize < 20", r"unknown field 'prize'; the fields are price \(number\), colour \(text\), new \(truth\)"),
        ("price < '20'", "20 is of kind text, the field of kind number"),
        (
            "colour = 5",
            (
                "5 is of kind number, the field of kind text; write '5' in quotation marks, or for numbers declare "
                "it as colour:float and make the index again"
            ),
        ),
        ("new = 1", "1 is of kind number, the field of kind truth"),
        ("new < TRUE", "true and false have no order"),
        ("price LIKE '1%'", "LIKE needs a field of kind text"),
        ("price = NULL", "write IS NULL or IS NOT NULL"),
        (
            "price = colour",
            "'colour' where a value is needed: a number, 'text', TRUE or FALSE; write 'colour' in quotation marks",
        ),
        ("price", "'the end' where one of = != < <= > >= IN LIKE IS is needed"),
        ("new price < 3", "'price' where one of = != < <= > >= IN LIKE IS is needed"),
        ("latitude > 50", "unknown field 'latitude'"),
        ("altitude IS NULL", "unknown field 'altitude'"),
        ("latitude IS 5", "'5' where NULL is needed"),
        ("taken", "unknown field 'taken'"),
        ("price NOT = 3", "'=' where one of"),
        ("price < 20 colour = 'red'", "unexpected 'colour'; join conditions with AND or OR"),
        ("price < 20 AND", "'the end' where a field is needed"),
        ("", "'the end' where a field is needed"),
        ("(price < 20", r"'the end' where \) is needed"),
        ("price IN ()", r"'\)' where a value is needed"),
        ("price IN (1", r"'the end' where \) is needed"),
        ("price < 20; DROP TABLE items", "'; DROP TABLE items' cannot be read"),
        ("price < 20 --", "' --' cannot be read"),
        ("colour = 'red", "cannot be read"),
        ("colour = '\ud800'", "not valid text"),
        ("(" * 60 + "price < 1" + ")" * 60, "more than 50 levels"),
        ("price IN (" + "1, " * 1000 + "1)", "more than 1000 values"),
    ],
)
def test_a_wrong_filter_is_told(expression: str, message: str):
    with pytest.raises(ConfigError, match=message):
        parse_filter(expression, FIELDS)


def test_the_fields_that_no_item_needs_to_have_are_those_that_photos_may_have():
    place = {1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 15.0, 0.0)}
    full = ExifBlock(photo={0x9003: "2024:05:18 16:20:05"}, place=place)
    assert photo_metadata(full) == {"taken": "2024-05-18T16:20:05", "latitude": 52.5, "longitude": 13.25}
    assert tuple(photo_metadata(full)) == OF_PHOTOS


def test_an_index_without_metadata_says_so():
    with pytest.raises(ConfigError, match="unknown field 'price'; the index has no metadata"):
        parse_filter("price < 3", {})


FIELDS_AND_SIGNS = ["price", "colour", "new", "taken", "(", ")", "=", "<", "%", ",", "3", "'a'"]
KEYWORDS = ["AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE"]
words = st.sampled_from(FIELDS_AND_SIGNS + KEYWORDS)


@given(st.one_of(st.lists(words, max_size=12).map(" ".join), st.text(max_size=30)))
def test_any_text_is_a_filter_or_a_told_error(expression: str):
    try:
        condition = parse_filter(expression, FIELDS)
    except ConfigError:
        return
    assert condition.sql.count("?") == len(condition.values)
    assert "'" not in condition.sql
    assert '"' not in condition.sql

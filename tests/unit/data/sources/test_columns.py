"""Pins what one row of a table becomes, and what of it is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from vretrver.data.sources.columns import Columns, MetadataColumn, candidate_of, columns_from
from vretrver.errors import ConfigError, DataError
from vretrver.records import ImagePart, ImageRef, TextPart

SHOP = Columns(
    id="sku",
    text=("title", "body"),
    image=("photo", "more"),
    metadata=(MetadataColumn(name="price", kind="float"), MetadataColumn(name="colour")),
)


def made(row: dict[str, object]):
    return candidate_of(row, SHOP, root="shop")


def refusal(row: dict[str, object]) -> str:
    with pytest.raises(DataError) as caught:
        made(row)
    return str(caught.value)


def test_pictures_come_first_then_texts_in_the_order_declared():
    row = {"sku": 17, "title": "red mug", "body": "holds tea", "photo": "a.jpg", "more": ["b.jpg", "c.jpg"]}
    candidate = made({**row, "price": "9.50", "colour": "red", "ignored": object()})
    assert candidate.did == "17"
    assert candidate.parts == (
        *(ImagePart(image=ImageRef(path=name, root="shop")) for name in ("a.jpg", "b.jpg", "c.jpg")),
        TextPart(text="red mug"),
        TextPart(text="holds tea"),
    )
    assert candidate.metadata == {"price": 9.5, "colour": "red"}


def test_empty_cells_are_skipped():
    candidate = made({"sku": "a", "title": "  ", "body": "x", "photo": None, "more": [], "price": ""})
    assert candidate.parts == (TextPart(text="x"),)
    assert candidate.metadata == {"price": None, "colour": None}


@pytest.mark.parametrize("cell", [3, 3.5, Decimal("2.50"), ["a", 7]])
def test_numbers_and_lists_are_texts_as_they_are_written(cell: object):
    texts = [str(item) for item in cell] if isinstance(cell, list) else [str(cell)]
    assert [part.text for part in made({"sku": "a", "title": cell}).parts if isinstance(part, TextPart)] == texts


@pytest.mark.parametrize("sku", [None, "", "  ", 1.5, True, "a\nb", ["a"]])
def test_an_id_must_be_printable_text_or_a_whole_number(sku: object):
    assert refusal({"sku": sku, "title": "x"}).startswith("column 'sku': the id")


def test_pictures_inside_a_table_are_refused_with_the_way_out():
    for cell in (b"\x89PNG", {"bytes": b"\x89PNG", "path": None}):
        assert refusal({"sku": "a", "photo": cell}).endswith(": save the pictures as files and name their paths")


def test_a_cell_names_a_page_and_may_be_written_as_windows_does():
    (picture,) = made({"sku": "a", "photo": "img\\scan.pdf#page=3"}).pictures
    assert picture == ImageRef(path="img/scan.pdf", root="shop", page=2)


@pytest.mark.parametrize("sku", ["at 9.41.07\u202fAM", "\u8cc7\u3000\u8868", "\u0915\u094d\u200d\u0937"])
def test_an_id_may_hold_the_spaces_and_joiners_people_write(sku: str):
    assert made({"sku": sku, "title": "x"}).did == sku


def test_a_row_without_text_and_picture_is_refused():
    assert "neither text nor a picture in photo, more, title, body" in refusal({"sku": "a", "title": ""})


@pytest.mark.parametrize("path", ["https://host/a.jpg", "s3://bucket/a.jpg", "file:///etc/passwd"])
def test_a_url_is_never_a_picture(path: str):
    assert "is a URL, and nothing is fetched" in refusal({"sku": "a", "photo": path})


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.jpg", "a/../../b.jpg", "a\0.jpg"])
def test_a_path_that_leaves_its_root_is_refused(path: str):
    assert "must be relative to the image root" in refusal({"sku": "a", "photo": path})


@pytest.mark.parametrize("cell", [b"\x89PNG", {"bytes": b"x"}, True, [None, {"path": "a"}]])
def test_cells_that_are_neither_text_nor_numbers_are_refused(cell: object):
    assert "it must hold text, a number, or a list of them" in refusal({"sku": "a", "photo": cell})


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("int", "12", 12),
        ("int", 3.0, 3),
        ("float", "1e3", 1000.0),
        ("float", 2, 2.0),
        ("bool", "Yes", True),
        ("bool", "0", False),
        ("bool", True, True),
        ("text", 5, "5"),
        ("int", " ", None),
        ("text", "", ""),
        (None, "7", "7"),
        (None, 7, 7),
        (None, True, True),
        (None, float("nan"), None),
        (None, Decimal("2.5"), 2.5),
        (None, datetime.date(2024, 5, 1), "2024-05-01"),
        (None, datetime.datetime(2024, 5, 1, 12, 30), "2024-05-01T12:30:00"),
    ],
)
def test_a_declared_type_is_applied_and_none_is_guessed(kind: str | None, cell: object, value: object):
    columns = Columns(id="i", text=("t",), metadata=(MetadataColumn(name="m", kind=kind),))  # type: ignore[arg-type]
    found = candidate_of({"i": "a", "t": "x", "m": cell}, columns, root="").metadata["m"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "cell", "sentence"),
    [
        ("int", "12.5", "column 'm': '12.5' is no int"),
        ("float", "cheap", "column 'm': 'cheap' is no float"),
        ("float", "inf", "column 'm': 'inf' is no float"),
        ("bool", "perhaps", "column 'm': 'perhaps' is no bool"),
        (None, 2**63, "column 'm': 9223372036854775808 is no finite number of at most 64 bits"),
        (None, ["a"], "column 'm' holds ['a']; metadata is text, a number or a truth value"),
    ],
)
def test_metadata_of_the_wrong_type_is_refused(kind: str | None, cell: object, sentence: str):
    columns = Columns(id="i", text=("t",), metadata=(MetadataColumn(name="m", kind=kind),))  # type: ignore[arg-type]
    with pytest.raises(DataError) as caught:
        candidate_of({"i": "a", "t": "x", "m": cell}, columns, root="")
    assert str(caught.value) == sentence


def test_options_of_a_command_declare_columns():
    columns = columns_from(id_column="sku", text="title, body", image="photo", metadata="price:float,a:b,colour:text")
    assert columns is not None
    table = ("sku", "title", "body", "photo", "price", "a:b", "colour")
    assert columns.of(table) == Columns(
        id="sku",
        text=("title", "body"),
        image=("photo",),
        metadata=(
            MetadataColumn(name="price", kind="float"),
            MetadataColumn(name="a:b"),
            MetadataColumn(name="colour", kind="text"),
        ),
    )
    assert columns.of(table).names == table
    assert columns_from(id_column=None, text=None, image=None, metadata=None) is None


@pytest.mark.parametrize(
    ("option", "table", "found"),
    [
        ("title", ("id", " title"), (" title",)),
        (" title", ("id", " title", "title"), (" title",)),
        ("title", ("id", " title", "title"), ("title",)),
        ('"title, long",b', ("id", "title, long", "b"), ("title, long", "b")),
        ('b, "title, long"', ("id", "title, long", "b"), ("b", "title, long")),
        ('"a ""b"""', ("id", 'a "b"'), ('a "b"',)),
    ],
)
def test_a_column_is_named_as_it_is_written_or_without_its_blanks(
    option: str, table: tuple[str, ...], found: tuple[str, ...]
):
    columns = columns_from(id_column="id", text=option, image=None, metadata=None)
    assert columns is not None
    assert columns.of(table).text == found


def test_a_metadata_column_whose_name_ends_like_a_type_is_that_column():
    columns = columns_from(id_column="id", text="t", image=None, metadata="ratio:int,price:float")
    assert columns is not None
    assert columns.of(("id", "t", "ratio:int", "price")).metadata == (
        MetadataColumn(name="ratio:int"),
        MetadataColumn(name="price", kind="float"),
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"text": "a"}, "no --id-column"),
        ({"id_column": "i"}, "name --text-columns, --image-columns, or both"),
        ({"id_column": "i", "text": "a,a"}, "columns a, a: name every column once"),
        ({"id_column": "i", "text": "a,"}, "name every column once"),
        ({"id_column": "i", "text": '"a'}, 'columns "a: unexpected end of data; write names with commas'),
    ],
)
def test_columns_that_make_no_candidate_are_an_error(options: dict[str, str], sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        columns_from(**{"id_column": None, "text": None, "image": None, "metadata": None, **options})

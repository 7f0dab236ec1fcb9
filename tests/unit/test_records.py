"""Pins the order of parts, the modality of an item, and how a picture's address is written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.records import (
    Address,
    Candidate,
    ImagePart,
    ImageRef,
    Query,
    TextPart,
    modality_of,
    parts_of,
    text_in,
)

PHOTO = ImageRef(path="a.jpg")


def test_pictures_come_before_the_text():
    assert parts_of(text="red", images=[PHOTO]) == (ImagePart(image=PHOTO), TextPart(text="red"))


@pytest.mark.parametrize("text", [None, ""])
def test_no_text_gives_no_part(text: str | None):
    assert parts_of(text=text) == ()


def test_texts_are_joined_by_newlines_and_pictures_left_out():
    assert text_in([TextPart(text="a"), ImagePart(image=PHOTO), TextPart(text="b")]) == "a\nb"


def test_modality_names_what_an_item_holds():
    assert modality_of([TextPart(text="a")]) == "text"
    assert modality_of([ImagePart(image=PHOTO), ImagePart(image=PHOTO)]) == "image"
    assert modality_of([ImagePart(image=PHOTO), TextPart(text="a")]) == "image,text"


def test_an_item_without_parts_has_no_modality():
    with pytest.raises(ValueError, match="at least one text or picture"):
        modality_of([])


def test_query_and_candidate_show_their_pictures_in_order():
    second = ImageRef(path="b.jpg")
    parts = (ImagePart(image=second), TextPart(text="x"), ImagePart(image=PHOTO))
    assert Query(qid="1:1", parts=parts).pictures == (second, PHOTO)
    assert Candidate(did="1:1", parts=parts).pictures == (second, PHOTO)
    assert Candidate(did="1:1", parts=parts).text == "x"


@pytest.mark.parametrize(
    ("ref", "written"),
    [
        (ImageRef(path="a.jpg"), "a.jpg"),
        (ImageRef(path="a.jpg", root="shop"), "shop:a.jpg"),
        (ImageRef(path="a.pdf", root="shop", page=2), "shop:a.pdf#page=3"),
    ],
)
def test_a_reference_names_itself(ref: ImageRef, written: str):
    assert str(ref) == written


def test_identified_keeps_the_place_and_adds_what_was_found():
    found = ImageRef(path="a.jpg", root="shop", page=1).identified(sha256="ff", width=4, height=3)
    assert found == ImageRef(path="a.jpg", root="shop", page=1, sha256="ff", width=4, height=3)


def test_the_first_picture_of_an_item_is_written_as_one_number():
    assert Address(item=3).to_wire() == 3
    assert Address(item=3, picture=2).to_wire() == [3, 2]
    assert str(Address(item=3, picture=2)) == "[3, 2]"


@given(item=st.integers(0, 10**6), picture=st.integers(1, 10**6))
def test_an_address_survives_the_wire(item: int, picture: int):
    address = Address(item=item, picture=picture)
    assert Address.from_wire(address.to_wire()) == address


@pytest.mark.parametrize("value", [-1, True, [1], [1, 0], [1, 2, 3], [True, 1], "1", None, 1.0, [-1, 1]])
def test_anything_else_is_no_address(value: object):
    with pytest.raises(ValueError, match="not a picture address"):
        Address.from_wire(value)

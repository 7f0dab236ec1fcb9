"""Pins how families are drawn: coarse looks that never repeat, five distinct twins, details that name one item."""

from __future__ import annotations

from collections import Counter

import pytest

from vretrver.world.draw.painter import PATTERNS
from vretrver.world.draw.palette import COLOURS, TONES, TRIMS, allowed_tones, allowed_trims, apart
from vretrver.world.draw.world import (
    COARSE,
    GROUNDS,
    LABELS,
    PRODUCTS,
    Detail,
    Shot,
    all_details,
    draw_family,
)


def test_a_family_is_literal():
    family = draw_family(1, 0)
    assert family.words() == "orange zigzag jar on sand"
    assert (family.label, family.tone, family.trim) == ("emblem", "mist", "black")
    assert [detail.words() for detail in family.details] == [
        "triangle and square badge",
        "arrow and heart badge",
        "bolt and house badge",
        "triangle and heart badge",
        "anchor and bolt badge",
    ]


def test_details_are_sayable():
    assert Detail(kind="print", values=("A", "7", "K")).words() == "code A7K"
    assert Detail(kind="emblem", values=("star", "moon")).words() == "star and moon badge"
    assert Detail(kind="stitch", values=("slash", "cross", "bar")).words() == "patch with slash, cross, bar"


def test_no_two_details_are_said_alike():
    words = [detail.words() for kind in LABELS for detail in all_details(kind)]
    assert len(words) == len(set(words)) == 8000 + 132 + 512


def test_there_are_enough_coarse_looks():
    assert (len(PRODUCTS), len(COLOURS), len(PATTERNS), len(GROUNDS)) == (12, 12, 6, 8)
    assert COARSE == 6912


@pytest.fixture(scope="module")
def families():
    """Families of one seed over the first lap of coarse looks and a part of the second."""
    return [draw_family(3, index) for index in range(COARSE + 300)]


def test_coarse_looks_never_repeat_within_a_lap(families):
    looks = {(f.product, f.colour, f.pattern, f.ground) for f in families[:COARSE]}
    assert len(looks) == COARSE


def test_the_second_lap_differs_in_the_kind_of_label(families):
    for first, again in zip(families, families[COARSE:], strict=False):
        assert first.words() == again.words()
        assert first.label != again.label


def test_twins_are_five_distinct_details_of_one_kind(families):
    for family in families:
        assert len(set(family.details)) == 5
        assert {detail.kind for detail in family.details} == {family.label}


def test_a_detail_and_the_looks_name_one_item_whatever_the_ground(families):
    named = Counter((f.product, f.colour, f.pattern, detail) for f in families for detail in f.details)
    assert set(named.values()) == {1}


def test_kinds_of_label_are_about_equally_frequent(families):
    counts = Counter(family.label for family in families)
    assert all(2100 < counts[kind] < 2700 for kind in LABELS)


@pytest.mark.parametrize("colour", COLOURS)
def test_labels_and_trims_stand_out_from_the_body(colour: str):
    assert allowed_trims(colour)
    assert all(apart(TRIMS[trim], COLOURS[colour]) > 110 for trim in allowed_trims(colour))
    for patterned in (False, True):
        tones = allowed_tones(colour, patterned=patterned)
        assert len(tones) >= 3
        assert all(apart(TONES[tone], COLOURS[colour]) > 100 for tone in tones)


def test_a_shot_prints_its_twins_detail_unless_told_otherwise():
    family = draw_family(1, 0)
    other = Detail(kind="emblem", values=("star", "moon"))
    assert Shot(family=family, twin=2).printed == family.details[2]
    assert Shot(family=family, twin=2, detail=other).printed == other

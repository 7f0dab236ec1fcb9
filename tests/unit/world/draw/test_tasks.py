"""Pins the task shapes: literal texts, one answer each, and no detail beside a candidate's picture."""

from __future__ import annotations

import pytest

from vretrver.world.draw.plan import make_plan
from vretrver.world.draw.tasks import SHAPES, World, candidate_rows, make_world, query_rows


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(1, make_plan(1, 200))


def asked(world: World, task: int) -> dict[str, object]:
    """Return the query row of a task whose answer is the first item."""
    shape = next(shape for shape in SHAPES if shape.task == task)
    item = world.items[0]
    answers = {item.picture_did, item.page_did, item.description_did, item.sheet_did}
    return next(row for row in query_rows(world, shape, first=1) if set(row["pos_cand_list"]) <= answers)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (0, "orange zigzag jar on sand, triangle and square badge"),
        (1, "price and care of the orange zigzag jar, triangle and square badge"),
        (2, "catalogue page of the orange zigzag jar on sand, triangle and square badge"),
        (3, None),
        (4, None),
        (6, "what does this very item cost?"),
        (7, "the same product, but triangle and square badge"),
        (8, "catalogue page of this very item"),
        (9, "the product of <image> on the ground of <image> with triangle and square badge"),
    ],
)
def test_query_texts_are_literal(world: World, task: int, text: str | None):
    assert asked(world, task)["query_txt"] == text


def test_query_pictures_show_the_item_itself_or_a_twin_to_be_changed(world: World):
    item = world.items[0]
    twins = {twin.query_picture for twin in world.twins(item)}
    assert {asked(world, task)["query_img_path"] for task in (0, 1, 2)} == {None}
    assert {asked(world, task)["query_img_path"] for task in (3, 4, 6, 8)} == {item.query_picture}
    assert {asked(world, task)["query_img_path"] for task in (7, 9)} <= twins


def test_an_interleaved_query_shows_a_twin_and_another_product_on_the_right_ground(world: World):
    families = {item.picture: item.family for item in world.items}
    shape = SHAPES[-1]
    pictures = {item.picture_did: item for item in world.items}
    for row in query_rows(world, shape, first=1):
        parts = row["query_parts"]
        item = pictures[row["pos_cand_list"][0]]
        assert [list(part) for part in parts] == [["text"], ["image"], ["text"], ["image"], ["text"]]
        assert row["query_img_path"] == parts[1]["image"]
        other = families[parts[3]["image"]]
        assert other.ground == item.family.ground
        assert (other.index == item.family.index) == (len(world.on_ground[other.ground]) == 5)


def test_every_item_answers_one_query_of_each_shape_and_its_twins_are_judged_negatives(world: World):
    for shape in SHAPES:
        pool = {row["did"] for row in candidate_rows(world, shape.pool)}
        rows = query_rows(world, shape, first=1)
        assert {row["pos_cand_list"][0] for row in rows} == pool
        for row in rows:
            assert len(row["pos_cand_list"]) == 1
            assert len(set(row["neg_cand_list"])) == 4
            assert set(row["neg_cand_list"]) < pool - set(row["pos_cand_list"])


def test_a_text_beside_a_candidates_picture_names_the_product_but_not_the_detail(world: World):
    texts: dict[str, set[str]] = {}
    for row in candidate_rows(world, "pages"):
        texts.setdefault(str(row["txt"]), set()).add(str(row["did"]))
    first = world.items[0]
    assert texts["orange zigzag jar with black trim"] >= {first.page_did, *(t.page_did for t in world.twins(first))}
    words = {item.detail.words() for item in world.items}
    assert not any(word in text for word in words for text in texts)


def test_texts_that_say_the_detail_are_all_different(world: World):
    for pool in ("descriptions", "sheets"):
        texts = [row["txt"] for row in candidate_rows(world, pool)]
        assert len(set(texts)) == len(texts) == 200


def test_rows_are_in_the_order_of_their_ids(world: World):
    for shape in SHAPES:
        numbers = [int(str(row["qid"])[3:]) for row in query_rows(world, shape, first=11)]
        assert numbers == list(range(11, 211))

"""Pairs of a catalogue and the batches drawn from them: what stands in a batch, and what never does."""

from __future__ import annotations

import pytest

from vretrver.errors import ConfigError
from vretrver.records import modality_of
from vretrver.world.draw.tasks import SHAPES
from vretrver.world.draw.world import TWINS
from vretrver.world.embed.pairs import TrainingPairs, alike_key
from vretrver.world.embed.schedule import Schedule

TASKS = tuple(shape.task for shape in SHAPES)


@pytest.fixture(scope="module")
def pairs() -> TrainingPairs:
    return TrainingPairs(seed=3, items=1000, tasks=TASKS)


def schedule(pairs: TrainingPairs, **changed: object) -> Schedule:
    given = {"tasks": TASKS, "steps": 60, "batch_size": 32, "hard": 0.5, "seed": 0} | changed
    return Schedule(pairs.plan, **given)


def test_every_task_shape_has_its_modalities_and_instruction(pairs: TrainingPairs):
    found = {
        task: (modality_of(pairs.query(task, 7, 0).parts), modality_of(pairs.candidate(task, 7).parts))
        for task in TASKS
    }
    assert found == {
        0: ("text", "image"),
        1: ("text", "text"),
        2: ("text", "image,text"),
        3: ("image", "text"),
        4: ("image", "image"),
        6: ("image,text", "text"),
        7: ("image,text", "image"),
        8: ("image,text", "image,text"),
        9: ("image,text", "image"),
    }
    assert pairs.query(4, 7, 0).instruction == "Find another picture of exactly this item."
    assert pairs.query(4, 7, 1).instruction == "Which picture shows the same item?"


def test_the_answer_of_an_items_query_is_that_item(pairs: TrainingPairs):
    item = pairs.plan[7]
    assert pairs.query(0, 7, 0).text == f"{item.family.words()}, {item.detail.words()}"
    assert pairs.candidate(0, 7).pictures[0].path == item.picture
    assert pairs.candidate(3, 7).did == item.description_did
    assert pairs.query(4, 7, 0).pictures[0].path == item.query_picture


def test_an_interleaved_query_keeps_its_order(pairs: TrainingPairs):
    kinds = [type(part).__name__ for part in pairs.query(9, 7, 0).parts]
    assert kinds == ["TextPart", "ImagePart", "TextPart", "ImagePart", "TextPart"]


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match=r"no task 5; its tasks are \[0, 1, 2, 3, 4, 6, 7, 8, 9\]"):
        TrainingPairs(seed=1, items=10, tasks=(0, 5))


def test_no_batch_holds_two_pairs_that_a_thumbnail_cannot_tell_apart(pairs: TrainingPairs):
    for batch in schedule(pairs):
        task = batch[0].task
        keys = {alike_key(pairs.plan[pair.item], task) for pair in batch}
        assert {pair.task for pair in batch} == {task}
        assert len(keys) == len(batch) == 32
        assert len({pair.item // TWINS for pair in batch}) == 32


def test_families_on_other_grounds_are_wrong_answers_only_where_the_ground_is_said(pairs: TrainingPairs):
    item = pairs.plan[0]
    assert alike_key(item, 0) == (item.family.product, item.family.colour, item.family.pattern, item.family.ground)
    assert alike_key(item, 4) == (item.family.product, item.family.colour, item.family.pattern)


def test_part_of_a_batch_shares_product_and_colour(pairs: TrainingPairs):
    def kin(hard: float) -> float:
        shares = []
        for batch in schedule(pairs, hard=hard, steps=20):
            kinds = [(f.product, f.colour) for f in (pairs.plan[pair.item].family for pair in batch)]
            shares.append(sum(kinds.count(kind) > 1 for kind in kinds) / len(kinds))
        return sum(shares) / len(shares)

    assert kin(0.5) > kin(0.0) + 0.2


def test_a_batch_depends_on_seed_and_step_alone(pairs: TrainingPairs):
    assert schedule(pairs).batch(17) == list(schedule(pairs, steps=18))[17]
    assert schedule(pairs, seed=1).batch(17) != schedule(pairs).batch(17)


def test_every_task_shape_comes_up(pairs: TrainingPairs):
    assert {batch[0].task for batch in schedule(pairs)} == set(TASKS)


def test_a_catalogue_that_is_too_small_for_a_batch_is_one_sentence():
    small = TrainingPairs(seed=3, items=20, tasks=(4,))
    with pytest.raises(ConfigError, match="a batch of 32 pairs of task 4 cannot be drawn"):
        schedule(small, tasks=(4,)).batch(0)

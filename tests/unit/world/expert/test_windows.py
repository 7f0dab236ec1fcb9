"""Pins the practice windows: drawn from seed and number alone, and like what a coarse stage gives."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.unit.world.expert.practices import SHAPE, windows, world

from vretrver.config import load_config
from vretrver.errors import ConfigError
from vretrver.records import TextPart
from vretrver.world.expert.config import SynthesisConfig, WindowStage
from vretrver.world.expert.synthesis import practice
from vretrver.world.expert.windows import WindowSampler


def test_a_window_depends_on_its_seed_and_number_only() -> None:
    one, two = WindowSampler(world(), seed=1), WindowSampler(world(), seed=1)
    for number in (7, 3):
        two.window(number + 1, shape=SHAPE[4], size=5)
        assert one.window(number, shape=SHAPE[0], size=10) == two.window(number, shape=SHAPE[0], size=10)
    assert WindowSampler(world(), seed=2).window(3, shape=SHAPE[0], size=10) != one.window(3, shape=SHAPE[0], size=10)


@pytest.mark.parametrize("size", [1, 2, 5, 20, 60])
def test_a_window_has_its_size_and_the_right_candidate_once(size: int) -> None:
    for task, shape in SHAPE.items():
        drawn = WindowSampler(world(), seed=5).window(task, shape=shape, size=size)
        assert len(drawn.task.candidates) == len(drawn.items) == size
        assert len({item.picture for item in drawn.items}) == size
        assert drawn.task.query.instruction
        right = drawn.items[drawn.target - 1]
        expected = {"pictures": right.picture_did, "pages": right.page_did, "sheets": right.sheet_did}
        assert drawn.task.candidates[drawn.target - 1].did == expected.get(shape.pool, right.description_did)


def test_most_windows_hold_all_twins_and_the_right_one_stands_anywhere_among_them() -> None:
    drawn = windows(400, sizes=(10,))
    twins = Counter(sum(item.family.index == p.items[p.target - 1].family.index for item in p.items) for p in drawn)
    assert twins[5] > 0.65 * len(drawn)
    assert set(twins) == {1, 2, 3, 4, 5}
    places = Counter(p.target for p in drawn)
    assert set(places) == set(range(1, 11))
    assert max(places.values()) < 0.4 * len(drawn)


def test_a_few_queries_are_misprinted_in_one_mark_and_say_so_in_their_text() -> None:
    drawn = [p for p in windows(900, sizes=(5,)) if p.wanted.detail is not None]
    wrong = [p for p in drawn if p.wanted.detail != p.items[p.target - 1].detail]
    assert 0.03 < len(wrong) / len(drawn) < 0.1
    for p in wrong:
        assert p.wanted.detail is not None
        pairs = zip(p.wanted.detail.values, p.items[p.target - 1].detail.values, strict=True)
        assert sum(one != two for one, two in pairs) == 1
        texts = " ".join(part.text for part in p.task.query.parts if isinstance(part, TextPart))
        assert p.wanted.detail.words() in texts


def test_stages_follow_one_another_and_weights_are_kept() -> None:
    stages = (WindowStage(windows=100, sizes={2: 1}, shapes={0: 1}), WindowStage(windows=300, sizes={5: 3, 10: 1}))
    config = SynthesisConfig.model_validate({"gallery": "x", "stages": [stage.model_dump() for stage in stages]})
    sampler = WindowSampler(world(), seed=0)
    drawn = [practice(sampler, config, number) for number in range(400)]
    assert {(len(p.items), p.shape.task) for p in drawn[:100]} == {(2, 0)}
    sizes = Counter(len(p.items) for p in drawn[100:])
    assert set(sizes) == {5, 10}
    assert 2 < sizes[5] / sizes[10] < 4.5
    with pytest.raises(ValueError, match="beyond the stages"):
        practice(sampler, config, 400)


@pytest.mark.parametrize(
    "stages", ["[]", "[{windows: 3, sizes: {}}]", "[{windows: 3, sizes: {0: 1}}]", "[{windows: 3, shapes: {4: 0}}]"]
)
def test_impossible_stages_are_refused(stages: str) -> None:
    with pytest.raises(ConfigError, match="stages"):
        load_config(None, SynthesisConfig, sets=["gallery=x", f"stages={stages}"], environ={})


@pytest.mark.parametrize(
    ("sets", "said"),
    [(["whole_tokens=576"], "set tools to false with it"), (["whole_tokens=64", "tools=false"], "whole_tokens")],
)
def test_whole_pictures_that_cannot_be_read_or_need_no_looks_are_refused(sets: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(None, SynthesisConfig, sets=["gallery=x", "stages=[{windows: 3}]", *sets], environ={})

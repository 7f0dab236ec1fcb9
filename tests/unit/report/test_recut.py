"""Pins that a look is cut again to the bytes the agent was shown, or that it is said why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.report.reranks import LOOKED, call, drawn, reranked

from vretrver.agent.trajectory import ObservationRecord
from vretrver.images import ImageStore
from vretrver.report.recut import recut


def look(images: ImageStore, turns: list[str] | None = None) -> ObservationRecord:
    """Return the first look of a session."""
    return reranked(images, turns or LOOKED).trajectories[0].turns[0].observations[0]


def test_a_region_is_cut_again_at_the_size_it_was_shown(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    observation = look(images)
    again = recut(observation, images)
    assert again.problem is None
    assert again.image is not None
    assert again.image.size == (observation.width, observation.height)


def test_a_whole_picture_is_shown_again(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    turns = [call("select_images", target_images=[2]), "<answer>[1]</answer>"]
    observation = look(images, turns)
    assert observation.box is None
    assert recut(observation, images).problem is None


def test_a_picture_that_changed_is_named(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    observation = look(images)
    Image.new("RGB", (320, 240), (1, 2, 3)).save(tmp_path / "1.png")
    assert recut(observation, images).problem == (
        "This look cannot be shown again: picture 1.png: the file has changed since it was recorded; index it again."
    )


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    observation = look(images)
    (tmp_path / "1.png").unlink()
    assert recut(observation, images).problem == (
        "This look cannot be shown again: picture 1.png: cannot be read: No such file or directory."
    )


def test_another_region_than_the_recorded_one_is_not_shown(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    observation = look(images)
    moved = replace(observation, box=[100, 50, 300, 200])
    problem = recut(moved, images).problem
    assert problem is not None
    assert f"instead of {observation.sha256[:12]}" in problem


@pytest.mark.parametrize(
    "box", [[0, 0, 0, 10], [10, 10, 5, 20], [-1, 0, 10, 10], [0, 0, 321, 240], [0, 0, 10**9, 10**9], [1, 2, 3]]
)
def test_a_region_that_is_not_on_the_picture_is_not_followed(tmp_path: Path, box: list[int]) -> None:
    images = drawn(tmp_path)
    problem = recut(replace(look(images), box=box), images).problem
    assert problem == f"The record gives this look the region {box}, which does not lie on its picture."


@pytest.mark.parametrize(("width", "height"), [(0, 64), (-32, 64), (100_000, 100_000)])
def test_a_size_no_look_has_is_not_followed(tmp_path: Path, width: int, height: int) -> None:
    images = drawn(tmp_path)
    problem = recut(replace(look(images), width=width, height=height), images).problem
    assert problem == f"The record gives this look the size {width} x {height}, which no look has."

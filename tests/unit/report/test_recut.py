"""Pins that a look is cut again to the bytes the agent was shown, or that it is said why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.unit.report.reranks import LOOKED, call, drawn, looks_of, reranked

from vretrver.agent.observations import Layout
from vretrver.agent.trajectory import PictureShown
from vretrver.images import ImageStore
from vretrver.report.recut import cut_again


def look(images: ImageStore, turns: list[str] | None = None) -> PictureShown:
    """Return the first look of a session."""
    return looks_of(reranked(images, turns or LOOKED))[0]


def with_cut(shown: PictureShown, **changes: Any) -> PictureShown:
    """Return a look with its one cut changed."""
    return replace(shown, cuts=(replace(shown.cuts[0], **changes),))


def test_a_region_is_cut_again_at_the_size_it_was_shown(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    shown = look(images)
    again = cut_again(shown, images)
    assert again.problem is None
    assert again.image is not None
    assert again.image.size == (shown.width, shown.height)


def test_a_whole_picture_is_shown_again(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    turns = [call("select_images", target_images=[2]), "<answer>[1]</answer>"]
    shown = look(images, turns)
    assert shown.cuts[0].box is None
    assert cut_again(shown, images).problem is None


def test_a_picture_that_changed_is_named(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    shown = look(images)
    Image.new("RGB", (320, 240), (1, 2, 3)).save(tmp_path / "1.png")
    assert cut_again(shown, images).problem == (
        "This look cannot be shown again: picture 1.png: the file has changed since it was recorded; index it again."
    )


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    shown = look(images)
    (tmp_path / "1.png").unlink()
    assert cut_again(shown, images).problem == (
        "This look cannot be shown again: picture 1.png: cannot be read: No such file or directory."
    )


def test_another_region_than_the_recorded_one_is_not_shown(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    shown = look(images)
    problem = cut_again(with_cut(shown, box=(100, 50, 300, 200)), images).problem
    assert problem is not None
    assert f"instead of {str(shown.sha256)[:12]}" in problem


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 10), (10, 10, 5, 20), (-1, 0, 10, 10), (0, 0, 321, 240), (0, 0, 10**9, 10**9)]
)
def test_a_region_that_is_not_on_the_picture_is_not_followed(tmp_path: Path, box: tuple[int, int, int, int]) -> None:
    images = drawn(tmp_path)
    problem = cut_again(with_cut(look(images), box=box), images).problem
    assert problem == f"The record gives this look the region {list(box)}, which is not on its picture."


@pytest.mark.parametrize(("width", "height"), [(0, 64), (-32, 64), (100_000, 100_000)])
def test_a_size_no_look_has_is_not_followed(tmp_path: Path, width: int, height: int) -> None:
    images = drawn(tmp_path)
    problem = cut_again(replace(look(images), width=width, height=height), images).problem
    assert problem == f"The record gives this look the size {width} x {height}, which no look has."


def test_a_look_without_a_hash_is_not_taken_on_trust(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    problem = cut_again(replace(look(images), sha256=None), images).problem
    assert problem == "The record gives this look no hash to check it by."


@pytest.mark.parametrize("layout", Layout)
def test_several_cuts_are_put_together_again_as_the_record_says(tmp_path: Path, layout: Layout) -> None:
    images = drawn(tmp_path)
    shown = look(images)
    problem = cut_again(replace(shown, cuts=(*shown.cuts, *shown.cuts), layout=layout), images).problem
    assert problem is not None
    if layout is Layout.ALONE:
        assert problem == "The record gives this look 2 cuts as alone, which no look has."
    else:
        assert problem.startswith("Put together again, this look has other bytes than the agent was shown (sha256 ")

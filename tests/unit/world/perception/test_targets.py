"""Pins what the vision tower is asked: where marks lie, which patch that is, and what is counted as right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vretrver.models.patches import patchify
from vretrver.world.draw.glyphs import ALPHABETS
from vretrver.world.draw.plan import make_plan
from vretrver.world.draw.render import render
from vretrver.world.draw.world import Detail, Shot
from vretrver.world.gallery import Gallery
from vretrver.world.perception.config import BatchSizes
from vretrver.world.perception.pictures import GEOMETRY, GalleryPictures, PictureBatch, PictureKind
from vretrver.world.perception.questions import _patch_corners, patch_marks
from vretrver.world.perception.targets import MARKS, WHOLE, Targets, targets_of

PLAN = make_plan(3, 60)
SHOTS = {kind: next(i.shot(1) for i in PLAN if i.family.label == kind) for kind in ("print", "emblem", "stitch")}


def seen(corners: list[list[float]], *, grid: tuple[int, int] = (4, 4), patch: float = 16.0) -> PictureBatch:
    """Return pictures without pixels."""
    count = len(corners)
    return PictureBatch(
        kind="look",
        patches=torch.zeros(0),
        grids=torch.tensor([[1, *grid]] * count),
        rows=np.arange(count),
        corners=np.array(corners, dtype=np.float32),
        patch=patch,
    )


def targets(marks: list[list[int]], points: list[list[list[float]]]) -> Targets:
    """Return targets of which only the marks are known."""
    return Targets(
        whole={},
        place=np.zeros((len(marks), 2), np.int64),
        marks=np.array(marks),
        label=np.zeros((len(marks), 2), np.float32),
        points=np.array(points, dtype=np.float32),
    )


def test_a_point_lies_in_a_patch_numbered_in_merge_block_order() -> None:
    points = np.array([[[40, 8], [17, 17], [63.9, 63.9], [-0.1, 5], [64, 5]]], dtype=np.float32)
    number, place = seen([[0, 0]]).patch_of(points)
    assert number.tolist() == [[4, 3, 15, -1, -1]]
    assert place[0, 0].tolist() == [0.5, 0.5]


def test_points_are_native_pixels_from_the_corner_of_what_is_shown() -> None:
    number, _ = seen([[100, 200]], patch=128.0).patch_of(np.array([[[100 + 3 * 128, 200]]], dtype=np.float32))
    assert number.tolist() == [[5]]


@pytest.mark.parametrize("grid", [(2, 2), (4, 4), (4, 6), (8, 8)])
def test_patches_are_where_their_numbers_say(grid: tuple[int, int]) -> None:
    middles = (_patch_corners(grid) * 16 + 8).numpy()
    number, _ = seen([[0, 0]], grid=grid).patch_of(middles[None])
    assert number[0].tolist() == list(range(grid[0] * grid[1]))


def test_patch_numbers_are_the_rows_of_patchify() -> None:
    pixels = np.zeros((64, 96, 3), dtype=np.uint8)
    pixels[37, 83] = 255
    bright = patchify(pixels, GEOMETRY).max(1).argmax()
    number, _ = seen([[0, 0]], grid=(4, 6)).patch_of(np.array([[[83, 37]]], dtype=np.float32))
    assert number.item() == bright


def test_a_patch_with_two_marks_has_no_one_mark() -> None:
    given = targets([[7, 8, 9], [5, 6, 0]], [[[3, 3], [9, 9], [40, 8]], [[33, 33], [-1e4, -1e4], [-1e4, -1e4]]])
    found = patch_marks(seen([[0, 0], [0, 0]]), given)
    assert found[0].tolist() == [-1, 0, 0, 0, 9, *[0] * 11]
    assert found[1].tolist() == [*[0] * 12, 5, 0, 0, 0]


@pytest.mark.parametrize("kind", ["print", "emblem", "stitch"])
def test_the_middle_of_a_mark_lies_on_the_mark(kind: str) -> None:
    shot = SHOTS[kind]
    points = targets_of([shot]).points[0]
    for slot, value in enumerate(shot.printed.values):
        other = next(name for name in ALPHABETS[shot.family.label] if name not in shot.printed.values)
        values = tuple(other if place == slot else old for place, old in enumerate(shot.printed.values))
        changed = replace(shot, detail=Detail(kind=shot.family.label, values=values))
        off = np.abs(render(shot).astype(int) - render(changed).astype(int)).sum(-1)
        rows, columns = np.nonzero(off)
        assert value != other
        assert abs((columns.min() + columns.max()) / 2 - points[slot][0]) < 4
        assert abs((rows.min() + rows.max()) / 2 - points[slot][1]) < 4


def test_what_is_true_of_a_picture_is_said_in_classes() -> None:
    shot: Shot = SHOTS["emblem"]
    found = targets_of([shot])
    assert MARKS[found.marks[0][0]] == f"emblem {shot.printed.values[0]}"
    assert MARKS[found.marks[0][1]] == f"emblem {shot.printed.values[1]}"
    assert found.marks[0][2] == 0
    assert WHOLE["product"][found.whole["product"][0]] == shot.family.product
    assert WHOLE["ground"][found.whole["ground"][0]] != shot.family.ground  # a query's picture lies elsewhere
    assert found.place[0].tolist() == (found.label[0] // 16).astype(int).tolist()
    assert found.points[0][2].tolist() == [-1e4, -1e4]


@pytest.mark.parametrize(
    ("kind", "grid", "patch"),
    [
        ("thumbnail", (6, 6), 128.0),
        ("select", (16, 16), 48.0),
        ("look", (8, 8), 16.0),
        ("label", (4, 4), 16.0),
        ("empty", (8, 8), 16.0),
    ],
)
def test_batches_have_the_geometry_of_what_is_shown(
    gallery_file: Path, kind: PictureKind, grid: tuple[int, int], patch: float
) -> None:
    pictures = GalleryPictures(Gallery(gallery_file), BatchSizes(), seed=0)
    found = pictures.some(kind, 2)
    assert (found.grid, found.patch) == (grid, patch)
    assert found.patches.shape == (2 * grid[0] * grid[1], 3 * 2 * 16 * 16)
    where, _ = found.patch_of(pictures.targets.label[found.rows])
    assert (where >= 0).tolist() == [kind != "empty"] * 2


def test_the_batch_of_a_step_depends_on_seed_and_step_only(gallery_file: Path) -> None:
    batch = BatchSizes(thumbnails=3, selects=1, labels=2, looks=2, empties=1)
    one, two = (GalleryPictures(Gallery(gallery_file), batch, seed=4) for _ in range(2))
    ahead = list(one.steps(5, 8))
    for step, pictures in zip(range(5, 8), ahead, strict=True):
        again = two.step(step)
        assert [seen.kind for seen in again] == ["thumbnail", "select", "label", "look", "empty"]
        for first, second in zip(pictures, again, strict=True):
            assert first.rows.tolist() == second.rows.tolist()
            assert torch.equal(first.patches, second.patches)
    assert ahead[0][0].rows.tolist() != ahead[1][0].rows.tolist()
    assert list(one.steps(8, 8)) == []

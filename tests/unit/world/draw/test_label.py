"""Pins the relief: every mark sums to zero, little of it is left in a thumbnail, plain ink shows there."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import numpy as np
import pytest
from PIL import Image

from vretrver.prng import Stream
from vretrver.world.draw.glyphs import ALPHABETS, LabelKind
from vretrver.world.draw.label import FINE, PATCH, draw_patch, half_extent, plain_mark, relief_mark
from vretrver.world.draw.pose import LABEL_SCALES
from vretrver.world.draw.world import all_details

KINDS: tuple[LabelKind, ...] = ("print", "emblem", "stitch")


def in_thumbnails(mark: np.ndarray) -> np.ndarray:
    """Return what 96 px thumbnails keep of a mark, [16 sampling phases, pixels], in grey levels."""
    pixels = mark.reshape(28, FINE, 28, FINE).mean(axis=(1, 3)) / 8
    kept = []
    for down in range(0, 8, 2):
        for right in range(0, 8, 2):
            wide = np.pad(pixels, ((46 + down, 54 - down), (46 + right, 54 - right))).astype(np.float32)
            kept.append(np.asarray(Image.fromarray(wide).resize((16, 16), Image.Resampling.BILINEAR)).ravel())
    return np.array(kept)


def mean_leak(marks: list[np.ndarray]) -> float:
    """Return the distance between two marks in a thumbnail, averaged over phases and pairs."""
    kept = [in_thumbnails(mark) for mark in marks]
    return fmean(float(np.linalg.norm(a - b, axis=1).mean()) for a, b in combinations(kept, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_every_relief_mark_sums_to_zero(kind: LabelKind):
    assert {int(relief_mark(kind, name).sum()) for name in ALPHABETS[kind]} == {0}


@pytest.mark.parametrize(
    ("kind", "relief", "plain"), [("print", 2.5, 12.0), ("emblem", 2.5, 14.0), ("stitch", 1.0, 6.0)]
)
def test_a_thumbnail_keeps_little_of_relief_and_much_of_plain_ink(kind: LabelKind, relief: float, plain: float):
    names = list(ALPHABETS[kind])
    assert mean_leak([relief_mark(kind, name) for name in names]) < relief
    assert mean_leak([plain_mark(kind, name) for name in names]) > plain


@pytest.mark.parametrize("kind", KINDS)
def test_relief_has_room_on_labels_of_middle_tone(kind: LabelKind):
    for name in ALPHABETS[kind]:
        mark = relief_mark(kind, name).reshape(28, FINE, 28, FINE).mean(axis=(1, 3)) / 8
        assert mark.min() > -130
        assert mark.max() < 140


@pytest.mark.parametrize("kind", KINDS)
def test_turning_scaling_and_shifting_keep_the_sum_near_zero(kind: LabelKind):
    stream = Stream(1, "turns", kind)
    for _ in range(40):
        patch = draw_patch(
            stream.choice(all_details(kind)),
            rotation=2 * stream.between(-8, 7) + 1,
            scale=stream.choice(LABEL_SCALES),
            centre=(640 + stream.below(16), 640 + stream.below(16)),
            plain=False,
        )
        assert abs(patch.relief.sum()) < 0.02 * abs(patch.relief).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_marks_and_label_stay_inside_the_extent(kind: LabelKind):
    detail = all_details(kind)[-1]
    for rotation in (-15, -1, 15):
        patch = draw_patch(detail, rotation=rotation, scale=1126, centre=(645, 633), plain=True)
        wide, high = half_extent(kind, rotation=rotation, scale=1126)
        rows, columns = np.nonzero(patch.cover)
        assert 0 < (645 - wide) // 16 - 1 <= columns.min()
        assert columns.max() <= (645 + wide) // 16 + 1 < PATCH
        assert 0 < (633 - high) // 16 - 1 <= rows.min()
        assert rows.max() <= (633 + high) // 16 + 1 < PATCH
        assert (patch.cover[patch.relief != 0] == 16).all()

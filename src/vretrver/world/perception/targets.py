"""What the vision tower is asked about a picture, as class numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..draw.glyphs import EMBLEM, PRINT, STITCH
from ..draw.painter import PATTERNS
from ..draw.palette import COLOURS, TONES, TRIMS
from ..draw.pose import FRAME, draw_pose
from ..draw.render import label_place
from ..draw.world import GROUNDS, PRODUCTS, Shot

BINS = 48
"""Classes along a picture's side, for the middle of the label: 16 native pixels each."""

SLOTS = 3
"""Marks of a label from left to right; a badge has two, its third is none."""

MARKS: tuple[str, ...] = (
    "none",
    *(f"print {name}" for name in PRINT),
    *(f"emblem {name}" for name in EMBLEM),
    *(f"stitch {name}" for name in STITCH),
)
"""What a slot may hold."""

WHOLE: dict[str, tuple[str, ...]] = {
    "product": PRODUCTS,
    "colour": tuple(COLOURS),
    "pattern": tuple(PATTERNS),
    "ground": GROUNDS,
    "trim": tuple(TRIMS),
    "tone": tuple(TONES),
}
"""What a whole picture is asked, and the answers."""

PITCH: dict[str, tuple[float, ...]] = {"print": (-14, 0, 14), "emblem": (-9.5, 9.5), "stitch": (-14, 0, 14)}
"""Middles of a label's marks from its middle, in native pixels at scale 1."""

Classes = npt.NDArray[np.int64]

Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Class numbers of the pictures of a catalogue, row n for picture n."""

    whole: dict[str, Classes]
    """[N] per question of `WHOLE`."""
    place: Classes
    """[N, 2] bins of the label's middle, from the left and from the top."""
    marks: Classes
    """[N, SLOTS] indices into MARKS."""
    label: Points
    """[N, 2] the label's middle in native pixels, from the left and from the top."""
    points: Points
    """[N, SLOTS, 2] the marks' middles in native pixels; a slot without a mark is far outside."""


def targets_of(shots: Sequence[Shot]) -> Targets:
    """Return what is true of shots."""
    rows = [_row(shot) for shot in shots]
    return Targets(
        whole={
            name: np.array([answers.index(row[name]) for row in rows], dtype=np.int64)
            for name, answers in WHOLE.items()
        },
        place=np.array([_place(shot) for shot in shots], dtype=np.int64),
        marks=np.array([_marks(shot) for shot in shots], dtype=np.int64),
        label=np.array([_middle(shot) for shot in shots], dtype=np.float32),
        points=np.array([_points(shot) for shot in shots], dtype=np.float32),
    )


def _middle(shot: Shot) -> tuple[float, float]:
    place = label_place(shot)
    return place.x / 16, place.y / 16


def _points(shot: Shot) -> list[tuple[float, float]]:
    place, (x, y) = label_place(shot), _middle(shot)
    turn, scale = math.radians(place.rotation), place.scale / 1024
    along = [offset * scale for offset in PITCH[shot.family.label]]
    points = [(x + offset * math.cos(turn), y + offset * math.sin(turn)) for offset in along]
    return [*points, *[(-1e4, -1e4)] * (SLOTS - len(points))]


def _row(shot: Shot) -> dict[str, str]:
    family = shot.family
    return {
        "product": family.product,
        "colour": family.colour,
        "pattern": family.pattern,
        "ground": draw_pose(shot).ground,
        "trim": family.trim,
        "tone": family.tone,
    }


def _place(shot: Shot) -> tuple[int, int]:
    place = label_place(shot)
    x, y = ((edge >> 4) * BINS // FRAME for edge in (place.x, place.y))
    return min(max(x, 0), BINS - 1), min(max(y, 0), BINS - 1)


def _marks(shot: Shot) -> list[int]:
    detail = shot.printed
    named = [MARKS.index(f"{detail.kind} {value}") for value in detail.values]
    return [*named, *[0] * (SLOTS - len(named))]

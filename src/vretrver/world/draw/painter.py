"""A product's master drawing: parts painted one over the other, then packed into one word per unit square.

The drawing holds no colours: each place has its distance to the outline, a shade level of one of the materials, and
how far each pattern covers it. Poses and colours are applied later by look-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arithmetic import Plane, clamp, cosine, isqrt, sine, triangle_wave
from .shapes import SIDE, SUB, axes

LEVELS = 48
"""Shade levels of a material; `LIT` is its plain colour."""

LIT = 34
"""The shade level at which a material shows its plain colour."""

BODY = 0
"""First tone of the body's material; three more of `LEVELS` tones lead over to the pattern's second colour."""

TRIM = 4 * LEVELS
"""First tone of the trim's material."""

PAPER = 5 * LEVELS
"""First tone of paper, which has a third of the levels."""

PATTERNS = ("plain", "striped", "banded", "dotted", "checked", "zigzag")
"""The patterns a body can have; plain covers nothing."""

DISTANCE_ZERO = 64
"""The packed distance of a place on the outline; a step is a quarter of a unit, so 47 units outside is the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """A product, ready to be posed."""

    packed: npt.NDArray[np.uint32]
    """[SIDE, SIDE]: distance in bits 0-7, tone in bits 8-15, then two bits of cover for each pattern but plain."""
    label_zone: tuple[int, int, int, int]
    """Where the middle of a label may be: left, top, right, bottom in units from the origin."""


class Painter:
    """Paints the parts of one product in order, from the back to the front."""

    def __init__(self) -> None:
        self.u, self.v = axes()
        self._outline = np.full((SIDE, SIDE), 2**20, dtype=np.int32)
        self._tone = np.zeros((SIDE, SIDE), dtype=np.int32)
        self._cover = np.zeros((SIDE, SIDE), dtype=np.int32)

    def add(self, shape: Plane, level: Plane | int, *, material: int = BODY, shadow: int = 0) -> None:
        """Paint a part.

        Args:
            shape: signed distances to the part, in sixteenths.
            level: shade levels; cut to 1 .. LEVELS - 1.
            material: BODY, TRIM or PAPER.
            shadow: levels by which the part darkens what is under its edge, fading out over 14 units.
        """
        if shadow:
            near = clamp(14 * SUB - abs(shape), 0, 14 * SUB) * shadow // (14 * SUB)
            self._darken(near)
        inside = np.broadcast_to(shape < SUB // 2, self._tone.shape)
        levels = clamp(np.broadcast_to(np.asarray(level, dtype=np.int32), self._tone.shape), 1, LEVELS - 1)
        tones = levels // 3 + PAPER if material == PAPER else levels + material
        self._tone = np.where(inside, tones, self._tone)
        self._cover = np.where(inside, 0, self._cover)
        self._outline = np.minimum(self._outline, shape)

    def weave(self, shape: Plane, s: Plane | None = None, t: Plane | None = None) -> None:
        """Lay the patterns over the inside of a shape, along s (across) and t (down), in sixteenths of a unit."""
        covers = packed_covers(self.u if s is None else s, self.v if t is None else t)
        self._cover = np.where(shape < 0, covers, self._cover)

    def crease(self, line: Plane, depth: int, *, within: Plane | None = None) -> None:
        """Darken along a line: by `depth` levels where `line` <= 0, fading out over three units."""
        dark = clamp(3 * SUB - line, 0, 3 * SUB) * depth // (3 * SUB)
        self._darken(dark if within is None else np.where(within < 0, dark, 0))

    def finish(self, label_zone: tuple[int, int, int, int]) -> Master:
        """Return the packed drawing."""
        distance = clamp(self._outline // 4 + DISTANCE_ZERO, 0, 255)
        packed = distance | (self._tone << 8) | (self._cover << 16)
        return Master(packed=packed.astype(np.uint32), label_zone=label_zone)

    def _darken(self, levels: Plane) -> None:
        within = self._tone % LEVELS
        paper = self._tone >= PAPER
        self._tone = self._tone - np.where(paper, np.minimum(levels // 3, within), np.minimum(levels, within))


def packed_covers(s: Plane, t: Plane) -> Plane:
    """Return how far each pattern but plain covers a place: 0 .. 3, two bits each, striped lowest."""
    across, down = triangle_wave(s, 64 * SUB) - 16 * SUB, triangle_wave(t, 64 * SUB) - 16 * SUB
    small_s, small_t = triangle_wave(s, 88 * SUB) - 22 * SUB, triangle_wave(t, 88 * SUB) - 22 * SUB
    edges = (
        across,
        down,
        _dots(s, t),
        np.maximum(np.minimum(small_s, -small_t), np.minimum(-small_s, small_t)),
        triangle_wave(t + triangle_wave(s, 60 * SUB), 60 * SUB) - 15 * SUB,
    )
    packed = np.zeros(np.broadcast_shapes(s.shape, t.shape), dtype=np.int32)
    for place, edge in enumerate(edges):
        packed |= clamp((SUB - edge) * 4 // (2 * SUB), 0, 3) << (2 * place)
    return packed


def _dots(s: Plane, t: Plane) -> Plane:
    period = 72 * SUB
    half = period // 2
    row = t // half
    x = triangle_wave(s + (row % 2) * half + half, period) - half
    y = t - row * half - half // 2
    return isqrt(x * x + y * y) - 13 * SUB


def around(u: Plane, widths: Plane) -> tuple[Plane, Plane]:
    """Return where a place is on a turned body of half width `widths`, and how it is lit from the left.

    Returns:
        the length along the surface from the middle, in sixteenths, and the shade level.
    """
    t = clamp(u * 256 // np.maximum(widths, SUB), -256, 256)
    along = widths * (t + (t * t >> 8) * t * 2 // (7 * 256)) // 256
    facing = isqrt(65536 - t * t)
    lit = (facing * cosine(38) - t * sine(38)) >> 14
    shine = clamp(60 - abs(t + 118), 0, 60)
    bounce = clamp(t - 190, 0, 66)
    return along, 11 + clamp(lit, 0, 256) * 25 // 256 + shine * 5 // 60 + bounce * 5 // 66


def puffed(shape: Plane, u: Plane, v: Plane, *, depth: int = 60, round_by: int = 10) -> Plane:
    """Return the shade levels of a soft flat body: bright at the upper left, falling off within `depth` units."""
    rim = clamp(depth * SUB + shape, 0, depth * SUB) // SUB
    fall = rim * rim * round_by // (depth * depth)
    return LIT + 2 - fall - (u * 3 + v * 4) // (300 * SUB)

"""Labels and the marks on them: zero-sum relief that a thumbnail's filter cancels out, drawn in integers.

A mark is its sharp bitmap minus a small blur of itself: dark strokes with light rims, whose sum is exactly zero and
which have little left below the spatial frequencies of a 96 px thumbnail. Plain dark ink is the positive control.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
import numpy.typing as npt

from .arithmetic import Plane, cosine, isqrt, sine
from .glyphs import ALPHABETS, LabelKind
from .world import Detail

FINE = 4
"""Texels per pixel and side of a label's drawing."""

PATCH = 80
"""Pixels per side of the patch a label and its shadow are drawn in."""

SIZES: dict[LabelKind, tuple[int, int]] = {"print": (56, 36), "emblem": (52, 40), "stitch": (56, 36)}
"""Width and height in pixels at scale 1."""

_CELLS: dict[LabelKind, tuple[int, ...]] = {"print": (-56, 0, 56), "emblem": (-38, 38), "stitch": (-56, 0, 56)}
"""Middles of the marks from the label's middle, in texels."""

_DOT: dict[LabelKind, int] = {"print": 8, "emblem": 6, "stitch": 6}
"""Texels per bitmap dot: marks are drawn 2, 1.5 and 1.5 times."""

_STRENGTH: dict[LabelKind, int] = {"print": 210, "emblem": 200, "stitch": 190}
"""Grey levels of a relief mark before its blur is taken off."""

_PLAIN: dict[LabelKind, int] = {"print": 80, "emblem": 100, "stitch": 120}
"""Grey levels by which plain ink is darker than the label: thinner strokes need darker ink to show in a thumbnail."""

_SHEET = 512
"""Texels per side of a label's drawing: room for every corner of a turned patch."""

_CELL = 28 * FINE
"""Texels per side of a mark's canvas."""

_EDGE = np.array([1, 2, 1], dtype=np.int64)
"""How a stroke's edge is softened."""

EIGHTHS = 8
"""Relief is kept in eighths of a grey level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPatch:
    """A label, turned, scaled and placed to sixteenths of a pixel, over PATCH x PATCH pixels."""

    cover: Plane
    """Coverage, 0 .. 16."""
    rim: Plane
    """Coverage by the rim, 0 .. 16."""
    relief: Plane
    """What the marks add to the label's grey levels, in 128ths."""


def _binomial() -> npt.NDArray[np.int64]:
    """Return a blur of one pixel's standard deviation in texels: binomial weights of order 64 that sum to 4096."""
    weights = [comb(64, k) * 4096 // 2**64 for k in range(16, 49)]
    weights[16] += 4096 - sum(weights)
    return np.array(weights, dtype=np.int64)


def _blurred(dots: npt.NDArray[np.int64], kernel: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return a plane blurred down and across, times the square of the kernel's sum; its margin must be empty."""
    reach = len(kernel) // 2
    for axis in (0, 1):
        padded = np.pad(dots, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)])
        length = dots.shape[axis]
        dots = sum(np.take(padded, range(k, k + length), axis=axis) * weight for k, weight in enumerate(kernel))
    return dots


@lru_cache(maxsize=128)
def relief_mark(kind: LabelKind, name: str) -> Plane:
    """Return a mark's relief in eighths of a grey level, [112, 112] texels; its sum is exactly zero.

    Strokes have edges of two texels, so that turning and scaling a label by picking texels keeps the sum near zero.
    Rounding is carried over from texel to texel in reading order, so that it does not add up.
    """
    ink = _blurred(_dots(kind, name).astype(np.int64), _EDGE)
    exact = EIGHTHS * _STRENGTH[kind] * (_blurred(ink, _binomial()) - 4096 * 4096 * ink)
    carried = np.cumsum(exact.ravel()) // (4096 * 4096 * int(_EDGE.sum()) ** 2)
    relief: Plane = np.diff(carried, prepend=0).reshape(ink.shape).astype(np.int32)
    return relief


def plain_mark(kind: LabelKind, name: str) -> Plane:
    """Return a mark in plain dark ink, in eighths of a grey level, [112, 112] texels."""
    return _dots(kind, name) * (-_PLAIN[kind] * EIGHTHS)


def _dots(kind: LabelKind, name: str) -> Plane:
    """Return a mark's bitmap in the middle of its cell, 0 or 1 per texel."""
    rows = ALPHABETS[kind][name]
    bitmap = np.array([[dot == "#" for dot in row] for row in rows], dtype=np.int32)
    large = np.kron(bitmap, np.ones((_DOT[kind], _DOT[kind]), dtype=np.int32))
    cell = np.zeros((_CELL, _CELL), dtype=np.int32)
    top, left = (_CELL - large.shape[0]) // 2, (_CELL - large.shape[1]) // 2
    cell[top : top + large.shape[0], left : left + large.shape[1]] = large
    return cell


@lru_cache(maxsize=4)
def _blank(kind: LabelKind) -> tuple[Plane, Plane]:
    """Return coverage and rim of an unmarked label, 0 or 1 per texel."""
    line = np.arange(_SHEET, dtype=np.int32) * 2 + 1 - _SHEET
    width, height = SIZES[kind]
    corner = 7 * FINE * 2
    x = np.maximum(abs(line) - width * FINE + corner, 0)[None, :]
    y = np.maximum(abs(line) - height * FINE + corner, 0)[:, None]
    distance = isqrt(x * x + y * y) - corner
    return (distance < 0).astype(np.int32), ((distance < -1) & (distance >= -2 * FINE - 2)).astype(np.int32)


def _sheet(detail: Detail, *, plain: bool) -> Plane:
    """Return a label's drawing, one word per texel: relief above bit 10, rim in bit 5, coverage in bit 0."""
    cover, rim = _blank(detail.kind)
    relief = np.zeros((_SHEET, _SHEET), dtype=np.int32)
    draw = plain_mark if plain else relief_mark
    top = (_SHEET - _CELL) // 2
    for middle, name in zip(_CELLS[detail.kind], detail.values, strict=True):
        left = top + middle
        relief[top : top + _CELL, left : left + _CELL] += draw(detail.kind, name)
    return (relief << 10) + (rim << 5) + cover


def draw_patch(detail: Detail, *, rotation: int, scale: int, centre: tuple[int, int], plain: bool) -> LabelPatch:
    """Return a label's patch; every pixel is the mean of 16 texels.

    The 16 places in a pixel are a grid turned by its own step, no two in one row or column, so that no row of texels
    is picked more often than others and the relief's sum stays near zero.

    Args:
        detail: what is printed.
        rotation: degrees, clockwise.
        scale: 1024ths.
        centre: the label's middle within the patch, in sixteenths of a pixel, near (640, 640).
        plain: plain dark ink instead of relief.
    """
    place = np.arange(PATCH * FINE, dtype=np.int32)
    turn = place % FINE
    line = 2 * FINE * place + 1
    cos, sin = cosine(rotation) * 1024 // scale, sine(rotation) * 1024 // scale
    x, y = line - 2 * centre[0], line - 2 * centre[1]
    x_turn, y_turn = (2 * turn, 2 * (FINE - 1 - turn))[:: 1 if rotation > 0 else -1]
    middle = (_SHEET // 2) << 17
    u = ((x * cos + y_turn * sin)[None, :] + (y * sin + x_turn * cos)[:, None] + middle) >> 17
    v = ((y_turn * cos - x * sin)[None, :] + (y * cos - x_turn * sin)[:, None] + middle) >> 17
    words = _sheet(detail, plain=plain).ravel().take(v * _SHEET + u)
    total = words.reshape(PATCH, FINE, PATCH * FINE).sum(axis=1, dtype=np.int32)
    total = total.reshape(PATCH, PATCH, FINE).sum(axis=2, dtype=np.int32)
    return LabelPatch(cover=total & 31, rim=(total >> 5) & 31, relief=total >> 10)


def half_extent(kind: LabelKind, *, rotation: int, scale: int) -> tuple[int, int]:
    """Return half width and half height, in sixteenths of a pixel, of the upright box around a turned label."""
    width, height = SIZES[kind]
    cos, sin = abs(cosine(rotation)), abs(sine(rotation))
    grown = 8 * scale
    return (width * cos + height * sin) * grown // 1024 >> 14, (width * sin + height * cos) * grown // 1024 >> 14

"""Integer mathematics for drawing: sines from a table, square roots, smooth noise.

No result depends on the machine: everything is integer arithmetic, but for `isqrt`, whose one float64 operation
IEEE 754 requires to be correctly rounded.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...prng import Stream

Plane = npt.NDArray[np.int32]
"""Integers over a picture or a part of one, [height, width] or broadcastable to it."""

ONE = 1 << 14
"""The fixed-point 1 of `sine` and `cosine`."""

_SINES = (
    0,
    286,
    572,
    857,
    1143,
    1428,
    1713,
    1997,
    2280,
    2563,
    2845,
    3126,
    3406,
    3686,
    3964,
    4240,
    4516,
    4790,
    5063,
    5334,
    5604,
    5872,
    6138,
    6402,
    6664,
    6924,
    7182,
    7438,
    7692,
    7943,
    8192,
    8438,
    8682,
    8923,
    9162,
    9397,
    9630,
    9860,
    10087,
    10311,
    10531,
    10749,
    10963,
    11174,
    11381,
    11585,
    11786,
    11982,
    12176,
    12365,
    12551,
    12733,
    12911,
    13085,
    13255,
    13421,
    13583,
    13741,
    13894,
    14044,
    14189,
    14330,
    14466,
    14598,
    14726,
    14849,
    14968,
    15082,
    15191,
    15296,
    15396,
    15491,
    15582,
    15668,
    15749,
    15826,
    15897,
    15964,
    16026,
    16083,
    16135,
    16182,
    16225,
    16262,
    16294,
    16322,
    16344,
    16362,
    16374,
    16382,
    16384,
)


def sine(degrees: int) -> int:
    """Return the sine of a whole number of degrees times `ONE`."""
    turn = degrees % 360
    if turn >= 180:
        return -sine(turn - 180)
    return _SINES[min(turn, 180 - turn)]


def cosine(degrees: int) -> int:
    """Return the cosine of a whole number of degrees times `ONE`."""
    return sine(degrees + 90)


def isqrt(values: npt.NDArray[np.integer]) -> Plane:
    """Return the integer square roots, rounded down, of integers 0 <= n < 2**52."""
    return np.sqrt(values.astype(np.float64)).astype(np.int32)


def clamp(values: Plane, low: int, high: int) -> Plane:
    """Return the values cut to low .. high."""
    return np.minimum(np.maximum(values, np.int32(low)), np.int32(high))


def ramp(values: Plane, low: int, high: int) -> Plane:
    """Return a smooth step: 0 up to `low`, 256 from `high` on, 3t^2 - 2t^3 between; needs low < high."""
    t = clamp((values - low) * 256 // (high - low), 0, 256)
    return (t * t * (768 - 2 * t)) >> 16


def triangle_wave(values: Plane, period: int) -> Plane:
    """Return the distance to the nearest multiple of `period`, 0 .. period / 2."""
    rest = values % period
    return np.minimum(rest, period - rest)


def smooth_noise(stream: Stream, shape: tuple[int, int], cell: tuple[int, int]) -> Plane:
    """Return noise of 0 .. 255 over a [height, width] plane, smooth over cells of (height, width) pixels."""
    height, width = shape
    rows, columns = height // cell[0] + 2, width // cell[1] + 2
    lattice = (stream.words(rows * columns) >> np.uint32(24)).astype(np.int32).reshape(rows, columns)
    down, down_weight = _cells(height, cell[0])
    right, right_weight = _cells(width, cell[1])
    weight = down_weight[:, None]
    stretched = (lattice[down] * (256 - weight) + lattice[down + 1] * weight) >> 8
    noise: Plane = (stretched[:, right] * (256 - right_weight) + stretched[:, right + 1] * right_weight) >> 8
    return noise


def _cells(length: int, cell: int) -> tuple[npt.NDArray[np.int32], Plane]:
    place = np.arange(length, dtype=np.int32)
    return place // cell, ramp(place % cell, 0, cell)

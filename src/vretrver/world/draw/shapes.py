"""Signed distances to plane shapes in integer arithmetic: negative inside, positive outside.

All lengths are in sixteenths of a unit (`SUB`); a drawing is `SIDE` units wide and high with its origin in the
middle, u to the right and v down. Distances are exact or slightly short, which is enough for soft edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arithmetic import Plane, clamp, isqrt

SUB = 16
"""Sixteenths: fixed-point steps per unit."""

SIDE = 768
"""Units per side of a drawing."""


def axes() -> tuple[Plane, Plane]:
    """Return u as [1, SIDE] and v as [SIDE, 1]: the places of the unit squares' centres."""
    line = (np.arange(SIDE, dtype=np.int32) - SIDE // 2) * SUB + SUB // 2
    return line[None, :], line[:, None]


def circle(u: Plane, v: Plane, centre: tuple[int, int], radius: int) -> Plane:
    """Return distances to a disc; centre and radius in units."""
    x, y = u - centre[0] * SUB, v - centre[1] * SUB
    return isqrt(x * x + y * y) - radius * SUB


def ellipse(u: Plane, v: Plane, centre: tuple[int, int], radii: tuple[int, int]) -> Plane:
    """Return distances to an upright ellipse, to first order (its implicit function over the length of its slope)."""
    x = clamp((u - centre[0] * SUB) * 64 // radii[0], -30000, 30000)
    y = clamp((v - centre[1] * SUB) * 64 // radii[1], -30000, 30000)
    far = isqrt(x * x + y * y)
    steep_x, steep_y = clamp(x * 64 // radii[0], -30000, 30000), clamp(y * 64 // radii[1], -30000, 30000)
    steep = isqrt(steep_x * steep_x + steep_y * steep_y)
    beyond = far - 64 * SUB
    near_middle = beyond * min(radii) // 64
    return np.where(far < 32 * SUB, near_middle, beyond * far // np.maximum(steep, 1))


def box(u: Plane, v: Plane, centre: tuple[int, int], half: tuple[int, int], corner: int = 0) -> Plane:
    """Return distances to an upright rectangle of half width and half height, with rounded corners."""
    x = abs(u - centre[0] * SUB) - (half[0] - corner) * SUB
    y = abs(v - centre[1] * SUB) - (half[1] - corner) * SUB
    outside_x, outside_y = np.maximum(x, 0), np.maximum(y, 0)
    outside = isqrt(outside_x * outside_x + outside_y * outside_y)
    return outside + np.minimum(np.maximum(x, y), 0) - corner * SUB


def capsule(u: Plane, v: Plane, start: tuple[int, int], end: tuple[int, int], radius: int) -> Plane:
    """Return distances to a line from start to end of the given half thickness."""
    x, y = u - start[0] * SUB, v - start[1] * SUB
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) * SUB
    along = np.minimum(np.maximum(x * dx + y * dy, 0), length).astype(np.int64)
    part = (along * 4096 // length).astype(np.int32)
    x, y = x - (part * (SUB * dx) >> 12), y - (part * (SUB * dy) >> 12)
    return isqrt(x * x + y * y) - radius * SUB


def polygon(u: Plane, v: Plane, corners: Sequence[tuple[int, int]], corner: int = 0) -> Plane:
    """Return distances to a simple polygon, its outline moved out by `corner` units, which rounds its corners."""
    nearest = np.full(np.broadcast_shapes(u.shape, v.shape), 2**28, dtype=np.int32)
    inside = np.zeros(nearest.shape, dtype=bool)
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        nearest = np.minimum(nearest, capsule(u, v, start, end, 0))
        x, y = u - start[0] * SUB, v - start[1] * SUB
        dx, dy = end[0] - start[0], end[1] - start[1]
        crosses = (v >= min(start[1], end[1]) * SUB) & (v < max(start[1], end[1]) * SUB)
        left = x * dy < y * dx if dy > 0 else x * dy > y * dx
        inside ^= crosses & left
    return np.where(inside, -nearest, nearest) - corner * SUB


def ring(u: Plane, v: Plane, centre: tuple[int, int], radii: tuple[int, int], half: int) -> Plane:
    """Return distances to an elliptic band: the outline of an ellipse, `half` units to each side."""
    return abs(ellipse(u, v, centre, radii)) - half * SUB


def halfwidths(v: Plane, knots: Sequence[tuple[int, int]]) -> Plane:
    """Return a smooth half width for every v, [SIDE, 1], through knots (v, half width) in units, v rising.

    Between knots the curve is Catmull and Rom's; beyond the ends it keeps the end's value.
    """
    points = [knots[0], *knots, knots[-1]]
    table = np.full(v.shape, knots[0][1] * SUB, dtype=np.int32)
    table[v > knots[-1][0] * SUB] = knots[-1][1] * SUB
    for before, start, end, after in zip(points, points[1:], points[2:], points[3:], strict=False):
        here = (v >= start[0] * SUB) & (v <= end[0] * SUB)
        span = end[0] - start[0]
        t = (v[here].astype(np.int64) - start[0] * SUB) * 1024 // (span * SUB)
        into = (end[1] - before[1]) * span * 16 // (end[0] - before[0])
        out = (after[1] - start[1]) * span * 16 // (after[0] - start[0])
        rise = (end[1] - start[1]) * 16
        cubic = ((into + out - 2 * rise) * t >> 10) + (3 * rise - 2 * into - out)
        table[here] = (((cubic * t >> 10) + into) * t >> 10) + start[1] * 16
    return table


def turned(u: Plane, v: Plane, widths: Plane, top: int, bottom: int) -> Plane:
    """Return distances to the outline |u| <= width(v), top <= v <= bottom (units), of a body turned on a lathe."""
    slope = np.zeros_like(widths)
    slope[1:-1] = (widths[2:] - widths[:-2]) // 2
    steep = isqrt(slope * slope + SUB * SUB)
    level = abs(u) - widths
    side = np.maximum(level * SUB // steep, level - 6 * SUB)
    outline: Plane = np.maximum(side, np.maximum(top * SUB - v, v - bottom * SUB))
    return outline


def joined(first: Plane, second: Plane, blend: int = 0) -> Plane:
    """Return distances to the union; `blend` units fill the corner where the two meet."""
    nearest = np.minimum(first, second)
    if blend == 0:
        return nearest
    close = np.maximum(blend * SUB - abs(first - second), 0)
    filled: Plane = nearest - close * close // (4 * blend * SUB)
    return filled


def cut(first: Plane, second: Plane) -> Plane:
    """Return distances to what is in the first and not in the second shape."""
    return np.maximum(first, -second)

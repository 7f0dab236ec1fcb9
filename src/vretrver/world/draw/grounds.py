"""Surfaces under products: eight textures, each a large tile of palette indices and a palette of 256 colours.

A tile is drawn once per process; a picture takes a piece of it at some offset.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...prng import Stream
from .arithmetic import Plane, clamp, isqrt, ramp, smooth_noise, triangle_wave
from .palette import RGB

TILE = 1024
"""Pixels per side of a tile."""

Palette = npt.NDArray[np.int32]
"""[256, 3] colours, 0 .. 255 before light is applied."""

_SHAPE = (TILE, TILE)


@lru_cache(maxsize=16)
def ground_tile(name: str) -> npt.NDArray[np.uint8]:
    """Return the palette indices of a ground, [TILE, TILE]."""
    x = np.arange(TILE, dtype=np.int32)[None, :]
    return clamp(_DRAWN[name][0](Stream(0, "ground", name), x, x.T), 0, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def ground_palette(name: str) -> Palette:
    """Return the colours of a ground's indices: smooth between the stops, which are equally far apart."""
    stops = np.array(_DRAWN[name][1], dtype=np.int32)
    place = np.arange(256, dtype=np.int32)[:, None] * (len(stops) - 1)
    low = place // 256
    share = place % 256
    return (stops[low[:, 0]] * (256 - share) + stops[low[:, 0] + 1] * share) >> 8


def _wood(stream: Stream, x: Plane, y: Plane) -> Plane:
    plank = y // 171
    warp = smooth_noise(stream.child("warp"), _SHAPE, (60, 190)) // 3
    shift = (plank * 389) % 256
    rings = triangle_wave(y * 3 + warp + shift, 46) * 3
    fibre = smooth_noise(stream.child("fibre"), _SHAPE, (3, 130))
    fine = smooth_noise(stream.child("fine"), _SHAPE, (2, 36))
    gap = clamp(5 - abs(y % 171 - 2), 0, 5) * 26
    joint = clamp(4 - abs((x + plank * 367) % 683 - 2), 0, 4) * 26
    board = (stream.words(8)[plank] >> np.uint32(27)).astype(np.int32) * 2
    return 52 + board + rings // 2 + fibre * 70 // 256 + fine * 44 // 256 - np.maximum(gap, joint)


def _tiles(stream: Stream, x: Plane, y: Plane) -> Plane:
    side = 192
    dx, dy = triangle_wave(x, side), triangle_wave(y, side)
    grout = np.minimum(dx, dy)
    place = (y // side) * 6 + x // side
    each = (stream.words(64)[place] >> np.uint32(28)).astype(np.int32) * 3
    cloud = smooth_noise(stream.child("cloud"), _SHAPE, (70, 70)) // 7
    bevel = clamp(12 - grout, 0, 9) * 2
    glint = ((x % side < 10) | (y % side < 10)) * 14
    surface = 150 + each + cloud - bevel + glint
    rough = smooth_noise(stream.child("rough"), _SHAPE, (3, 3)) // 8
    return np.where(grout < 4, 62 + rough, surface)


def _grass(stream: Stream, x: Plane, y: Plane) -> Plane:
    lean = x + y // 3
    column = smooth_noise(stream.child("blades"), (TILE, 2 * TILE), (26, 5))
    other = smooth_noise(stream.child("others"), (TILE, 2 * TILE), (18, 4))
    rows = np.broadcast_to(np.arange(TILE)[:, None], _SHAPE)
    blades = column[rows, lean]
    against = other[rows, x - y // 4 + TILE // 2]
    clump = smooth_noise(stream.child("clump"), _SHAPE, (90, 110))
    grass: Plane = np.maximum(blades, against) * 150 // 256 + clump * 60 // 256 + 8
    return grass


def _sand(stream: Stream, x: Plane, y: Plane) -> Plane:
    drift = smooth_noise(stream.child("drift"), _SHAPE, (120, 150))
    ripple = triangle_wave(y * 2 + drift + x // 5, 70)
    grains = (stream.words(TILE * TILE) >> np.uint32(26)).astype(np.int32).reshape(_SHAPE)
    soft = smooth_noise(stream.child("soft"), _SHAPE, (3, 3))
    return 84 + ramp(ripple, 0, 35) * 44 // 256 + drift // 8 + grains // 2 + soft // 8


def _bricks(stream: Stream, x: Plane, y: Plane) -> Plane:
    course = y // 72
    shifted = x + (course % 2) * 80 + course * 7
    dx, dy = triangle_wave(shifted, 160), triangle_wave(y, 72)
    wobble = smooth_noise(stream.child("wobble"), _SHAPE, (9, 9)) // 64
    place = (course * 31 + shifted // 160 * 7) % 256
    each = (stream.words(256)[place] >> np.uint32(26)).astype(np.int32)
    rough = smooth_noise(stream.child("rough"), _SHAPE, (7, 12)) // 5
    fine = smooth_noise(stream.child("fine"), _SHAPE, (2, 2)) // 8
    shade = clamp(10 - np.minimum(dx, dy), 0, 5) * 3
    mortar = np.minimum(dx, dy) < 4 + wobble // 2
    return np.where(mortar, 200 + rough // 2 + fine // 2, 24 + each + rough + fine - shade)


def _linen(stream: Stream, x: Plane, y: Plane) -> Plane:
    weft = smooth_noise(stream.child("weft"), _SHAPE, (5, 90))
    warp = smooth_noise(stream.child("warp"), _SHAPE, (90, 5))
    over = triangle_wave(x, 6) * 9 + triangle_wave(y, 6) * 9
    check = ((x // 6 + y // 6) % 2) * 12
    fold = smooth_noise(stream.child("fold"), _SHAPE, (300, 340)) // 7
    cloth: Plane = 58 + weft * 50 // 256 + warp * 50 // 256 + over // 2 + check + fold
    return cloth


def _marble(stream: Stream, x: Plane, y: Plane) -> Plane:
    bend = (
        smooth_noise(stream.child("bend"), _SHAPE, (170, 170))
        + smooth_noise(stream.child("curl"), _SHAPE, (48, 48)) // 3
    )
    cloud = smooth_noise(stream.child("cloud"), _SHAPE, (110, 140))
    width = smooth_noise(stream.child("width"), _SHAPE, (140, 140))
    main = triangle_wave(bend * 3 + x + y // 2, 420)
    thin = triangle_wave(bend * 4 - x + y, 330)
    veins = clamp(26 - main, 0, 26) * width // 60 + clamp(7 - thin, 0, 7) * width // 24
    return 216 - cloud // 5 - veins + smooth_noise(stream.child("fine"), _SHAPE, (2, 2)) // 32


def _slate(stream: Stream, _x: Plane, y: Plane) -> Plane:
    broad = smooth_noise(stream.child("broad"), _SHAPE, (60, 200))
    layers = smooth_noise(stream.child("layers"), _SHAPE, (14, 60))
    step = triangle_wave(broad * 2 + layers // 2 + y // 3, 90)
    edge = clamp(6 - step, 0, 6) * 7
    fine = smooth_noise(stream.child("fine"), _SHAPE, (3, 7))
    spark = isqrt(stream.words(TILE * TILE).reshape(_SHAPE) >> np.uint32(20)) // 8
    return 60 + broad // 5 + layers // 4 + fine // 5 + edge + spark


_DRAWN: dict[str, tuple[Callable[[Stream, Plane, Plane], Plane], tuple[RGB, ...]]] = {
    "wood": (_wood, ((58, 36, 22), (128, 86, 54), (178, 130, 86), (214, 172, 124))),
    "tiles": (_tiles, ((112, 118, 120), (150, 158, 160), (190, 200, 202), (214, 222, 222), (236, 240, 238))),
    "grass": (_grass, ((24, 46, 20), (52, 92, 36), (92, 136, 56), (142, 178, 86), (186, 208, 124))),
    "sand": (_sand, ((150, 122, 82), (196, 166, 118), (222, 198, 150), (240, 222, 182))),
    "bricks": (
        _bricks,
        ((88, 42, 34), (140, 68, 52), (172, 92, 68), (196, 136, 110), (206, 190, 172), (220, 210, 196)),
    ),
    "linen": (_linen, ((142, 134, 120), (178, 170, 154), (206, 198, 182), (228, 222, 208))),
    "marble": (_marble, ((96, 100, 108), (142, 146, 152), (190, 192, 196), (224, 224, 224), (242, 240, 236))),
    "slate": (_slate, ((34, 40, 48), (62, 70, 80), (92, 101, 112), (126, 136, 146))),
}

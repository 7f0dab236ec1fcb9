"""Masters turned into posed planes: palette indices and coverage at some size, rotation and side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from . import clutter, goods, vessels
from .arithmetic import ONE, clamp, cosine, ramp, sine
from .painter import BODY, DISTANCE_ZERO, LEVELS, LIT, PAPER, PATTERNS, TRIM, Master
from .palette import PAPER as PAPER_COLOUR
from .palette import RGB, mixed
from .shapes import SIDE

CANVAS = 640
"""Units of a master that a posed plane shows; products leave a margin inside it for their shadow."""

_MASTERS: dict[str, Callable[[], Master]] = {
    "mug": vessels.mug,
    "bottle": vessels.bottle,
    "jar": vessels.jar,
    "vase": vessels.vase,
    "lamp": vessels.lamp,
    "teapot": vessels.teapot,
    "shirt": goods.shirt,
    "backpack": goods.backpack,
    "cap": goods.cap,
    "book": goods.book,
    "cushion": goods.cushion,
    "tote": goods.tote,
    **clutter.MASTERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A master at one size, rotation and side, ready to be coloured and pasted."""

    tones: Image.Image
    """Mode P without a palette: tones of the body, the trim and paper."""
    cover: Image.Image
    """Mode L: 255 where the drawing covers the picture, soft at the outline."""
    shadow: Image.Image
    """Mode L: the strength of the cast shadow, soft, to be pasted some pixels off."""


@lru_cache(maxsize=32)
def master(name: str) -> Master:
    """Return the master drawing of a product or of a piece of clutter; drawn once per process."""
    return _MASTERS[name]()


@lru_cache(maxsize=192)
def posed(name: str, pattern: str, size: int, rotation: int, flip: bool) -> Posed:
    """Return a drawing at `size` x `size` pixels (even), turned clockwise by whole degrees after mirroring."""
    packed = _sampled(master(name).packed, size, rotation, flip)
    distance = packed.astype(np.uint8)
    tones = (packed >> np.uint32(8)).astype(np.uint8)
    layer = PATTERNS.index(pattern)
    if layer:
        cover = (packed >> np.uint32(14 + 2 * layer)).astype(np.uint8) & np.uint8(3)
        tones = tones + cover * np.uint8(LEVELS)
    plane = Image.frombytes("L", (size, size), distance.tobytes())
    return Posed(
        tones=Image.frombytes("P", (size, size), tones.tobytes()),
        cover=plane.point(_cover_table(size)),
        shadow=plane.point(_shadow_table()),
    )


def _sampled(packed: npt.NDArray[np.uint32], size: int, rotation: int, flip: bool) -> npt.NDArray[np.uint32]:
    """Return the nearest unit square of every pixel."""
    across = cosine(rotation) * CANVAS // size
    along = sine(rotation) * CANVAS // size
    middle = (SIDE // 2) << 15
    line = np.arange(1 - size, size, 2, dtype=np.int64)
    turn = -1 if flip else 1
    u = (turn * (line * across)[None, :] + turn * (line * along)[:, None] + middle) >> 15
    v = ((line * across)[:, None] - (line * along)[None, :] + middle) >> 15
    if CANVAS * (abs(cosine(rotation)) + abs(sine(rotation))) > SIDE * ONE:
        u, v = np.clip(u, 0, SIDE - 1), np.clip(v, 0, SIDE - 1)
    return packed.ravel().take(v * SIDE + u)


@lru_cache(maxsize=64)
def _cover_table(size: int) -> list[int]:
    """Return 256 coverages by packed distance: half at the outline, one pixel of ramp."""
    distance = np.arange(256, dtype=np.int32) - DISTANCE_ZERO
    table: list[int] = clamp(128 - distance * 64 * size // CANVAS, 0, 255).tolist()
    return table


@lru_cache(maxsize=1)
def _shadow_table() -> list[int]:
    distance = np.arange(256, dtype=np.int32) - DISTANCE_ZERO
    table: list[int] = (112 - ramp(distance, -40, 150) * 112 // 256).tolist()
    return table


def material_palette(body: RGB, second: RGB, trim: RGB) -> npt.NDArray[np.int32]:
    """Return the colours of all 256 tones, [256, 3], before light is applied."""
    level = np.arange(LEVELS, dtype=np.int32)[:, None]
    table = np.zeros((256, 3), dtype=np.int32)
    for step in range(4):
        start = BODY + step * LEVELS
        table[start : start + LEVELS] = _shades(mixed(body, second, step * 256 // 3), level)
    table[TRIM : TRIM + LEVELS] = _shades(trim, level)
    table[PAPER:] = _shades(PAPER_COLOUR, np.arange(0, LEVELS, 3, dtype=np.int32)[:, None])
    return table


def _shades(colour: RGB, level: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    factor = 256 + (level - LIT) * 19 // 4
    glow = np.maximum(level - LIT - 4, 0) * 4
    shades: npt.NDArray[np.int32] = np.array(colour, dtype=np.int32) * factor // 256 + (level - LIT) // 2 + glow
    return shades

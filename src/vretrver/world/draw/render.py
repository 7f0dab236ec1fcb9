"""A shot drawn into pixels: ground, clutter, product, label, light and grain, in integer arithmetic throughout.

The same shot gives the same pixels on every machine. Pillow is used for what is exact in it: palettes, look-up
tables and pasting through 8-bit masks; nothing is resized or rotated by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...prng import Stream
from . import clutter
from .arithmetic import Plane, clamp, smooth_noise
from .grounds import TILE, ground_palette, ground_tile
from .label import PATCH, draw_patch, half_extent
from .palette import COLOURS, TONES, TRIMS, second_colour
from .pose import FRAME, Pose, Prop, draw_pose
from .sprites import Posed, material_palette, posed
from .world import Shot

Pixels = npt.NDArray[np.uint8]
"""[height, width, 3] sRGB."""

_DARKEST, _LIGHTEST = 24, 231
"""Range of everything but labels before slope and noise are added, which reach at most 22 levels."""

_SHADOW = (26, 22, 28)
_NOISE_TILE = 1024


PixelBox = tuple[int, int, int, int]
"""A part of a picture: left, top, right, bottom in native pixels, right and bottom outside."""

WHOLE: PixelBox = (0, 0, FRAME, FRAME)
"""The whole picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlace:
    """Where a label is in a native picture."""

    x: int
    """Centre from the left, in sixteenths of a pixel."""
    y: int
    """Centre from the top, in sixteenths of a pixel."""
    rotation: int
    """Degrees, clockwise, -15 .. 15."""
    scale: int
    """Size in 1024ths."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels (right and bottom outside): holds the whole label."""


@lru_cache(maxsize=8192)
def label_place(shot: Shot) -> LabelPlace:
    """Return where the label of a shot is; it does not depend on the detail. The scripted expert asks often."""
    pose = draw_pose(shot)
    x, y = pose.label_centre
    wide, high = half_extent(shot.family.label, rotation=pose.label_rotation, scale=pose.label_scale)
    return LabelPlace(
        x=x,
        y=y,
        rotation=pose.label_rotation,
        scale=pose.label_scale,
        box=((x - wide >> 4) - 1, (y - high >> 4) - 1, (x + wide >> 4) + 2, (y + high >> 4) + 2),
    )


def render(shot: Shot, *, window: PixelBox = WHOLE) -> Pixels:
    """Return the native picture of a shot, [768, 768, 3], or the same pixels of a part of it, sooner."""
    pose = draw_pose(shot)
    frame = np.array(_scene(shot, pose, window))
    noise_corner, mottle_corner = _grain(shot)
    air = _air(pose, noise_corner, window)
    np.add(frame, air, out=frame)
    _stick_label(frame, air, shot, pose, mottle_corner=mottle_corner, window=window)
    return frame


def _grain(shot: Shot) -> tuple[tuple[int, int], tuple[int, int]]:
    stream = Stream(shot.family.seed, "grain", shot.family.index, shot.twin, shot.view, shot.grain)
    room = _NOISE_TILE - FRAME + 1
    return (stream.below(room), stream.below(room)), (stream.below(512 - PATCH), stream.below(512 - PATCH))


def _scene(shot: Shot, pose: Pose, window: PixelBox) -> Image.Image:
    """Return the lit picture without label, slope and noise, every value within _DARKEST .. _LIGHTEST."""
    left, top = pose.ground_corner
    ground = _tile_image(pose.ground).crop((left + window[0], top + window[1], left + window[2], top + window[3]))
    frame = _coloured(ground, ground_palette(pose.ground), pose)
    for prop in pose.props:
        if not _reaches(prop, window):
            continue
        body, trim = clutter.COLOURS[prop.name][prop.colours]
        layer = posed(prop.name, "plain", prop.size, prop.rotation, pose.flip)
        corner = prop.corner[0] - window[0], prop.corner[1] - window[1]
        _lay(frame, layer, material_palette(body, body, trim), pose, corner=corner, shadow=(4, 6))
    family = shot.family
    layer = posed(family.product, family.pattern, pose.size, pose.rotation, pose.flip)
    palette = material_palette(COLOURS[family.colour], second_colour(family.colour), TRIMS[family.trim])
    corner = pose.corner[0] - window[0], pose.corner[1] - window[1]
    _lay(frame, layer, palette, pose, corner=corner, shadow=pose.shadow)
    return frame


def _reaches(prop: Prop, window: PixelBox) -> bool:
    """Say whether a piece of clutter or its shadow can fall into the window."""
    (left, top), size = prop.corner, prop.size
    return left < window[2] and top < window[3] and left + size + 4 > window[0] and top + size + 6 > window[1]


def _lay(
    frame: Image.Image, layer: Posed, palette: Plane, pose: Pose, *, corner: tuple[int, int], shadow: tuple[int, int]
) -> None:
    """Paste a drawing and, before it, its shadow, which is cast `shadow` pixels to the right and down."""
    place = corner[0] + shadow[0], corner[1] + shadow[1]
    if part := _part_within(frame, layer.shadow, place):
        frame.paste(_SHADOW, _start_within(place), layer.shadow.crop(part))
    if part := _part_within(frame, layer.cover, corner):
        tones = _coloured(layer.tones.crop(part), palette, pose)
        frame.paste(tones, _start_within(corner), layer.cover.crop(part))


def _part_within(frame: Image.Image, plane: Image.Image, corner: tuple[int, int]) -> PixelBox | None:
    """Return the part of a plane that falls into the frame when it is laid at `corner`, if any does."""
    left, top = max(-corner[0], 0), max(-corner[1], 0)
    right, bottom = min(frame.width - corner[0], plane.width), min(frame.height - corner[1], plane.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _start_within(corner: tuple[int, int]) -> tuple[int, int]:
    return max(corner[0], 0), max(corner[1], 0)


def _coloured(indices: Image.Image, palette: Plane, pose: Pose) -> Image.Image:
    """Return palette indices in colour, under the pose's light."""
    lit = clamp(_lit(palette, pose), _DARKEST, _LIGHTEST)
    coloured = indices.copy()
    coloured.putpalette(lit.astype(np.uint8).tobytes())
    return coloured.convert("RGB")


def _lit(values: Plane, pose: Pose) -> Plane:
    """Return grey levels under the pose's light: contrast about mid grey, then gain at mid grey."""
    return ((values - 128) * pose.contrast + 128 * pose.gain) >> 8


@lru_cache(maxsize=16)
def _tile_image(name: str) -> Image.Image:
    return Image.frombytes("P", (TILE, TILE), ground_tile(name).tobytes())


def _air(pose: Pose, noise_corner: tuple[int, int], window: PixelBox) -> Pixels:
    """Return slope and noise as two's complement bytes, the same in all channels: adding them wraps to the sum."""
    columns, rows = np.s_[window[0] : window[2]], np.s_[window[1] : window[3]]
    line = np.arange(FRAME, dtype=np.int32) - FRAME // 2
    across = np.repeat(line[columns] * pose.slope[0] // FRAME, 3).astype(np.uint8)
    down = (line[rows] * pose.slope[1] // FRAME).astype(np.uint8)
    left, top = noise_corner[0] + window[0], noise_corner[1] + window[1]
    air = _noise()[top : top + len(down), 3 * left : 3 * left + len(across)] + across[None, :]
    air += down[:, None]
    return air.reshape(len(down), len(across) // 3, 3)


@lru_cache(maxsize=1)
def _noise() -> npt.NDArray[np.uint8]:
    """Return grey sensor noise, standard deviation 3.2, within -10 .. 10, as bytes, [1024, 3 * 1024]."""
    words = Stream(0, "noise").words(_NOISE_TILE * _NOISE_TILE)
    total = np.full(words.shape, -10, dtype=np.int32)
    for place in range(5):
        total += (((words >> np.uint32(6 * place)) & np.uint32(63)) * np.uint32(5) >> np.uint32(6)).astype(np.int32)
    return np.repeat(total.astype(np.uint8).reshape(_NOISE_TILE, _NOISE_TILE), 3, axis=1)


@lru_cache(maxsize=1)
def _mottle() -> Plane:
    """Return the paper's mottling, [512, 512] grey levels: period about six pixels."""
    coarse = smooth_noise(Stream(0, "mottle", 1), (512, 512), (6, 6))
    other = smooth_noise(Stream(0, "mottle", 2), (512, 512), (5, 7))
    return (coarse + other - 255) // 18


def _stick_label(
    frame: Pixels, air: Pixels, shot: Shot, pose: Pose, *, mottle_corner: tuple[int, int], window: PixelBox
) -> None:
    """Draw the label and its shadow into the frame, as far as they fall into the window."""
    x, y = pose.label_centre
    left, top = (x >> 4) - PATCH // 2, (y >> 4) - PATCH // 2
    patch = draw_patch(
        shot.printed,
        rotation=pose.label_rotation,
        scale=pose.label_scale,
        centre=(x - left * 16, y - top * 16),
        plain=shot.ink == "plain",
    )
    rows = np.s_[max(window[1] - top, 0) : max(window[3] - top, 0)]
    columns = np.s_[max(window[0] - left, 0) : max(window[2] - left, 0)]
    kept = rows, columns
    top, left = top - window[1], left - window[0]
    place = np.s_[max(top, 0) : max(top + PATCH, 0), max(left, 0) : max(left + PATCH, 0)]
    column, row = mottle_corner
    mottle = _mottle()[row : row + PATCH, column : column + PATCH]
    tone = np.array(TONES[shot.family.tone], dtype=np.int32) + pose.label_shift
    paper = (tone + mottle[:, :, None]) * (16 * 256 - 115 * patch.rim[:, :, None]) >> 12
    printed: Plane = _lit(paper, pose) + (patch.relief[:, :, None] * pose.contrast + (1 << 14) >> 15)
    printed = printed[kept] + air[place].view(np.int8).astype(np.int32)
    cover = patch.cover[:, :, None][kept]
    cast = _label_shadow(patch.cover, -1 if pose.flip else 1)[:, :, None][kept]
    bare: Plane = 16 - cover
    below: Plane = frame[place].astype(np.int32) * (2560 - cast * bare) // 2560
    mixed: Plane = (below * bare + printed * cover + 8) >> 4
    frame[place] = clamp(mixed, 0, 255).astype(np.uint8)


def _label_shadow(cover: Plane, side: int) -> Plane:
    """Return the label's shadow, 0 .. 48: its cover cast two to four pixels down and one to three aside, summed."""
    near, middle, far = (np.roll(cover, (down, side * (down - 1)), (0, 1)) for down in (2, 3, 4))
    return near + middle + far

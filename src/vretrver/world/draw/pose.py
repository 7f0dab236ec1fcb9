"""The nuisance of a shot: where things are, how they are lit, what is beside it. It never depends on a detail."""

from __future__ import annotations

from dataclasses import dataclass

from ...prng import Stream
from . import clutter
from .arithmetic import ONE, cosine, sine
from .sprites import CANVAS, master
from .world import GROUNDS, Shot

FRAME = 768
"""Pixels per side of a native picture."""

SIZES = (512, 552, 592, 632)
"""Pixels per side of the square a product's canvas is drawn to."""

TURNS = (-12, -8, -4, 0, 4, 8, 12)
"""Degrees a product is turned by."""

LABEL_TURNS = (-3, -1, 1, 3)
"""Degrees a label is turned by against its product, so that it stays within 15 degrees of level."""

LABEL_SCALES = (973, 1024, 1075, 1126)
"""Size of a label in 1024ths: .95 to 1.10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """A piece of clutter."""

    name: str
    """One of clutter.MASTERS."""
    colours: int
    """Which of its colour pairs."""
    size: int
    """Pixels per side of its canvas, even."""
    rotation: int
    """Degrees."""
    corner: tuple[int, int]
    """Left and top of its canvas in the frame, in pixels; may be outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Everything about a picture but the family and the detail."""

    ground: str
    """Surface under the product."""
    ground_corner: tuple[int, int]
    """Left and top of the piece of the ground's tile, in pixels."""
    size: int
    """One of SIZES."""
    rotation: int
    """One of TURNS, clockwise."""
    flip: bool
    """True when the product is mirrored; light and shadow are then mirrored too."""
    corner: tuple[int, int]
    """Left and top of the product's canvas in the frame, in pixels."""
    shadow: tuple[int, int]
    """Pixels to the right and down that the product's shadow is cast."""
    gain: int
    """Brightness in 256ths, 240 .. 271."""
    contrast: int
    """Contrast about mid grey in 256ths, 236 .. 268."""
    slope: tuple[int, int]
    """Grey levels that the light gains from the left to the right edge and from top to bottom, -11 .. 11."""
    label_centre: tuple[int, int]
    """Centre of the label in the frame, in sixteenths of a pixel."""
    label_rotation: int
    """Degrees, -15 .. 15, clockwise."""
    label_scale: int
    """One of LABEL_SCALES."""
    label_shift: int
    """Grey levels added to the label's tone, -6 .. 6."""
    props: tuple[Prop, ...]
    """Clutter, drawn under the product."""


def draw_pose(shot: Shot) -> Pose:
    """Sample a shot's pose; it depends on the family's number, the twin and the view only."""
    family = shot.family
    stream = Stream(family.seed, "pose", family.index, shot.twin, shot.view)
    size, rotation, flip = stream.choice(SIZES), stream.choice(TURNS), bool(stream.below(2))
    corner = stream.below(FRAME - size + 1), stream.below(FRAME - size + 1)
    shadow = stream.between(10, 20) * (-1 if flip else 1), stream.between(14, 24)
    left, top, right, bottom = master(family.product).label_zone
    place = stream.between(left * 16, right * 16), stream.between(top * 16, bottom * 16)
    middle = corner[0] + size // 2, corner[1] + size // 2
    return Pose(
        ground=family.ground
        if shot.view == 0
        else stream.choice([name for name in GROUNDS if name != family.ground]),
        ground_corner=(stream.below(257), stream.below(257)),
        size=size,
        rotation=rotation,
        flip=flip,
        corner=corner,
        shadow=shadow,
        gain=stream.between(240, 271),
        contrast=stream.between(236, 268),
        slope=(stream.between(-11, 11), stream.between(-11, 11)),
        label_centre=_placed(place, middle=middle, size=size, rotation=rotation, flip=flip),
        label_rotation=rotation + stream.choice(LABEL_TURNS),
        label_scale=stream.choice(LABEL_SCALES),
        label_shift=stream.between(-6, 6),
        props=_draw_props(stream.child("props"), middle),
    )


def _placed(
    place: tuple[int, int], *, middle: tuple[int, int], size: int, rotation: int, flip: bool
) -> tuple[int, int]:
    """Return a master's place (sixteenths of a unit) in the frame (sixteenths of a pixel)."""
    u, v = -place[0] if flip else place[0], place[1]
    cos, sin = cosine(rotation), sine(rotation)
    x = (u * cos - v * sin) * size // (CANVAS * ONE)
    y = (u * sin + v * cos) * size // (CANVAS * ONE)
    return middle[0] * 16 + x, middle[1] * 16 + y


def _draw_props(stream: Stream, middle: tuple[int, int]) -> tuple[Prop, ...]:
    """Draw up to four props, each far from the product's middle and from the others; one without room is dropped."""
    props: list[Prop] = []
    for _ in range(stream.choice((0, 1, 2, 2, 3, 4))):
        name = stream.choice(list(clutter.MASTERS))
        size = 2 * stream.between(32, 50)
        centre = stream.between(20, FRAME - 20), stream.between(20, FRAME - 20)
        others = [(p.corner[0] + p.size // 2, p.corner[1] + p.size // 2) for p in props]
        prop = Prop(
            name=name,
            colours=stream.below(len(clutter.COLOURS[name])),
            size=size,
            rotation=15 * stream.below(24),
            corner=(centre[0] - size // 2, centre[1] - size // 2),
        )
        if _far(centre, [middle], 300) and _far(centre, others, 110):
            props.append(prop)
    return tuple(props)


def _far(centre: tuple[int, int], others: list[tuple[int, int]], distance: int) -> bool:
    return all((centre[0] - x) ** 2 + (centre[1] - y) ** 2 >= distance**2 for x, y in others)

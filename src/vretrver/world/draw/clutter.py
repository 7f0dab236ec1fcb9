"""Small neutral props beside a product: pebble, leaf, coin, button, acorn, twig."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arithmetic import isqrt
from .painter import LIT, TRIM, Master, Painter
from .palette import RGB
from .shapes import SUB, box, capsule, circle, cut, ellipse, joined, ring

_NO_LABEL = (0, 0, 0, 0)


def _domed(art: Painter, radius: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Return the shade levels of a dome lit from the upper left."""
    x, y = art.u + radius * SUB // 2, art.v + radius * SUB // 2
    return LIT + 8 - isqrt(x * x + y * y) * 20 // (radius * SUB * 2)


def _pebble() -> Master:
    art = Painter()
    stone = joined(ellipse(art.u, art.v, (-30, 10), (200, 160)), ellipse(art.u, art.v, (90, -10), (150, 120)), 60)
    art.add(stone, _domed(art, 240))
    art.crease(abs(ellipse(art.u, art.v, (60, -240), (260, 250))) - 4 * SUB, 4, within=stone)
    return art.finish(_NO_LABEL)


def _leaf() -> Master:
    art = Painter()
    u, v = art.u, art.v
    art.add(capsule(u, v, (0, 180), (26, 285), 9), LIT - 6, material=TRIM)
    blade = np.maximum(circle(u, v, (-190, 0), 300), circle(u, v, (190, 0), 300))
    art.add(blade, LIT + 2 - u // (18 * SUB) - (u > 0) * 6)
    art.crease(abs(u) - 4 * SUB, 8, within=blade)
    for start in range(-130, 170, 60):
        for side in (-1, 1):
            art.crease(capsule(u, v, (0, start), (side * 110, start - 80), 3), 6, within=blade)
    return art.finish(_NO_LABEL)


def _coin() -> Master:
    art = Painter()
    u, v = art.u, art.v
    disc = circle(u, v, (0, 0), 230)
    art.add(disc, LIT + 5 - (u + v) // (50 * SUB), material=TRIM)
    art.crease(abs(circle(u, v, (0, 0), 196)) - 6 * SUB, 9, within=disc)
    boss = cut(circle(u, v, (0, 0), 96), circle(u, v, (0, 0), 58))
    art.crease(boss, 7, within=disc)
    return art.finish(_NO_LABEL)


def _button() -> Master:
    art = Painter()
    u, v = art.u, art.v
    disc = circle(u, v, (0, 0), 220)
    art.add(disc, LIT + 4 - (u + v) // (44 * SUB))
    art.crease(abs(ring(u, v, (0, 0), (160, 160), 10)), 8, within=disc)
    for x, y in ((-44, -44), (44, -44), (44, 44), (-44, 44)):
        art.add(circle(u, v, (x, y), 24), 8)
    return art.finish(_NO_LABEL)


def _acorn() -> Master:
    art = Painter()
    u, v = art.u, art.v
    nut = joined(ellipse(u, v, (0, 40), (130, 190)), ellipse(u, v, (0, 220), (24, 36)), 30)
    art.add(nut, _domed(art, 190))
    art.add(capsule(u, v, (0, -180), (24, -262), 16), LIT - 8, material=TRIM)
    hat = cut(ellipse(u, v, (0, -60), (166, 134)), box(u, v, (0, 170), (300, 190)))
    art.add(hat, _domed(art, 170) - 3, material=TRIM, shadow=10)
    return art.finish(_NO_LABEL)


def _twig() -> Master:
    art = Painter()
    u, v = art.u, art.v
    wood = joined(capsule(u, v, (-40, 280), (30, -40), 20), capsule(u, v, (30, -40), (-10, -280), 15), 20)
    wood = joined(wood, capsule(u, v, (24, -30), (130, -160), 12), 24)
    art.add(wood, LIT + 4 - (u + 60 * SUB) // (9 * SUB))
    return art.finish(_NO_LABEL)


MASTERS: dict[str, Callable[[], Master]] = {
    "pebble": _pebble,
    "leaf": _leaf,
    "coin": _coin,
    "button": _button,
    "acorn": _acorn,
    "twig": _twig,
}
"""How each prop is drawn."""

COLOURS: dict[str, tuple[tuple[RGB, RGB], ...]] = {
    "pebble": (((150, 146, 140),) * 2, ((112, 110, 112),) * 2, ((176, 160, 140),) * 2),
    "leaf": (((118, 128, 70), (96, 84, 54)), ((160, 100, 56), (110, 74, 50)), ((176, 142, 74), (120, 90, 56))),
    "coin": (((180, 150, 90), (180, 150, 90)), ((164, 112, 80), (164, 112, 80)), ((168, 170, 172), (168, 170, 172))),
    "button": (((214, 204, 184),) * 2, ((120, 84, 60),) * 2, ((88, 90, 96),) * 2),
    "acorn": (((164, 120, 70), (112, 86, 58)), ((140, 110, 66), (104, 80, 60))),
    "twig": (((112, 86, 62),) * 2, ((134, 112, 88),) * 2),
}
"""(body, trim) colours that each prop can have."""

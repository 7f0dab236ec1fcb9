"""Master drawings of the round products: mug, bottle, jar, vase, lamp, teapot."""

from __future__ import annotations

import numpy as np

from .painter import LIT, TRIM, Master, Painter, around
from .shapes import SUB, box, capsule, circle, cut, ellipse, halfwidths, joined, ring, turned


def mug() -> Master:
    """A straight mug with a handle and a trimmed rim."""
    art = Painter()
    u, v = art.u, art.v
    handle = cut(ring(u, v, (150, 10), (92, 104), 23), box(u, v, (0, 0), (120, 300)))
    art.add(handle, LIT + 4 - (abs(handle + 23 * SUB) // (3 * SUB)) - abs(v) // (60 * SUB))
    widths = halfwidths(v, [(-190, 162), (120, 156), (200, 138)])
    body = joined(turned(u, v, widths, -190, 196), ellipse(u, v, (0, 194), (138, 30)))
    along, level = around(u, widths)
    art.add(body, level, shadow=12)
    art.weave(body, along)
    rim = ellipse(u, v, (0, -190), (162, 37))
    art.add(rim, level + 5, material=TRIM)
    inside = ellipse(u, v, (0, -188), (149, 29))
    art.add(inside, 17 + u // (16 * SUB) + (v + 190 * SUB) // (4 * SUB))
    return art.finish((-88, -92, 88, 118))


def bottle() -> Master:
    """A round bottle with a cap."""
    art = Painter()
    u, v = art.u, art.v
    widths = halfwidths(v, [(-250, 40), (-168, 42), (-130, 60), (-70, 106), (-30, 112), (220, 112), (262, 98)])
    body = joined(turned(u, v, widths, -250, 256), ellipse(u, v, (0, 252), (100, 18)))
    along, level = around(u, widths)
    art.add(body, level)
    art.weave(np.maximum(body, -120 * SUB - v), along)
    ridge = box(u, v, (0, -184), (52, 9), 6)
    art.add(ridge, level, material=TRIM, shadow=8)
    cap_widths = halfwidths(v, [(-300, 42), (-190, 50)])
    cap = turned(u, v, cap_widths, -292, -196)
    _, cap_level = around(u, cap_widths)
    art.add(joined(cap, ellipse(u, v, (0, -291), (42, 8))), cap_level, material=TRIM, shadow=6)
    art.crease(abs(v + 208 * SUB) - SUB, 5, within=cap)
    return art.finish((-46, -22, 46, 192))


def jar() -> Master:
    """A wide jar with a lid and a knob."""
    art = Painter()
    u, v = art.u, art.v
    widths = halfwidths(v, [(-170, 120), (-120, 148), (-60, 162), (120, 160), (190, 138), (222, 112)])
    body = joined(turned(u, v, widths, -170, 216), ellipse(u, v, (0, 214), (116, 24)))
    along, level = around(u, widths)
    art.add(body, level)
    art.weave(body, along)
    neck = halfwidths(v, [(-190, 134), (-150, 134)])
    _, lid_level = around(u, neck)
    art.add(box(u, v, (0, -170), (136, 20), 12), lid_level, material=TRIM, shadow=12)
    dome = halfwidths(v, [(-250, 30), (-236, 74), (-190, 128)])
    _, dome_level = around(u, dome)
    art.add(joined(turned(u, v, dome, -248, -184), box(u, v, (0, -186), (128, 6), 5)), dome_level + 2, material=TRIM)
    knob = ellipse(u, v, (0, -262), (30, 24))
    art.add(knob, LIT + 6 - (circle(u, v, (-10, -272), 0) // (3 * SUB)), material=TRIM, shadow=8)
    return art.finish((-86, -70, 86, 132))


def vase() -> Master:
    """A bellied vase with a flared, trimmed mouth."""
    art = Painter()
    u, v = art.u, art.v
    widths = halfwidths(
        v, [(-270, 92), (-240, 76), (-190, 60), (-110, 92), (20, 168), (110, 168), (220, 106), (262, 94)]
    )
    body = joined(turned(u, v, widths, -270, 258), ellipse(u, v, (0, 256), (94, 18)))
    along, level = around(u, widths)
    art.add(body, level)
    art.weave(body, along)
    foot = box(u, v, (0, 258), (100, 14), 10)
    art.add(foot, level - 2, material=TRIM, shadow=8)
    art.add(ellipse(u, v, (0, -270), (94, 23)), level + 5, material=TRIM, shadow=6)
    art.add(ellipse(u, v, (0, -268), (82, 16)), 13 + u // (12 * SUB))
    return art.finish((-84, -4, 84, 132))


def lamp() -> Master:
    """A table lamp: a wide shade on a turned stand."""
    art = Painter()
    u, v = art.u, art.v
    stand = halfwidths(v, [(30, 10), (90, 11), (130, 26), (170, 46), (210, 34), (232, 20), (250, 60), (266, 96)])
    pole = joined(turned(u, v, stand, 20, 262), ellipse(u, v, (0, 262), (96, 17)))
    _, pole_level = around(u, stand)
    art.add(pole, pole_level, material=TRIM)
    widths = halfwidths(v, [(-270, 104), (-110, 148), (60, 202)])
    shade = joined(turned(u, v, widths, -270, 52), ellipse(u, v, (0, 50), (202, 26)))
    along, level = around(u, widths)
    art.add(shade, level * 3 // 4 + 10, shadow=14)
    art.weave(shade, along * 3 // 4)
    art.add(ring(u, v, (0, -270), (103, 15), 4), level + 2, material=TRIM)
    art.add(ellipse(u, v, (0, -270), (98, 12)), LIT + 8)
    hem = abs(ellipse(u, v, (0, 36), (198, 26)) + 7 * SUB) - SUB
    art.crease(hem, 5, within=np.maximum(shade, 36 * SUB - v + 1))
    return art.finish((-74, -142, 74, -8))


def teapot() -> Master:
    """A round teapot with spout, handle, lid and knob."""
    art = Painter()
    u, v = art.u, art.v
    handle = cut(ring(u, v, (150, 10), (100, 92), 17), box(u, v, (0, 0), (100, 300)))
    art.add(handle, LIT + 3 - abs(handle + 17 * SUB) // (2 * SUB), material=TRIM)
    lower = capsule(u, v, (-150, 70), (-214, -20), 36)
    spout = joined(lower, capsule(u, v, (-214, -20), (-252, -112), 19), 40)
    art.add(spout, LIT + 6 - (u + v + 360 * SUB) // (26 * SUB))
    art.add(ellipse(u, v, (-254, -122), (22, 10)), LIT + 3, material=TRIM)
    widths = halfwidths(v, [(-130, 92), (-96, 132), (-20, 176), (60, 188), (130, 158), (186, 104)])
    body = joined(turned(u, v, widths, -130, 180), ellipse(u, v, (0, 178), (108, 22)))
    along, level = around(u, widths)
    art.add(body, level, shadow=12)
    art.weave(body, along)
    lid = halfwidths(v, [(-176, 40), (-160, 72), (-126, 98)])
    _, lid_level = around(u, lid)
    art.add(joined(turned(u, v, lid, -176, -126), ellipse(u, v, (0, -126), (99, 14))), lid_level + 2, shadow=12)
    art.crease(abs(ellipse(u, v, (0, -127), (99, 14))) - SUB, 8)
    art.add(circle(u, v, (0, -194), 25), LIT + 8 - circle(u, v, (-8, -204), 0) // (3 * SUB), material=TRIM, shadow=8)
    return art.finish((-96, -44, 96, 106))

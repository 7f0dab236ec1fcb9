"""Master drawings of the soft and flat products: shirt, backpack, cap, book, cushion, tote."""

from __future__ import annotations

import numpy as np

from .arithmetic import clamp
from .painter import LIT, PAPER, TRIM, Master, Painter, puffed
from .shapes import SUB, box, capsule, circle, cut, ellipse, joined, polygon, ring


def shirt() -> Master:
    """A T-shirt laid flat, with a trimmed collar."""
    art = Painter()
    u, v = art.u, art.v
    half = [(64, -220), (128, -200), (262, -92), (196, -16), (146, -58), (152, 232)]
    outline = [*half, *((-x, y) for x, y in reversed(half))]
    torso = polygon(u, v, outline, 10)
    fold = abs(abs(u) - 118 * SUB + v // 9) // SUB
    level = puffed(torso, u, v, depth=34, round_by=7) - clamp(14 - fold, 0, 14) * (v > -30 * SUB) // 4
    art.add(torso, level)
    art.weave(torso)
    sleeve = abs(capsule(u, v, (134, -182), (150, -62), 0)) - SUB
    art.crease(sleeve, 7, within=torso)
    art.crease(abs(capsule(u, v, (-134, -182), (-150, -62), 0)) - SUB, 7, within=torso)
    for side in (-1, 1):
        art.crease(abs(capsule(u, v, (side * 250, -76), (side * 194, -12), 0)) - SUB, 4, within=torso + 6 * SUB)
    art.crease(abs(v - 218 * SUB) - SUB, 5, within=torso)
    neck = ellipse(u, v, (0, -232), (68, 54))
    collar = np.maximum(neck, torso - 6 * SUB)
    art.add(collar, LIT + 1 - clamp(neck + 12 * SUB, 0, 99) // 40, material=TRIM, shadow=8)
    inside = np.maximum(ellipse(u, v, (0, -240), (54, 44)), torso - 2 * SUB)
    art.add(inside, 17 + (v + 230 * SUB) // (9 * SUB))
    return art.finish((-76, -84, 76, 150))


def backpack() -> Master:
    """A rucksack seen from the front: top handle, main zip, front pocket."""
    art = Painter()
    u, v = art.u, art.v
    loop = ring(u, v, (0, -232), (46, 44), 10)
    art.add(loop, LIT - 2 + loop // (2 * SUB), material=TRIM)
    for side in (-1, 1):
        strap = box(u, v, (side * 166, 40), (20, 150), 16)
        art.add(strap, LIT - 9, material=TRIM)
    sack = box(u, v, (0, 14), (172, 244), 92)
    art.add(sack, puffed(sack, u, v, depth=84, round_by=14), shadow=8)
    art.weave(sack)
    zip_line = cut(ring(u, v, (0, -38), (138, 146), 5), box(u, v, (0, 140), (300, 160)))
    art.add(zip_line, LIT - 4, material=TRIM, shadow=5)
    art.add(box(u, v, (138, 4), (6, 18), 5), LIT + 4, material=TRIM, shadow=6)
    pocket = box(u, v, (0, 132), (134, 104), 44)
    art.add(pocket, puffed(pocket, u, v, depth=46, round_by=8) + 1, shadow=13)
    art.weave(pocket)
    art.crease(abs(pocket + 7 * SUB) - SUB, 4)
    art.add(box(u, v, (0, 66), (112, 5), 4), LIT - 4, material=TRIM, shadow=6)
    art.add(box(u, v, (-112, 78), (6, 16), 5), LIT + 4, material=TRIM, shadow=6)
    return art.finish((-72, 112, 72, 176))


def cap() -> Master:
    """A baseball cap seen from the side, with a brim and a button."""
    art = Painter()
    u, v = art.u, art.v
    art.add(ellipse(u, v, (94, 100), (140, 22)), 12, material=TRIM)
    dome = cut(ellipse(u, v, (-66, 84), (204, 232)), box(u, v, (0, 300), (400, 216)))
    crown = joined(dome, cut(ellipse(u, v, (-66, 80), (202, 24)), box(u, v, (0, -300), (400, 376))))
    art.add(crown, puffed(crown, u, v, depth=96, round_by=15) + 1)
    art.weave(crown)
    for centre, reach in ((-66, 56), (-110, 112)):
        art.crease(abs(ellipse(u, v, (centre, 96), (reach, 250))) - SUB, 7, within=crown)
    for hole in ((-166, -26), (20, -56)):
        art.add(circle(u, v, hole, 8), 14, shadow=6)
    band = ellipse(u, v, (-66, 60), (230, 26)) + np.where(v < 60 * SUB, 99 * SUB, 0).astype(np.int32)
    art.crease(abs(band) - SUB, 5, within=crown)
    art.add(ellipse(u, v, (-66, -150), (26, 11)), LIT + 3, material=TRIM, shadow=8)
    brim = cut(ellipse(u, v, (102, 120), (172, 54)), ellipse(u, v, (54, 172), (222, 74)))
    art.add(brim, LIT + 6 - (v - 60 * SUB) // (5 * SUB), material=TRIM, shadow=12)
    for inset in (9, 17):
        art.crease(abs(brim + inset * SUB) - SUB // 2, 4, within=brim)
    return art.finish((-120, -64, -16, 24))


def book() -> Master:
    """A closed hardback lying a little turned, with spine and page edges."""
    art = Painter()
    u, v = art.u, art.v
    back = polygon(u, v, [(-180, 252), (196, 252), (216, 272), (-160, 272), (-176, 262)], 6)
    art.add(joined(back, polygon(u, v, [(190, -246), (214, -224), (214, 270), (190, 250)], 6)), 21)
    pages = polygon(u, v, [(-176, 246), (184, 246), (204, 262), (-156, 262)], 2)
    lines = (v % (4 * SUB)) // (2 * SUB) * 3
    art.add(pages, LIT + 4 - lines, material=PAPER)
    fore = polygon(u, v, [(184, -240), (204, -222), (204, 264), (184, 248)], 2)
    art.add(fore, LIT - 4 - (u % (4 * SUB)) // (2 * SUB) * 3, material=PAPER)
    cover = box(u, v, (0, 0), (192, 252), 9)
    level = LIT + 4 - (u * 3 + v * 4) // (280 * SUB) - clamp(5 * SUB + cover, 0, 5 * SUB) * 6 // (5 * SUB)
    art.add(cover, level, shadow=12)
    art.weave(cover)
    spine = np.maximum(cover, u + 146 * SUB)
    art.add(spine, level - abs(u + 168 * SUB) * 6 // (24 * SUB) + 3, material=TRIM)
    art.crease(abs(u + 132 * SUB) - 2 * SUB, 9, within=cover)
    return art.finish((-72, -186, 132, 186))


def cushion() -> Master:
    """A square scatter cushion with piping and pinched corners."""
    art = Painter()
    u, v = art.u, art.v
    pinch = 26 * SUB - ((u // SUB) ** 2 + (v // SUB) ** 2) * SUB // 3600
    shape = box(u, v, (0, 0), (222, 222), 30) + clamp(pinch, -16 * SUB, 26 * SUB) - 10 * SUB
    piping = shape - 9 * SUB
    art.add(piping, LIT - abs(piping + 9 * SUB) // (2 * SUB), material=TRIM)
    art.add(shape, puffed(shape, u, v, depth=150, round_by=17) + 4, shadow=6)
    art.weave(shape, u - u // 512 * (abs(v) // SUB) // 6, v - v // 512 * (abs(u) // SUB) // 6)
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        art.crease(capsule(u, v, (x * 190, y * 190), (x * 138, y * 150), 0) - SUB, 5, within=shape)
    return art.finish((-110, -110, 110, 110))


def tote() -> Master:
    """A cloth bag with two handles."""
    art = Painter()
    u, v = art.u, art.v
    far = ring(u, v, (8, -126), (82, 150), 10)
    art.add(cut(far, box(u, v, (0, 100), (300, 200))), LIT - 13, material=TRIM)
    bag = polygon(u, v, [(-176, -104), (176, -104), (202, 252), (-202, 252)], 12)
    sag = clamp(12 - abs(abs(u + v // 8) - 74 * SUB) // SUB, 0, 12) * (v > 40 * SUB) // 4
    art.add(bag, puffed(bag, u, v, depth=46, round_by=8) - sag, shadow=6)
    art.weave(bag)
    art.crease(abs(v + 78 * SUB) - SUB, 5, within=bag)
    near = cut(ring(u, v, (-6, -96), (86, 170), 11), box(u, v, (0, 150), (300, 246)))
    legs = joined(box(u, v, (-92, -76), (11, 30), 3), box(u, v, (80, -76), (11, 30), 3))
    art.add(joined(near, legs), LIT + 1, material=TRIM, shadow=8)
    return art.finish((-110, -20, 110, 178))

"""Which pictures of a page look the same to a person: copies, other sizes of one file, frames of one burst.

The hash is dHash: a picture of 9 x 8 grey pixels, and one bit for each pixel that is darker than its right neighbour.
Two departures, since a picture that is folded away may be the one wanted: colours must agree as well, and a picture
without contrast is like no other.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

MOST_BITS = 10
"""Most bits of 64 in which two hashes of one picture differ: of the 94 photographs of the test, reduced copies differ
in at most 7, two different ones in at least 12."""

MOST_COLOUR = 24
"""Most by which a channel of a sixteenth of the picture differs, of 255."""

LEAST_CONTRAST = 24
"""Least difference between the darkest and the lightest of the 72 grey pixels, of 255."""

_WIDTH, _HEIGHT, _SIDE = 9, 8, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """What a picture looks like from afar."""

    bits: int | None
    """dHash, 64 bits; None for a picture without contrast."""
    colours: bytes
    """RGB of 4 x 4 pixels, row by row."""


def impression(data: bytes) -> Impression:
    """Return the impression of an encoded picture; raises OSError when it cannot be decoded."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    grey = picture.convert("L").resize((_WIDTH, _HEIGHT), Image.Resampling.BOX).tobytes()
    colours = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX).tobytes()
    flat = max(grey) - min(grey) < LEAST_CONTRAST
    return Impression(bits=None if flat else _bits(grey), colours=colours)


def _bits(grey: bytes) -> int:
    """Return one bit per pixel and right neighbour, row by row, the first in the highest place."""
    bits = 0
    for row in range(0, len(grey), _WIDTH):
        for place in range(row, row + _WIDTH - 1):
            bits = bits << 1 | (grey[place] < grey[place + 1])
    return bits


def alike(one: Impression, other: Impression) -> bool:
    """Say whether two pictures look the same."""
    if one.bits is None or other.bits is None or (one.bits ^ other.bits).bit_count() > MOST_BITS:
        return False
    return all(abs(a - b) <= MOST_COLOUR for a, b in zip(one.colours, other.colours, strict=True))


def groups_alike(impressions: Sequence[Impression | None]) -> list[list[int]]:
    """Return groups of places that look the same, in the order of their first; None is a group of its own.

    A picture is compared with the first of each group, so that a chain of small steps cannot join what differs.
    """
    groups: list[list[int]] = []
    for place, seen in enumerate(impressions):
        for group in groups:
            first = impressions[group[0]]
            if seen is not None and first is not None and alike(first, seen):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups

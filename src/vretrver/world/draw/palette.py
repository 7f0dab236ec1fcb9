"""The colours of products, trims, labels and their names; numbers are sRGB 0 .. 255."""

from __future__ import annotations

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "red": (196, 52, 48),
    "orange": (224, 124, 44),
    "yellow": (228, 190, 66),
    "green": (72, 138, 78),
    "teal": (38, 134, 138),
    "blue": (62, 108, 190),
    "navy": (44, 56, 104),
    "purple": (120, 76, 158),
    "pink": (222, 132, 160),
    "brown": (128, 86, 58),
    "cream": (224, 212, 186),
    "charcoal": (70, 72, 78),
}
"""The body's colour by name."""

_LIGHT: RGB = (234, 226, 208)
_DARK: RGB = (88, 66, 60)

TRIMS: dict[str, RGB] = {"ivory": (222, 212, 190), "black": (54, 54, 60), "tan": (176, 128, 78)}
"""The colour of handles, lids, zips and seams by name."""

TONES: dict[str, RGB] = {
    "kraft": (166, 144, 122),
    "mist": (124, 144, 160),
    "sage": (140, 152, 124),
    "rose": (166, 132, 138),
    "lilac": (144, 136, 162),
    "stone": (148, 148, 144),
}
"""The label's colour by name: mid tones, which leave a relief room below and above."""

PAPER: RGB = (228, 218, 196)
"""The edges of a book's pages."""


def second_colour(colour: str) -> RGB:
    """Return the colour that a pattern lays over the body: a light one on dark bodies, a dark one on light bodies."""
    body = COLOURS[colour]
    other, share = (_DARK, 196) if sum(body) > 470 else (_LIGHT, 208)
    return mixed(body, other, share)


def mixed(first: RGB, second: RGB, share: int) -> RGB:
    """Return `first` with share / 256 of `second` mixed in."""
    red, green, blue = ((a * (256 - share) + b * share) >> 8 for a, b in zip(first, second, strict=True))
    return red, green, blue


def apart(first: RGB, second: RGB) -> int:
    """Return the sum of absolute differences of two colours, 0 .. 765."""
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))


def allowed_trims(colour: str) -> list[str]:
    """Return the names of trims that stand out from a body colour, best known order."""
    return [name for name, rgb in TRIMS.items() if apart(rgb, COLOURS[colour]) > 110]


def allowed_tones(colour: str, *, patterned: bool) -> list[str]:
    """Return the names of at least three label tones that stand out from the body, the most different ones first.

    A tone differs from the body, and from the second colour of a patterned body, by 130 or more summed over the
    channels; where fewer than three tones do, the three most different ones are returned.
    """
    grounds = [COLOURS[colour], second_colour(colour)] if patterned else [COLOURS[colour]]
    distance = {name: min(apart(rgb, ground) for ground in grounds) for name, rgb in TONES.items()}
    order = sorted(TONES, key=lambda name: -distance[name])
    fit = [name for name in order if distance[name] >= 130]
    return fit if len(fit) >= 3 else order[:3]

"""Colours of words and of pixels, described on one list of named anchor colours.

The lexicon is general English: colour names, and materials and fruit that commonly have one colour. Places, weather,
times of day and living things are not in it: "dog on a beach" asks for a beach, not for the colour of sand. Nothing
here is learned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ANCHORS: Mapping[str, str] = {
    "black": "151515",
    "dark grey": "4a4a4a",
    "grey": "808080",
    "light grey": "b8b8b8",
    "white": "f5f5f5",
    "dark red": "7a1f1f",
    "red": "d02828",
    "brick": "a5523f",
    "light red": "e58078",
    "orange": "ef8322",
    "peach": "f4bd92",
    "dark brown": "4f3322",
    "brown": "8a5a34",
    "tan": "b98a58",
    "beige": "dcc79c",
    "yellow": "f2cf2e",
    "light yellow": "f5e79a",
    "olive": "7e7a2e",
    "lime": "9bc53d",
    "dark green": "234f2c",
    "green": "3a9a45",
    "light green": "93cf93",
    "teal": "1f8a86",
    "turquoise": "52c9c2",
    "light blue": "9cc8ee",
    "sky": "5b9fe0",
    "blue": "2b5fc9",
    "navy": "1c2b5c",
    "slate": "5b6b80",
    "purple": "7d3fb0",
    "lavender": "b9a3e0",
    "magenta": "c2338f",
    "pink": "f08cb4",
}
"""Anchor -> sRGB in hexadecimal. A pixel or a word is described by its nearness to each of them."""

WORDS: Mapping[str, str] = {
    **{name: colour for name, colour in ANCHORS.items() if " " not in name and name != "sky"},
    "brown": "8c5c2a",  # a dark orange; the anchor of the same name is nearer to red
    **dict.fromkeys(["gray", "silver", "pewter", "ash"], "8c8c8c"),
    **dict.fromkeys(["charcoal", "graphite", "asphalt"], "45474a"),
    **dict.fromkeys(["concrete", "cement", "gravel", "stone", "rock", "pebble", "metal", "steel", "iron"], "8b8b88"),
    **dict.fromkeys(["tile", "tiled", "marble", "porcelain"], "dde1e4"),
    **dict.fromkeys(["snow", "snowy", "paper", "milk", "ivory"], "f4f4f0"),
    **dict.fromkeys(["cream", "linen", "canvas", "vanilla"], "ebe0c6"),
    **dict.fromkeys(["sand", "sandy", "khaki", "straw"], "d9c18f"),
    **dict.fromkeys(["wood", "wooden", "plank", "timber", "oak", "bark"], "9f6f43"),
    **dict.fromkeys(["cork", "cardboard", "hay", "burlap"], "bf9563"),
    **dict.fromkeys(["chocolate", "coffee", "walnut", "soil", "mud"], "573a28"),
    **dict.fromkeys(["leather", "copper", "bronze", "caramel", "rust", "rusty"], "9a5a2e"),
    **dict.fromkeys(["bricks", "terracotta", "clay"], "a5523f"),
    **dict.fromkeys(["crimson", "scarlet", "cherry", "tomato", "ruby", "strawberry"], "c4202c"),
    **dict.fromkeys(["maroon", "burgundy", "wine"], "6f1a2a"),
    **dict.fromkeys(["coral", "salmon"], "f0806c"),
    **dict.fromkeys(["amber", "carrot", "pumpkin", "tangerine"], "ea8a1e"),
    **dict.fromkeys(["gold", "golden", "mustard", "honey"], "d9a72b"),
    **dict.fromkeys(["lemon", "banana"], "f4d62f"),
    **dict.fromkeys(["grass", "grassy", "lawn"], "548c3a"),
    "emerald": "35742f",
    **dict.fromkeys(["moss", "avocado"], "6f7a35"),
    **dict.fromkeys(["mint", "sage", "pistachio"], "a9d3ab"),
    **dict.fromkeys(["cyan", "aqua", "aquamarine"], "4fc6cf"),
    "ice": "c4dcf2",
    **dict.fromkeys(["azure", "cobalt", "sapphire"], "2f6fd0"),
    **dict.fromkeys(["denim", "jeans", "indigo"], "3a5486"),
    "midnight": "161d3c",
    **dict.fromkeys(["violet", "grape", "plum", "amethyst"], "7a3f9e"),
    **dict.fromkeys(["lilac", "mauve"], "bda4dc"),
    **dict.fromkeys(["fuchsia", "raspberry"], "c22f83"),
    **dict.fromkeys(["rose", "rosy", "blush"], "e98fae"),
}
"""Word -> sRGB in hexadecimal."""

LIGHT_WORDS = frozenset({"light", "pale", "pastel"})
"""Words that mix the next colour half with white."""

DARK_WORDS = frozenset({"dark", "deep"})
"""Words that mix the next colour half with black."""

GROUND_STARTS = frozenset({"on", "against", "over", "upon", "above", "atop", "onto", "under", "beneath", "behind"})
"""Words after which a phrase describes the surroundings of the thing wanted."""

GROUND_ENDS = frozenset({",", ".", ";", ":", "with", "and", "while", "that", "which"})
"""Words and marks that end such a phrase."""

_TOKEN = re.compile(r"[a-z]+|[,.;:]")
_LIGHTNESS_WEIGHT = 0.6
_SPREAD = 10.0
_GREY_SHARE = 0.4


def _rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour))


def to_lab(rgb: NDArray[np.uint8]) -> Floats:
    """Return CIE L*a*b* under D65 of sRGB bytes; the last axis holds the three channels."""
    linear = _LINEAR[rgb]
    xyz = linear @ _TO_XYZ
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), xyz * (841 / 108) + 4 / 29)
    light = 116 * root[..., 1] - 16
    red_green = 500 * (root[..., 0] - root[..., 1])
    yellow_blue = 200 * (root[..., 1] - root[..., 2])
    return np.stack([light, red_green, yellow_blue], axis=-1).astype(np.float32)


def _linear_table() -> Floats:
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()
_TO_XYZ = np.array(  # sRGB primaries over the white point, transposed for row vectors
    [
        [0.4124564 / 0.95047, 0.2126729, 0.0193339 / 1.08883],
        [0.3575761 / 0.95047, 0.7151522, 0.1191920 / 1.08883],
        [0.1804375 / 0.95047, 0.0721750, 0.9503041 / 1.08883],
    ],
    dtype=np.float32,
)
_ANCHOR_LAB = to_lab(np.array([_rgb(colour) for colour in ANCHORS.values()], dtype=np.uint8))
_SCALE = np.array([_LIGHTNESS_WEIGHT, 1.0, 1.0], dtype=np.float32)


def _anchor_weights() -> Floats:
    """Weigh anchors by their chroma: black, white and grey are everywhere and tell pictures apart least."""
    chroma = np.hypot(_ANCHOR_LAB[:, 1], _ANCHOR_LAB[:, 2])
    return np.asarray(_GREY_SHARE + (1 - _GREY_SHARE) * chroma / chroma.mean(), dtype=np.float32)


ANCHOR_WEIGHTS = _anchor_weights()
"""[A] float32: how much each anchor counts in a comparison."""


def nearness(lab: Floats) -> Floats:
    """Return [..., A]: how near each L*a*b* colour is to each anchor; the A numbers sum to 1."""
    offset = (lab[..., None, :] - _ANCHOR_LAB) * _SCALE
    distance = np.sum(offset * offset, axis=-1)
    weight = np.exp(-(distance - distance.min(axis=-1, keepdims=True)) / (2 * _SPREAD**2))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True), dtype=np.float32)


def text_colours(text: str) -> tuple[Floats, Floats]:
    """Return two arrays [A]: the colours a text names for the thing itself and for its surroundings.

    Words after "on", "against" and the like describe the surroundings. A text without colour words gives zeros.
    """
    thing = np.zeros(len(ANCHORS), dtype=np.float32)
    around = np.zeros(len(ANCHORS), dtype=np.float32)
    in_ground, before = False, ""
    for word in _TOKEN.findall(text.lower()):
        if word in GROUND_STARTS or word in GROUND_ENDS:
            in_ground = word in GROUND_STARTS
        elif (colour := _colour_of(word)) is not None:
            target = around if in_ground else thing
            target += nearness(to_lab(_shaded(colour, before)))
        before = word
    return thing, around


def _colour_of(word: str) -> str | None:
    return WORDS.get(word) or WORDS.get(word.removesuffix("s")) or WORDS.get(word.removesuffix("ish"))


def _shaded(colour: str, before: str) -> NDArray[np.uint8]:
    """Return the sRGB bytes [3] of a colour, lightened or darkened by the word before it."""
    rgb = np.array(_rgb(colour), dtype=np.int64)
    if before in LIGHT_WORDS:
        rgb = (rgb + 255) // 2
    elif before in DARK_WORDS:
        rgb = rgb // 2
    return rgb.astype(np.uint8)

"""The text layer of documents: lines as their files hold them, cleaned, with their boxes. Nothing is rendered.

Whether a layer is all that a page shows is judged here too: a scan may hold none, a stamp of the scanner's, or the
text of an earlier OCR, which is kept; a font without a table of its letters gives signs that are no letters.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from ..geometry import Box
from ..images import ImageStore
from ..pictures.layer import HYPHEN, PageLayer
from ..records import ImageRef, TextLine
from .order import in_reading_order

LEAST_CHARACTERS = 16
"""A page with fewer signs in its layer is read by OCR: what shows there may be a picture or drawn outlines."""

LEAST_ON_A_SCAN = 100
"""The same for a page of which one picture covers more than half; a scanner's stamp has about 50."""

MOST_GARBAGE = 0.2
"""Largest share of signs without a meaning in a layer that is believed."""

LEAST_LETTERS = 0.3
"""Least share of letters, digits and their marks among its signs; the dots of a table of contents are many."""

_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
)
_UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_MEANINGLESS = frozenset({"Cc", "Cn", "Co", "Cs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerText:
    """The text layer of one page."""

    lines: tuple[TextLine, ...]
    """Its lines in reading order."""
    enough: bool
    """Whether it is taken for all the text that the page shows."""


class LayerReader:
    """A `TextReader` of what documents hold; on a picture it reads nothing.

    Args:
        images: opens the documents.
    """

    def __init__(self, images: ImageStore) -> None:
        self._images = images

    @property
    def name(self) -> str:
        """The library, with its version."""
        try:
            return f"text layer, pypdfium2 {version('pypdfium2')}"
        except PackageNotFoundError:
            return "text layer"

    def read(self, image: ImageRef) -> tuple[TextLine, ...]:
        """Return the lines of a page's layer; raises PictureError."""
        layer = self.page(image)
        return () if layer is None else layer.lines

    def page(self, image: ImageRef) -> LayerText | None:
        """Return the layer of a page, judged; None for a picture. Raises PictureError."""
        layer = self._images.layer(image)
        return None if layer is None else layer_text(layer)


def layer_text(layer: PageLayer) -> LayerText:
    """Return a layer cleaned and judged; text outside of the page is left out."""
    placed = [(text, box) for text, *place in layer.runs if (box := _box(place, layer.size)) is not None]
    texts = _joined([text for text, _ in placed])
    lines = [TextLine(text=text, box=box) for text, (_, box) in zip(texts, placed, strict=True) if text]
    least = LEAST_ON_A_SCAN if layer.covered > 0.5 else LEAST_CHARACTERS
    garbage = sum(_is_meaningless(sign) for text, _ in placed for sign in text.removesuffix(HYPHEN))
    return LayerText(lines=in_reading_order(lines), enough=_is_enough("".join(texts), least, garbage))


def _is_enough(text: str, least: int, garbage: int) -> bool:
    signs = [sign for sign in text if not sign.isspace()]
    letters = sum(unicodedata.category(sign)[0] in "LMN" for sign in signs)
    return (
        len(signs) >= least
        and garbage <= MOST_GARBAGE * (len(signs) + garbage)
        and letters >= LEAST_LETTERS * len(signs)
    )


def clean(text: str) -> str:
    """Return one line of plain text: ligatures as letters, no signs without a shape or a meaning, single spaces."""
    text = _UNSEEN.sub("", text.translate(_LIGATURES))
    kept = (" " if sign.isspace() else "" if _is_meaningless(sign) else sign for sign in text)
    return " ".join("".join(kept).split())


def _is_meaningless(sign: str) -> bool:
    return sign == "\ufffd" or (not sign.isspace() and unicodedata.category(sign) in _MEANINGLESS)


def _box(place: Sequence[float], size: tuple[int, int]) -> Box | None:
    """Return a box in whole pixels, cut at the page's edges, at least one pixel a side; None outside of the page."""
    if not all(math.isfinite(side) for side in place):
        return None
    left, top, right, bottom = place
    if right < 0 or bottom < 0 or left >= size[0] or top >= size[1]:
        return None
    left, top = max(math.floor(left), 0), max(math.floor(top), 0)
    right, bottom = min(math.ceil(right), size[0]), min(math.ceil(bottom), size[1])
    return Box(left=left, top=top, right=max(right, left + 1), bottom=max(bottom, top + 1))


def _joined(runs: Sequence[str]) -> list[str]:
    """Return the cleaned texts of runs; of a word that is parted between two, the rest goes to the first.

    Before a small letter the hyphen is taken for a sign of parting and goes; before anything else, as in a code, it
    stays.
    """
    texts = [clean(run) for run in runs]
    for place, run in enumerate(runs[:-1]):
        if run.endswith(HYPHEN) and texts[place]:
            rest, _, texts[place + 1] = texts[place + 1].partition(" ")
            texts[place] += rest if rest[:1].islower() else f"-{rest}"
    if runs and runs[-1].endswith(HYPHEN):
        texts[-1] += "-"
    return texts

"""Which text is read how: the layer of a document where it is enough, else OCR, as far as a mode says.

| mode | page with enough text in its layer | other page, picture | picture with few pixels |
|---|---|---|---|
| `auto` | its layer | OCR, where it is installed | not read |
| `always` | OCR; its layer where that finds nothing | OCR | OCR |
| `never` | not read | not read | not read |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigError
from ..images import ImageStore
from ..records import ImageRef, TextLine
from .layer import LayerReader
from .reader import PageText

ReadTextMode = Literal["auto", "always", "never"]
"""How much text is read."""

READ_TEXT: tuple[ReadTextMode, ...] = ("auto", "always", "never")
"""The same, as values."""

LEAST_PIXELS = 10_000
"""In mode `auto` pictures with fewer pixels (100 x 100: most icons) are not read."""


def checked_mode(mode: str) -> ReadTextMode:
    """Return a mode; raises ConfigError for a word that is none."""
    for known in READ_TEXT:
        if mode == known:
            return known
    raise ConfigError(f"--read-text is {mode!r}, not one of {', '.join(READ_TEXT)}")


def is_read(image: ImageRef, mode: ReadTextMode) -> bool:
    """Return whether a picture is read at all; in mode `auto` small ones whose size is known are not."""
    known = image.width is not None and image.height is not None
    small = known and (image.width or 0) * (image.height or 0) < LEAST_PIXELS
    return mode == "always" or (mode == "auto" and not small)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A page or picture whose file does not hold all of its text: OCR is due."""

    lines: tuple[TextLine, ...]
    """What its layer holds, for when OCR finds nothing; empty for a picture."""


class FileTexts:
    """Reads what files hold themselves and says where OCR is due.

    Args:
        images: opens the files.
        mode: `auto` or `always`.
        ocr: whether OCR is at hand.
    """

    def __init__(self, images: ImageStore, mode: ReadTextMode, *, ocr: bool) -> None:
        self._layers = LayerReader(images)
        self._mode = mode
        self._ocr = ocr

    def read(self, image: ImageRef) -> PageText | Unseen:
        """Return the text of a page, or that OCR is due; raises PictureError when the file cannot be opened."""
        layer = self._layers.page(image)
        lines = () if layer is None else layer.lines
        enough = layer is not None and layer.enough
        if self._ocr and (not enough or self._mode == "always"):
            return Unseen(lines=lines)
        return PageText(lines=lines, reader=self._layers.name, complete=enough)

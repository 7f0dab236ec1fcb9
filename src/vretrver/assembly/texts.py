"""Where the agent's tools get the text of pictures: kept readings first, then the file's own text, then OCR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ..agent.config import AgentConfig
from ..agent.text_tool import ReadText
from ..agent.texts import LinesRead, TextProvider
from ..errors import PictureError
from ..geometry import Box
from ..images import BoundedCache, Pictures
from ..pictures.layer import PageLayer
from ..records import ImageRef, TextLine
from ..text.engine import is_installed
from ..text.layer import layer_text
from ..text.ocr import OcrReader, ocr_name, read_pixels
from ..text.reader import Texts

ENLARGED = 2
"""How many times a region is enlarged before it is read."""

_LEAST_SIDE = 320  # pixels of the original around a region: text is found by what surrounds it
_HELD = 4096


@runtime_checkable
class Layered(Protocol):
    """Pictures among which there are documents with their text."""

    def layer(self, ref: ImageRef) -> PageLayer | None:
        """Return the text layer of a document's page, None for a picture; raises PictureError."""
        ...


class TextsOfPictures:
    """A `TextProvider` over pictures; threads may share it.

    Args:
        images: opens them.
        kept: readings of an index; None where there are none.
        ocr: whether what no file says may be read by OCR; None is where the extra `ocr` is installed.
    """

    def __init__(self, images: Pictures, *, kept: Texts | None = None, ocr: bool | None = None) -> None:
        self._images, self._kept = images, kept
        self._ocr = OcrReader(images) if (is_installed() if ocr is None else ocr) else None
        self._read: BoundedCache[LinesRead] = BoundedCache(_HELD)

    def read(self, image: ImageRef, box: Box | None = None) -> LinesRead:
        """Return the lines of a picture or of a region of it; see `TextProvider.read`."""
        key = image.sha256, image.page, box
        known = self._read.get(key)
        if known is None:
            known = self._whole(image) if box is None else self._region(image, box)
            self._read.put(key, known, size=1)
        return known

    def _whole(self, image: ImageRef) -> LinesRead:
        kept = None if self._kept is None else self._kept.lines(image)
        if kept is not None:
            return LinesRead(lines=kept, made_by="kept in the index")
        found = self._images.layer(image) if isinstance(self._images, Layered) else None
        layer = None if found is None else layer_text(found)
        if layer is not None and (layer.enough or self._ocr is None):
            return LinesRead(lines=layer.lines, made_by="text layer of the file")
        if self._ocr is None:
            raise PictureError(image, "its text was not read, and OCR is not installed: pip install 'vretrver[ocr]'")
        return LinesRead(lines=self._ocr.read(image), made_by=ocr_name())

    def _region(self, image: ImageRef, box: Box) -> LinesRead:
        """Read a region: of a file that holds its text as it is there, else again from the region enlarged."""
        whole = self.read(image)
        if self._ocr is None or (whole.lines and all(line.confidence == 1 for line in whole.lines)):
            return LinesRead(lines=_inside(whole.lines, box), made_by=whole.made_by)
        width, height = image.width or 1, image.height or 1
        around = box.grown(_LEAST_SIDE, _LEAST_SIDE, within=(width, height))
        enlarged = self._images.crop(image, around, (ENLARGED * around.width, ENLARGED * around.height))
        lines = [_placed(line, around) for line in read_pixels(enlarged, name=image)]
        return LinesRead(lines=_inside(lines, box), made_by=f"{ocr_name()}, region enlarged {ENLARGED} times")


def texts_for(config: AgentConfig, images: Pictures) -> TextProvider | None:
    """Return what reads text for an agent one of whose tools tells it; None for others.

    Args:
        config: the agent's.
        images: its pictures.
    """
    tells = any(isinstance(tool, ReadText) for tool in config.dialect.tools)
    return TextsOfPictures(images) if tells else None


def _placed(line: TextLine, around: Box) -> TextLine:
    """Return a line of an enlarged region with its box on the picture."""
    found = line.box
    return TextLine(
        text=line.text,
        box=Box(
            left=around.left + found.left // ENLARGED,
            top=around.top + found.top // ENLARGED,
            right=around.left + -(-found.right // ENLARGED),
            bottom=around.top + -(-found.bottom // ENLARGED),
        ),
        confidence=line.confidence,
    )


def _inside(lines: Sequence[TextLine], box: Box) -> tuple[TextLine, ...]:
    """Return the lines whose middle is in a box."""
    return tuple(
        line
        for line in lines
        if box.left <= (line.box.left + line.box.right) / 2 < box.right
        and box.top <= (line.box.top + line.box.bottom) / 2 < box.bottom
    )

"""The interface to whatever reads the text on a picture, what one reading of it gave, and where readings lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..records import ImageRef, TextLine


class TextReader(Protocol):
    """Reads the lines of text on pictures and pages; threads may share one."""

    @property
    def name(self) -> str:
        """What reads, with the versions that decide what it reads, as in `rapidocr 3.10.0`."""
        ...

    def read(self, image: ImageRef) -> tuple[TextLine, ...]:
        """Return the lines of a picture in reading order; none where it shows no text.

        Args:
            image: the picture; it need not have been read before. Boxes are in pixels of its upright original, of
                a page as `ImageStore` renders it.

        Raises:
            PictureError: the picture cannot be read.
        """
        ...


class Texts(Protocol):
    """What was read on pictures: kept in an index directory, or held in memory."""

    def lines(self, image: ImageRef) -> tuple[TextLine, ...] | None:
        """Return the lines of a picture in reading order, none where it shows no text; None where it was not read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """What was read on one picture or page."""

    lines: tuple[TextLine, ...]
    """Its lines in reading order; empty where it shows no text or was refused."""
    reader: str
    """Name of the reader."""
    refused: str = ""
    """Why it could not be read; empty where it could."""
    complete: bool = True
    """False where its file holds too little text to be all, and no reader of pictures was at hand."""

    @property
    def found(self) -> tuple[TextLine, ...] | None:
        """Its lines; None where nothing was read, because it was refused or waits for a reader of pictures."""
        return None if not self.lines and (self.refused or not self.complete) else self.lines

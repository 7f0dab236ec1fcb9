"""What an opened picture file is, whatever its format, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from PIL import Image

from .layer import PageLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What a file may cost before it is refused."""

    max_bytes: int = 64 * 2**20
    """Largest file in bytes."""
    max_pixels: int = 100_000_000
    """Most pixels of one picture, read from the header before anything is decoded."""
    max_side: int = 30_000
    """Longest side in pixels."""
    max_pages: int = 2_000
    """Most pages of one file."""
    max_page_pixels: int = 16_000_000
    """Most pixels a PDF page is rendered at; a larger page is rendered at fewer dots per inch."""
    page_seconds: float = 20.0
    """Longest time to render a PDF page; looked at between its objects, so that one object may overrun it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExifBlock:
    """What a camera wrote into a file, not interpreted: values may be of any type."""

    photo: Mapping[int, object]
    """Tag -> value of the Exif directory; empty where there is none or it is damaged."""
    place: Mapping[int, object]
    """Tag -> value of the GPS directory; empty likewise."""


class PictureFile(Protocol):
    """A file that was opened and not yet decoded; one thread uses it, under `with`. Pages count from 0."""

    @property
    def form(self) -> str:
        """Format, as in `FORMATS` and `WITH_EXTRA` of `raster`."""
        ...

    def pages(self) -> list[int]:
        """Return the pages that are pictures of their own, in order; raises PictureError when they are too many."""
        ...

    def size(self, page: int) -> tuple[int, int]:
        """Return the upright (width, height) of a page from its header; raises PictureError."""
        ...

    def decode(self, page: int, *, least: tuple[int, int] | None = None) -> Image.Image:
        """Return a page upright, in RGB, on white; with `least` a JPEG may be smaller, but not than that."""
        ...

    def check(self, page: int) -> tuple[int, int]:
        """Return the upright size of a page after making sure that it can be shown; raises PictureError."""
        ...

    def exif(self) -> ExifBlock:
        """Return the file's EXIF block; empty where there is none or it is damaged."""
        ...

    def layer(self, page: int) -> PageLayer | None:
        """Return the text that the file holds of a page; None for formats that hold none. Raises PictureError."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *failure: object) -> None: ...

"""Pages of PDF documents as pictures, through PDFium (extra `sources`) in a process of its own (`pdf_process`).

The published wheels of PDFium run no scripts, and nothing outside the file is fetched.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Self

from PIL import Image

from .._optional import require
from ..errors import PictureError
from ..records import ImageRef
from .file import ExifBlock, ImageLimits
from .helper import Answer
from .layer import PageLayer
from .pdf_process import SHARED
from .reading import FileBytes

PAGE_DPI = 200
"""Dots per inch a page is rendered at, unless that is more pixels than allowed: A4 becomes 1653 x 2338 pixels."""


def looks_like_pdf(data: bytes) -> bool:
    """Say whether bytes begin like a PDF document; white space and a byte order mark may come first."""
    return data[:1024].lstrip(b"\0\t\n\f\r \xef\xbb\xbf").startswith(b"%PDF-")


class PdfFile:
    """An opened document; a `PictureFile`.

    Args:
        ref: the document, for messages.
        file: its bytes and their hash.
        limits: caps of pages, of the pixels and the side of one, and of the time to render it.

    Raises:
        PictureError: the document is damaged, encrypted, empty or too long.
        MissingDependency: pypdfium2 is not installed.
    """

    form = "PDF"

    def __init__(self, ref: ImageRef, file: FileBytes, limits: ImageLimits) -> None:
        require("pypdfium2", extra="sources")
        self._ref = ref
        self._file = file
        self._limits = limits
        self._count = int(self._ask(None)[0]["count"])
        if not 0 < self._count <= limits.max_pages:
            raise PictureError(ref, f"{self._count} pages, the limits are 1 and {limits.max_pages}")

    def pages(self) -> list[int]:
        """Return all pages."""
        return list(range(self._count))

    def size(self, page: int) -> tuple[int, int]:
        """Return the (width, height) in pixels at which a page is rendered."""
        return _size(self._ask(page))

    def check(self, page: int) -> tuple[int, int]:
        """Return the size of a page after opening it; what it shows is not rendered."""
        return self.size(page)

    def decode(self, page: int, *, least: tuple[int, int] | None = None) -> Image.Image:
        """Return a rendered page, on white; `least` makes no difference."""
        del least
        answer = self._ask(page, render=True)
        return Image.frombytes("RGB", _size(answer), answer[1], "raw", "RGBX")

    def layer(self, page: int) -> PageLayer:
        """Return the text of a page; nothing is rendered."""
        answer = self._ask(page, text=True)
        found = json.loads(answer[1])
        return PageLayer(
            runs=tuple((run[0], run[1], run[2], run[3], run[4]) for run in found["runs"]),
            size=_size(answer),
            covered=found["covered"],
        )

    def exif(self) -> ExifBlock:
        """Return an empty block: a document has none."""
        return ExifBlock(photo={}, place={})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """Nothing is kept open."""

    def _ask(self, page: int | None, *, render: bool = False, text: bool = False) -> Answer:
        if page is not None and not 0 <= page < self._count:
            raise PictureError(self._ref, f"there is no page {page + 1}; the document has {self._count}")
        answer = SHARED.ask(
            {
                "page": page,
                "render": render,
                "text": text,
                "dpi": PAGE_DPI,
                "max_pixels": self._limits.max_page_pixels,
                "max_side": self._limits.max_side,
            },
            data=self._file.data,
            sha256=self._file.sha256,
            seconds=self._limits.page_seconds,
        )
        if "refused" in answer[0]:
            ref = self._ref if page is None else replace(self._ref, page=page)
            raise PictureError(ref, str(answer[0]["refused"]))
        return answer


def _size(answer: Answer) -> tuple[int, int]:
    return int(answer[0]["width"]), int(answer[0]["height"])

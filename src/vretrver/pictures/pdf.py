"""Pages of PDF documents as pictures, through PDFium (extra `sources`).

The published wheels of PDFium are built without scripts, and nothing outside the file is fetched. PDFium is not safe
to call from two threads, so one lock serialises it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from PIL import Image

from .._optional import require
from ..errors import PictureError
from ..records import ImageRef
from .file import ExifBlock, ImageLimits

PAGE_DPI = 200
"""Dots per inch a page is rendered at, unless that is more pixels than allowed: A4 becomes 1654 x 2339 pixels."""

_POINTS_PER_INCH = 72
_MOST_POINTS = 1_000_000.0
_ONE_AT_A_TIME = threading.RLock()


def looks_like_pdf(data: bytes) -> bool:
    """Say whether bytes begin like a PDF document; white space and a byte order mark may come first."""
    return data[:1024].lstrip(b"\0\t\n\f\r \xef\xbb\xbf").startswith(b"%PDF-")


class PdfFile:
    """An opened document; a `PictureFile`.

    Args:
        ref: the document, for messages.
        data: its bytes.
        limits: caps of pages, of the pixels and the side of one, and of the time to render it.

    Raises:
        PictureError: the document is damaged, encrypted, empty or too long.
        MissingDependency: pypdfium2 is not installed.
    """

    form = "PDF"

    def __init__(self, ref: ImageRef, data: bytes, limits: ImageLimits) -> None:
        self._library: Any = require("pypdfium2", extra="sources")
        self._ref = ref
        self._limits = limits
        with _ONE_AT_A_TIME:
            try:
                self._document: Any = self._library.PdfDocument(data)
            except self._library.PdfiumError as error:
                raise PictureError(f"picture {ref}: {self._reason(error)}") from error
            self._count = len(self._document)
        if not 0 < self._count <= limits.max_pages:
            self.__exit__()
            raise PictureError(
                f"picture {ref}: a document of {self._count} pages, the limits are 1 and {limits.max_pages}"
            )

    def pages(self) -> list[int]:
        """Return all pages."""
        return list(range(self._count))

    def size(self, page: int) -> tuple[int, int]:
        """Return the (width, height) in pixels at which a page is rendered."""
        with self._page(page) as opened:
            return self._pixels(page, opened)

    def check(self, page: int) -> tuple[int, int]:
        """Return the size of a page after opening it; what it shows is not rendered."""
        return self.size(page)

    def decode(self, page: int, *, least: tuple[int, int] | None = None) -> Image.Image:
        """Return a rendered page, on white; `least` makes no difference."""
        del least
        with self._page(page) as opened:
            return self._render(page, opened, self._pixels(page, opened))

    def exif(self) -> ExifBlock:
        """Return an empty block: a document has none."""
        return ExifBlock(photo={}, place={})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        with _ONE_AT_A_TIME:
            self._document.close()

    @contextmanager
    def _page(self, page: int) -> Iterator[Any]:
        if not 0 <= page < self._count:
            raise PictureError(f"picture {self._ref}: there is no page {page}; the document has {self._count}")
        with _ONE_AT_A_TIME:
            try:
                opened = self._document[page]
            except self._library.PdfiumError as error:
                raise self._refused(page, f"the page is damaged ({error})") from error
            try:
                yield opened
            finally:
                opened.close()

    def _pixels(self, page: int, opened: Any) -> tuple[int, int]:
        """Return the width and height in pixels of a page within the limits."""
        width, height = opened.get_size()
        if not (0 < width < _MOST_POINTS and 0 < height < _MOST_POINTS):
            raise self._refused(page, f"a page of {width} x {height} points")
        scale = min(
            PAGE_DPI / _POINTS_PER_INCH,
            math.sqrt(self._limits.max_page_pixels / (width * height)),
            self._limits.max_side / max(width, height),
        )
        return max(int(width * scale), 1), max(int(height * scale), 1)

    def _render(self, page: int, opened: Any, size: tuple[int, int]) -> Image.Image:
        """Render in one go that stops between two objects once the time is over."""
        raw = self._library.raw
        until = time.monotonic() + self._limits.page_seconds
        pause = raw.IFSDK_PAUSE(version=1)
        self._library.internal.set_callback(pause, "NeedToPauseNow", lambda _: time.monotonic() >= until)
        bitmap = self._library.PdfBitmap.new_native(*size, format=raw.FPDFBitmap_BGRx, rev_byteorder=True)
        try:
            bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
            flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
            status = raw.FPDF_RenderPageBitmap_Start(bitmap, opened, 0, 0, *size, 0, flags, pause)
            raw.FPDF_RenderPage_Close(opened)
            if status == raw.FPDF_RENDER_TOBECONTINUED:
                raise self._refused(page, f"rendering takes longer than {self._limits.page_seconds:g} s, the limit")
            if status != raw.FPDF_RENDER_DONE:
                raise self._refused(page, "the page cannot be rendered")
            image: Image.Image = bitmap.to_pil().convert("RGB")
            return image
        finally:
            bitmap.close()

    def _refused(self, page: int, reason: str) -> PictureError:
        return PictureError(f"picture {replace(self._ref, page=page)}: {reason}")

    def _reason(self, error: Any) -> str:
        if error.err_code == self._library.raw.FPDF_ERR_PASSWORD:
            return "the document is encrypted; save a copy without a password"
        return f"damaged or cut short ({error})"

"""The process that opens PDF documents: run by `pdf_process`, never imported by it.

It reads requests from standard input and answers on standard output, one JSON line each, then as many bytes as the
line says. What it may use is capped before PDFium is loaded; what a document does to it stays in this process.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from typing import IO, Any

POINTS_PER_INCH = 72
MOST_POINTS = 1_000_000.0
ROUNDING = 0.01  # pixels; a page of 0.2 inches has 40 of them and not 39


def main() -> None:
    """Answer requests until standard input ends."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    import pypdfium2

    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    document: Any = None
    _answer(answers, {"loaded": False})
    for line in requests:
        request = json.loads(line)
        data = requests.read(request["bytes"])
        try:
            if data:
                document = _opened(pypdfium2, data, document)
            _answer(answers, *_done(pypdfium2, document, request))
        except _Refused as error:
            document = None
            _answer(answers, {"refused": str(error), "loaded": False})
        except (pypdfium2.PdfiumError, MemoryError, ValueError) as error:
            _answer(answers, {"refused": _damaged(error), "loaded": document is not None})


class _Refused(Exception):
    """A document that cannot be opened."""


def _opened(library: Any, data: bytes, before: Any) -> Any:
    """Return a document in the place of the one before."""
    if before is not None:
        before.close()
    try:
        document = library.PdfDocument(data)
    except library.PdfiumError as error:
        if error.err_code == library.raw.FPDF_ERR_PASSWORD and b"/Encrypt" in data:  # the code may be an older one
            raise _Refused("the document is encrypted; save a copy without a password") from error
        raise _Refused("damaged or cut short") from error
    document.init_forms()
    return document


def _damaged(error: Exception) -> str:
    return f"damaged or cut short ({error or type(error).__name__})"


def _done(library: Any, document: Any, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the answer to a request about the document at hand: its page count, a page's size, or its pixels."""
    if request["page"] is None:
        return {"count": len(document), "loaded": True}, b""
    page = document[request["page"]]
    try:
        size = _pixels(page, request)
        if size is None:
            return {"refused": "the page has an impossible size", "loaded": True}, b""
        pixels = _rendered(library, page, size) if request["render"] else b""
        return {"width": size[0], "height": size[1], "loaded": True}, pixels
    finally:
        page.close()


def _pixels(page: Any, request: dict[str, Any]) -> tuple[int, int] | None:
    """Return the width and height a page is rendered at, within the limits of the request."""
    width, height = page.get_size()
    if not (0 < width < MOST_POINTS and 0 < height < MOST_POINTS):
        return None
    scale = min(
        request["dpi"] / POINTS_PER_INCH,
        math.sqrt(request["max_pixels"] / (width * height)),
        request["max_side"] / max(width, height),
    )
    return max(int(width * scale + ROUNDING), 1), max(int(height * scale + ROUNDING), 1)


def _rendered(library: Any, page: Any, size: tuple[int, int]) -> bytes:
    """Return the pixels of a page on white: 4 bytes each, red, green, blue and one unused."""
    raw = library.raw
    bitmap = library.PdfBitmap.new_native(*size, format=raw.FPDFBitmap_BGRx, rev_byteorder=True)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        place = (bitmap, page, 0, 0, *size, 0, raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER)
        raw.FPDF_RenderPageBitmap(*place)
        if page.formenv:
            raw.FPDF_FFLDraw(page.formenv, *place)
        return bytes(bitmap.buffer)
    finally:
        bitmap.close()


def _answer(answers: IO[bytes], head: dict[str, Any], payload: bytes = b"") -> None:
    answers.write(json.dumps({**head, "bytes": len(payload)}).encode() + b"\n" + payload)
    answers.flush()


if __name__ == "__main__":
    main()

"""The process that opens PDF documents: run by `pdf_process`, never imported by it.

It reads requests from standard input and answers on standard output, one JSON line each, then as many bytes as the
line says. What it may use is capped before PDFium is loaded; what a document does to it stays in this process.
"""

from __future__ import annotations

import ctypes
import json
import math
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

POINTS_PER_INCH = 72
MOST_CHARACTERS = 200_000  # of one page that are read; a dense page of a newspaper has 30,000
MOST_RUN = 1_000  # characters; a longer line is cut into several runs
MOST_OBJECTS = 2_000  # of a page that are looked at for pictures and fields
WIDE_GAP = 1.5  # heights of a line; what stands further apart is not one line
HYPHEN = 2  # what PDFium puts in the place of a hyphen at the end of a line
HYPHEN_IN_TEXT = 0xFFFE  # the same, where it returns more than one character
FINE = 16  # steps of a pixel in which places are asked for
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
    """Return the answer to a request about the document: its page count, a page's size, its pixels, or its text."""
    if request["page"] is None:
        return {"count": len(document), "loaded": True}, b""
    page = document[request["page"]]
    try:
        size = _pixels(page, request)
        if size is None:
            return {"refused": "the page has an impossible size", "loaded": True}, b""
        answer = {"width": size[0], "height": size[1], "loaded": True}
        if request["text"]:
            return answer, json.dumps(_layer(library.raw, page, size)).encode()
        return answer, _rendered(library, page, size) if request["render"] else b""
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


def _layer(raw: Any, page: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Return the runs of a page and how much of it one picture covers; see `layer.PageLayer`."""
    opened = page.get_textpage()
    try:
        text = opened.raw  # asked for thousands of times a page
        codes = _codes(raw, text, min(opened.count_chars(), MOST_CHARACTERS))
        runs = []
        for first, end in _ranges(raw, text, codes):
            box = _box_of(raw, text, first, end - first)
            if box is not None:
                runs.append([_characters(codes[first:end]), *_placed(raw, page, size, box)])
    finally:
        opened.close()
    runs += [[words, *_placed(raw, page, size, box)] for words, box in _fields(raw, page)]
    return {"runs": runs, "covered": _covered(raw, page, size)}


def _codes(raw: Any, text: Any, count: int) -> Sequence[int]:
    """Return the units of the first characters, one for each: all at once, or singly where PDFium leaves some out."""
    room = (ctypes.c_ushort * (count + 1))()
    if count and raw.FPDFText_GetText(text, 0, count, room) == count + 1:
        return [HYPHEN if code == HYPHEN_IN_TEXT else code for code in room[:count]]
    return [raw.FPDFText_GetUnicode(text, n) for n in range(count)]


def _ranges(raw: Any, text: Any, codes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of each run: PDFium's lines, parted at wide gaps and where a word goes on."""
    first = 0
    for place, code in enumerate([*codes, 10]):
        if code in (10, 13, HYPHEN):
            end = place + (code == HYPHEN)
            if end > first:
                yield from _parted(raw, text, codes, first, end)
            first = place + 1


def _parted(raw: Any, text: Any, codes: Sequence[int], first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of one line.

    A line that was written in one piece is wide apart only where it has several spaces, or one that PDFium made up.
    """
    pieces = raw.FPDFText_CountRects(text, first, end - first)
    begun, last = -1, -1  # of the run at hand: its first character, and its last that is no space
    for place in range(first, end):
        if (codes[place] <= 32 and codes[place] != HYPHEN) or codes[place] == 160:
            continue
        if begun >= 0:
            spaces = place - last - 1
            asked = spaces > 1 or (spaces == 1 and (pieces > 1 or raw.FPDFText_IsGenerated(text, last + 1) == 1))
            if place - begun >= MOST_RUN or (asked and _apart(raw, text, last, place)):
                yield begun, last + 1
                begun = -1
        begun, last = (place if begun < 0 else begun), place
    if begun >= 0:
        yield begun, last + 1


def _apart(raw: Any, text: Any, before: int, after: int) -> bool:
    """Say whether two characters stand too far apart for one line, whichever way it runs."""
    a, b = _glyph(raw, text, before), _glyph(raw, text, after)
    if a is None or b is None:
        return False
    across, along = max(b.left - a.right, a.left - b.right), max(b.bottom - a.top, a.bottom - b.top)
    thickness = a.top - a.bottom if across >= along else a.right - a.left
    return bool(max(across, along) > WIDE_GAP * max(thickness, 1e-3))


def _glyph(raw: Any, text: Any, place: int) -> Any:
    box = raw.FS_RECTF()
    return box if raw.FPDFText_GetLooseCharBox(text, place, box) else None


def _box_of(raw: Any, text: Any, first: int, count: int) -> tuple[float, ...] | None:
    """Return (left, bottom, right, top) in points around characters; None for what stands nowhere."""
    corners = [ctypes.c_double() for _ in range(4)]
    left, top, right, bottom = corners
    found = [
        (left.value, bottom.value, right.value, top.value)
        for n in range(min(raw.FPDFText_CountRects(text, first, count), MOST_RUN))
        if raw.FPDFText_GetRect(text, n, left, top, right, bottom)
    ]
    if not found:
        return None
    lefts, bottoms, rights, tops = zip(*found, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _placed(raw: Any, page: Any, size: tuple[int, int], box: tuple[float, ...]) -> list[float]:
    """Return (left, top, right, bottom) in pixels of the page as it is rendered, turned and cropped."""
    x, y = ctypes.c_int(), ctypes.c_int()
    found = []
    for point in ((box[0], box[1]), (box[2], box[3])):
        raw.FPDF_PageToDevice(page, 0, 0, size[0] * FINE, size[1] * FINE, 0, *point, x, y)
        found.append((x.value / FINE, y.value / FINE))
    (a, b), (c, d) = found
    return [min(a, c), min(b, d), max(a, c), max(b, d)]


def _fields(raw: Any, page: Any) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Yield what form fields and typed notes show, and where: it is drawn, but not in the text of the page."""
    for n in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_OBJECTS)):
        note = raw.FPDFPage_GetAnnot(page, n)
        kind, box = raw.FPDFAnnot_GetSubtype(note), raw.FS_RECTF()
        words = ""
        if kind == raw.FPDF_ANNOT_FREETEXT:
            words = _words(lambda *room, note=note: raw.FPDFAnnot_GetStringValue(note, b"Contents", *room))
        elif kind == raw.FPDF_ANNOT_WIDGET and page.formenv:
            words = _words(lambda *room, note=note: raw.FPDFAnnot_GetFormFieldValue(page.formenv, note, *room))
        if words and raw.FPDFAnnot_GetRect(note, box):
            yield from ((line, (box.left, box.bottom, box.right, box.top)) for line in words.splitlines() if line)
        raw.FPDFPage_CloseAnnot(note)


def _words(ask: Callable[..., int]) -> str:
    """Return a text that PDFium writes into room it is given, at most one run long."""
    room = (ctypes.c_ushort * (MOST_RUN + 1))()
    size = ask(room, ctypes.sizeof(room))
    return (
        bytes(room)[:-2].decode("utf-16-le", "ignore").partition("\0")[0] if 2 < size <= ctypes.sizeof(room) else ""
    )


def _covered(raw: Any, page: Any, size: tuple[int, int]) -> float:
    """Return the share of the page under its largest picture."""
    corners = [ctypes.c_float() for _ in range(4)]
    most = 0.0
    for n in range(min(raw.FPDFPage_CountObjects(page), MOST_OBJECTS)):
        item = raw.FPDFPage_GetObject(page, n)
        if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_IMAGE or not raw.FPDFPageObj_GetBounds(item, *corners):
            continue
        left, top, right, bottom = _placed(raw, page, size, tuple(corner.value for corner in corners))
        wide, high = min(right, size[0]) - max(left, 0), min(bottom, size[1]) - max(top, 0)
        most = max(most, max(wide, 0) * max(high, 0) / (size[0] * size[1]))
    return most


def _characters(codes: Sequence[int]) -> str:
    """Return the text of UTF-16 or UTF-32 units; halves of a pair that stand alone are left out."""
    units = "".join(map(chr, codes))
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _answer(answers: IO[bytes], head: dict[str, Any], payload: bytes = b"") -> None:
    answers.write(json.dumps({**head, "bytes": len(payload)}).encode() + b"\n" + payload)
    answers.flush()


if __name__ == "__main__":
    main()

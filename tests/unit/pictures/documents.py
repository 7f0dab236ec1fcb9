"""PDF documents written byte by byte, honest and hostile, for the tests of pages."""

from __future__ import annotations

import io

from PIL import Image

_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_FORM = b"<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X %d 0 R >> >> /Length 11 >>"


def pdf_of(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """Return a document of numbered objects; the first is the catalog."""
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )


def one_page(
    content: bytes = b"", *, box: bytes = b"0 0 144 72", extra: bytes = b"", more: list[bytes] | None = None
):
    """Return a document of one page, 2 x 1 inches unless told otherwise; `more` are objects from number 5 on."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R %s >>" % (box, extra)
    stream = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    return pdf_of([_CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, stream, *(more or [])])


def pages_of(*colours: tuple[int, int, int]) -> bytes:
    """Return a document with one page of 1 x 0.5 inches for each colour."""
    first, *rest = [Image.new("RGB", (100, 50), colour) for colour in colours]
    buffer = io.BytesIO()
    first.save(buffer, "PDF", save_all=True, append_images=rest, resolution=100)
    return buffer.getvalue()


def encrypted() -> bytes:
    """Return a document that no password opens."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] >>"
    lock = b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (b"41" * 32, b"42" * 32)
    objects = [_CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, lock]
    return pdf_of(objects, b"/Encrypt 4 0 R /ID [<00><00>]")


def empty() -> bytes:
    """Return a document without a page."""
    return pdf_of([_CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"])


def doubling(levels: int) -> bytes:
    """Return a page whose form draws another twice, that one another twice, and so on: 2 ** levels objects."""
    forms = [_FORM % (6 + level) + b"\nstream\n/X Do /X Do\nendstream" for level in range(levels)]
    last = b"<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Length 12 >>\nstream\n0 0 1 1 re f\nendstream"
    return one_page(b"/X Do", extra=b"/Resources << /XObject << /X 5 0 R >> >>", more=[*forms, last])

"""PDF files of drawn pages and of scans, the same bytes for the same page: no dates, no fonts of a machine."""

from __future__ import annotations

from collections.abc import Sequence

from .page import FONTS, Page


def text_pdf(pages: Sequence[Page]) -> bytes:
    """Return a document whose pages carry their texts as text, in fonts that every reader has."""
    fonts = " ".join(f"/F{number} {3 + number} 0 R" for number in range(len(FONTS)))
    objects = [f"<</Type/Font/Subtype/Type1/BaseFont/{font}/Encoding/WinAnsiEncoding>>".encode() for font in FONTS]
    kids = []
    for page in pages:
        content = _content(page)
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
        objects.append(_page(page.size, f"/Font<<{fonts}>>", 2 + len(objects)))
        kids.append(2 + len(objects))
    return _file(objects, kids)


def picture_pdf(jpeg: bytes, pixels: tuple[int, int], size: tuple[float, float]) -> bytes:
    """Return a document of one page that is a JPEG and has no text.

    Args:
        jpeg: the picture.
        pixels: its (width, height).
        size: (width, height) of the page in points.
    """
    described = f"/Type/XObject/Subtype/Image/Width {pixels[0]}/Height {pixels[1]}/ColorSpace/DeviceGray"
    picture = f"<<{described}/BitsPerComponent 8/Filter/DCTDecode/Length {len(jpeg)}>>stream\n".encode()
    content = f"{size[0]:.2f} 0 0 {size[1]:.2f} 0 0 cm /P Do".encode()
    objects = [
        picture + jpeg + b"\nendstream",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        _page(size, "/XObject<</P 3 0 R>>", 4),
    ]
    return _file(objects, [5])


def _content(page: Page) -> bytes:
    lines = []
    for run in page.runs:
        text = run.text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        place = f"/F{FONTS.index(run.font)} {run.size:.2f} Tf {run.x:.2f} {page.size[1] - run.y:.2f} Td"
        lines.append(b"BT %s (%s) Tj ET" % (place.encode(), text))
    return b"\n".join(lines)


def _page(size: tuple[float, float], resources: str, contents: int) -> bytes:
    box = f"/MediaBox[0 0 {size[0]:.2f} {size[1]:.2f}]"
    return f"<</Type/Page/Parent 2 0 R{box}/Resources<<{resources}>>/Contents {contents} 0 R>>".encode()


def _file(objects: Sequence[bytes], kids: Sequence[int]) -> bytes:
    """Return the file of objects that are numbered from 3; 1 is the catalogue, 2 the list of pages `kids`."""
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    head = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{listed}]/Count {len(kids)}>>".encode(),
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate([*head, *objects], start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start, count = len(out), len(places) + 1
    out += f"xref\n0 {count}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<</Size {count}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)

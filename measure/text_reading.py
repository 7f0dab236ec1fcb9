"""Measures reading text: pages a second of text layers, seconds a page of OCR, whether boxes cover what was drawn.

Run as `python -m measure text_reading`; it writes measure/results/text_reading.json. Letters are drawn with a value
on every line; a value counts as read when a line holds it, as covered when that line's box holds nine tenths of it.
The seconds of processes and threads are by the wall clock: the load of the machine at the end is told beside them.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from measure.envelope import RESULTS, envelope, write_result
from vretrver.images import ImageStore
from vretrver.records import ImageRef, TextLine
from vretrver.text.engine import OcrEngine, shared_engine
from vretrver.text.layer import LayerReader
from vretrver.text.reading import MemoryTexts, read_texts

SIZE = (1240, 1754)
"""Pixels of a drawn letter: A4 at 150 dots per inch."""

WORDS = ("invoice", "date", "total", "amount", "customer", "order", "number", "delivery", "paid", "street", "net")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value that was drawn."""

    text: str
    """Its characters."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels."""


def letter(seed: int, *, rows: int = 24) -> tuple[Image.Image, list[Value]]:
    """Return a drawn letter and its values, one a row, in a type size of 18 to 30 pixels."""
    draws = random.Random(seed)
    font = ImageFont.load_default(size=draws.randrange(18, 31))
    picture = Image.new("RGB", SIZE, (draws.randrange(235, 256),) * 3)
    pen, values = ImageDraw.Draw(picture), []
    for row in range(rows):
        left, top = 90 + draws.randrange(30), 90 + 64 * row
        name = " ".join(draws.sample(WORDS, k=3))
        value = f"{draws.choice('ABCD')}{draws.randrange(10**5, 10**6)}-{draws.randrange(10, 100)}"
        pen.text((left, top), name, fill=(30, 30, 40), font=font)
        start = pen.textbbox((left, top), f"{name}  ", font=font)[2]
        pen.text((start, top), value, fill=(30, 30, 40), font=font)
        values.append(Value(text=value, box=pen.textbbox((start, top), value, font=font)))
    return picture, values


def covered(values: Sequence[Value], lines: Sequence[TextLine]) -> tuple[int, int]:
    """Return how many values were read, and how many of all lie nine tenths inside the box of their line."""
    read, inside = 0, 0
    for value in values:
        holding = [line.box for line in lines if value.text in line.text.replace(" ", "")]
        read += bool(holding)
        left, top, right, bottom = value.box
        area = (right - left) * (bottom - top)
        inside += any(
            max(min(right, box.right) - max(left, box.left), 0) * max(min(bottom, box.bottom) - max(top, box.top), 0)
            >= 0.9 * area
            for box in holding
        )
    return read, inside


def document(pages: int) -> bytes:
    """Return a PDF of full pages of text: 58 lines of 100 characters each."""
    words = ("the quick brown fox jumps over the lazy dog invoice total amount 12.50 EUR " * 20).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(pages)), pages),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for n in range(pages):
        lines = b"".join(b"(%s) Tj 0 -12 Td " % words[(7 * row + n) % 50 :][:100] for row in range(58))
        content = b"BT /F 9 Tf 50 750 Td %s ET" % lines
        kind = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources %s >>"
        objects.append(kind % (5 + 2 * n, b"<< /Font << /F 3 0 R >> >>"))
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def layer_rate(folder: Path, pages: int) -> dict[str, float]:
    """Return pages and characters a second of text layers, nothing rendered."""
    (folder / "a.pdf").write_bytes(document(pages))
    os.utime(folder / "a.pdf", (1, 1))
    time.sleep(3.1)  # a file written just now is read again for each page, until its times have settled
    reader = LayerReader(ImageStore({"": folder}))
    reader.read(ImageRef(path="a.pdf"))
    begun = time.perf_counter()
    characters = sum(len(line.text) for n in range(pages) for line in reader.read(ImageRef(path="a.pdf", page=n)))
    seconds = time.perf_counter() - begun
    return {
        "pages": pages,
        "characters_a_page": round(characters / pages),
        "pages_a_second": round(pages / seconds, 1),
    }


def ocr_quality(letters: int) -> dict[str, float]:
    """Return seconds of one core a page, and the shares of values read and covered."""
    engine = shared_engine()
    engine.lines(letter(10_000)[0])
    spent, total, read, inside = 0.0, 0, 0, 0
    for seed in range(letters):
        picture, values = letter(seed)
        begun = time.process_time()
        lines = engine.lines(picture)
        spent += time.process_time() - begun
        counts = covered(values, lines)
        total, read, inside = total + len(values), read + counts[0], inside + counts[1]
    return {
        "letters": letters,
        "values": total,
        "core_seconds_a_page": round(spent / letters, 2),
        "values_read": round(read / total, 4),
        "values_covered": round(inside / total, 4),
    }


def ocr_at_once(folder: Path, letters: int, workers: int) -> float:
    """Return seconds a page of the whole path, with a number of processes of one thread each."""
    images = ImageStore({"": folder})
    pages = [images.pin(ImageRef(path=f"{seed}.png")) for seed in range(letters)]
    texts = MemoryTexts()
    begun = time.perf_counter()
    read_texts(pages, images, mode="always", ocr=True, keep=texts.keep, workers=workers)
    return round((time.perf_counter() - begun) / letters, 2)


def ocr_with_threads(letters: int, threads: int) -> float:
    """Return seconds a page of one process with a number of threads."""
    engine = OcrEngine(threads=threads)
    engine.lines(letter(10_000)[0])
    begun = time.perf_counter()
    for seed in range(letters):
        engine.lines(letter(seed)[0])
    return round((time.perf_counter() - begun) / letters, 2)


def main() -> None:
    """Draw, read, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS / "text_reading.json")
    parser.add_argument("--pages", type=int, default=200, help="pages of the document with a text layer")
    parser.add_argument("--letters", type=int, default=20, help="letters read by OCR")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layer = layer_rate(folder, arguments.pages)
        for seed in range(arguments.letters):
            letter(seed)[0].save(folder / f"{seed}.png")
        quality = ocr_quality(arguments.letters)
        wall = {
            "one process of two threads": ocr_with_threads(arguments.letters, 2),
            "two processes of one thread": ocr_at_once(folder, arguments.letters, 2),
            "one process of one thread": ocr_at_once(folder, arguments.letters, 1),
        }
    libraries = {one: version(one) for one in ("rapidocr", "onnxruntime", "pypdfium2")}
    load = {"load_before_the_end": round(os.getloadavg()[0], 1)}
    result = {"layer": layer, "ocr": quality, "wall_seconds_a_page": wall, **load}
    write_result(arguments.out, envelope("text_reading", libraries=libraries) | result)

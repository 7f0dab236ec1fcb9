"""Pins what OCR reads on drawn receipts and scans, and that it needs no network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from vretrver.errors import MissingDependency, PictureError
from vretrver.images import ImageStore
from vretrver.records import ImageRef, TextLine
from vretrver.text import engine
from vretrver.text.engine import DETECTION_PIXELS, detection_size, is_installed
from vretrver.text.ocr import OcrReader, read_pixels

needs_ocr = pytest.mark.skipif(not is_installed(), reason="the extra ocr is not installed")

RECEIPT = (("Corner Bakery", 40, 20), ("Date 2024-05-17", 40, 70), ("Total 12.50", 40, 120))


def drawn(size: tuple[int, int], rows: tuple[tuple[str, int, int], ...], *, points: int = 24) -> Image.Image:
    """Return a white picture with rows of (text, left, top)."""
    picture = Image.new("RGB", size, "white")
    for text, left, top in rows:
        ImageDraw.Draw(picture).text((left, top), text, fill="black", font=ImageFont.load_default(size=points))
    return picture


def around(text: str, left: int, top: int, *, points: int = 24) -> tuple[float, float, float, float]:
    """Return the box around what `drawn` draws of a row."""
    font = ImageFont.load_default(size=points)
    return ImageDraw.Draw(Image.new("RGB", (1, 1))).textbbox((left, top), text, font=font)


def strip(lines: tuple[TextLine, ...]) -> list[str]:
    return [line.text.replace(" ", "") for line in lines]


@needs_ocr
def test_a_receipt_is_read_with_a_box_around_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    engine.shared_engine.cache_clear()
    drawn((300, 180), RECEIPT).save(tmp_path / "a.png")
    lines = OcrReader(ImageStore({"": tmp_path})).read(ImageRef(path="a.png"))
    assert strip(lines) == ["CornerBakery", "Date2024-05-17", "Total12.50"]
    for line, row in zip(lines, RECEIPT, strict=True):
        left, top, right, bottom = around(*row)
        box = line.box
        assert abs(box.left - left) < 8, row
        assert abs(box.right - right) < 8, row
        assert (box.top <= top + 4, box.bottom >= bottom - 4) == (True, True), row
        assert line.confidence > 0.8


@needs_ocr
def test_small_print_on_a_large_scan_is_read_where_it_stands() -> None:
    places = ((100, 200), (700, 1500), (1200, 1800), (1300, 2700))
    rows = tuple((f"Contract no 2041-{n}7 of 3 March", left, top) for n, (left, top) in enumerate(places, start=1))
    lines = read_pixels(drawn((2200, 3000), rows, points=14), name="scan")
    assert strip(lines) == [f"Contractno2041-{n}7of3March" for n in (1, 2, 3, 4)]
    for line, row in zip(lines, rows, strict=True):
        wanted = around(*row, points=14)
        assert all(abs(a - b) <= 8 for a, b in zip(line.box.to_list(), wanted, strict=True)), (line.box, wanted)


@needs_ocr
def test_a_picture_without_text_and_one_too_thin_for_it_have_no_lines() -> None:
    assert read_pixels(Image.new("RGB", (200, 100), "white"), name="plain") == ()
    assert read_pixels(Image.new("RGB", (30_000, 1)), name="thin") == ()


@needs_ocr
def test_what_the_library_raises_is_a_refusal_with_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.shared_engine(), "_found", lambda _: 1 / 0)
    with pytest.raises(PictureError, match=r"picture a\.png: its text cannot be read \(ZeroDivisionError\)"):
        read_pixels(Image.new("RGB", (40, 40)), name="a.png")


@pytest.mark.parametrize(
    ("size", "copy"),
    [
        ((100, 100), (200, 200)),
        ((600, 400), (1104, 736)),
        ((1000, 800), (1000, 800)),
        ((2200, 3000), (1211, 1651)),
        ((700, 8000), (418, 4781)),
        ((30_000, 8), (60_000, 16)),
    ],
)
def test_the_copy_on_which_text_is_looked_for_has_a_bound(size: tuple[int, int], copy: tuple[int, int]) -> None:
    assert detection_size(*size, most=DETECTION_PIXELS) == copy
    assert copy[0] * copy[1] <= DETECTION_PIXELS * 1.01


def test_without_the_extra_one_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str) -> None:
        raise MissingDependency(f"{module} is not installed; run: pip install 'vretrver[{extra}]'")

    monkeypatch.setattr(engine, "require", missing)
    engine.shared_engine.cache_clear()
    with pytest.raises(MissingDependency, match=r"run: pip install 'vretrver\[ocr\]'"):
        read_pixels(Image.new("RGB", (40, 40)), name="a.png")

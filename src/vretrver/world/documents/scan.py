"""A page as a scanner gives it: turned a little, noisy, of low contrast, coarse, and saved as JPEG."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...geometry import Box
from ...prng import Stream

DPI = 200
"""Dots per inch at which pages are rendered before they are scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFlaws:
    """What is wrong with a scan."""

    degrees: float
    """How far the page is turned, against the clock."""
    ink: int
    """Grey of the ink, 0 is black."""
    paper: int
    """Grey of the paper, 255 is white."""
    noise: int
    """Largest change of a pixel."""
    dpi: int
    """Dots per inch."""
    quality: int
    """Quality of the JPEG."""


def draw_flaws(stream: Stream) -> ScanFlaws:
    """Return the flaws of a scan, drawn from a stream."""
    return ScanFlaws(
        degrees=stream.between(-20, 20) / 10,
        ink=stream.between(0, 150),
        paper=stream.between(215, 255),
        noise=stream.between(0, 60),
        dpi=stream.between(110, 200),
        quality=stream.between(35, 90),
    )


def scanned(page: Image.Image, flaws: ScanFlaws, stream: Stream) -> tuple[bytes, tuple[int, int]]:
    """Return the JPEG of a rendered page in grey, and its (width, height) in pixels."""
    turned = page.convert("L").rotate(flaws.degrees, Image.Resampling.BICUBIC, fillcolor=255)
    size = round(page.width * flaws.dpi / DPI), round(page.height * flaws.dpi / DPI)
    grey = np.asarray(turned.resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
    grey = flaws.ink + grey * ((flaws.paper - flaws.ink) / 255)
    if flaws.noise:
        words = stream.words(size[0] * size[1]).reshape(size[1], size[0])
        grey += (words % np.uint32(2 * flaws.noise + 1)).astype(np.float32) - flaws.noise
    out = io.BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=flaws.quality)
    return out.getvalue(), size


def moved(box: Box, page: tuple[int, int], flaws: ScanFlaws) -> Box:
    """Return where a box of the rendered page lies on the scan.

    Args:
        box: in pixels of the page.
        page: (width, height) of the page in pixels.
        flaws: how it was scanned.
    """
    angle, scale = math.radians(flaws.degrees), flaws.dpi / DPI
    middle_x, middle_y = page[0] / 2, page[1] / 2
    xs, ys = [], []
    for x in (box.left, box.right):
        for y in (box.top, box.bottom):
            dx, dy = x - middle_x, y - middle_y
            xs.append((middle_x + dx * math.cos(angle) + dy * math.sin(angle)) * scale)
            ys.append((middle_y - dx * math.sin(angle) + dy * math.cos(angle)) * scale)
    return Box(left=int(min(xs)), top=int(min(ys)), right=math.ceil(max(xs)), bottom=math.ceil(max(ys)))

"""The agent's thumbnail and the native crop of a catalogue picture, through the bytes the catalogue writes.

Only what lies around the label is encoded when only that is judged: the native window is cut on the grid of the
JPEG blocks and of the thumbnail, with the reach of every filter as margin, so that the thumbnail window is equal
to the whole picture's pixel by pixel. `aligned_check` in `stages.py` compares them on every run.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vretrver.images import encode_picture, resized
from vretrver.world.draw.render import label_place, render
from vretrver.world.draw.world import Shot
from vretrver.world.draw.write import QUALITY

NATIVE = 768
"""Native pixels a side."""

THUMBNAIL = 96
"""Thumbnail pixels a side."""

SCALE = NATIVE // THUMBNAIL
"""Native pixels per thumbnail pixel and side."""

UNIT = 16
"""Thumbnail pixels of one JPEG unit with halved chroma."""

REACH = 2
"""Thumbnail pixels that the smoothing of halved chroma can reach beyond a unit."""

BLOCK = 8
"""Native pixels of one JPEG block."""

DRAFT = 4
"""Times the thumbnail's size at which the product decodes a JPEG before it resizes."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A square or oblong of thumbnail pixels that starts and ends on JPEG units."""

    left: int
    """First column."""
    top: int
    """First row."""
    right: int
    """One past the last column."""
    bottom: int
    """One past the last row."""

    def native_box(self) -> tuple[int, int, int, int]:
        """Return the native box (left, top, right, bottom) that these thumbnail pixels depend on."""
        low = [max(value * SCALE - BLOCK, 0) for value in (self.left, self.top)]
        high = [min(value * SCALE + BLOCK, NATIVE) for value in (self.right, self.bottom)]
        return low[0], low[1], high[0], high[1]


def label_pose(shot: Shot) -> tuple[float, float, float, float]:
    """Return native x and y of the middle of a shot's label, its turn in degrees clockwise, and its scale."""
    place = label_place(shot)
    return place.x / 16, place.y / 16, float(place.rotation), place.scale / 1024


def label_centre(shot: Shot) -> tuple[float, float]:
    """Return the native x and y of the middle of a shot's label."""
    return label_pose(shot)[:2]


def span_around(corner: tuple[int, int], size: int) -> Span:
    """Return the smallest span that determines `size` x `size` thumbnail pixels from `corner` (column, row)."""
    low = [max((value - REACH) // UNIT * UNIT, 0) for value in corner]
    high = [min(-(-(value + size + REACH) // UNIT) * UNIT, THUMBNAIL) for value in corner]
    return Span(left=low[0], top=low[1], right=high[0], bottom=high[1])


WHOLE = Span(left=0, top=0, right=THUMBNAIL, bottom=THUMBNAIL)
"""The whole thumbnail."""


def window_corner(centre: tuple[float, float], size: int) -> tuple[int, int]:
    """Return the (column, row) where a window of `size` thumbnail pixels starts whose middle is a native place.

    The window is moved to stay inside the thumbnail.
    """
    column, row = (min(max(round(value / SCALE - size / 2), 0), THUMBNAIL - size) for value in centre)
    return column, row


def file_bytes(pixels: Pixels) -> bytes:
    """Return the JPEG file the catalogue writes for these pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return buffer.getvalue()


def shown_thumbnail(native_file: bytes, span: Span = WHOLE, *, draft: int = DRAFT) -> tuple[Pixels, int]:
    """Return the thumbnail pixels of a span as a model receives them, and the size of their JPEG in bytes.

    Args:
        native_file: JPEG of the pixels inside `span.native_box()`.
        span: which part of the thumbnail; the whole by default.
        draft: times the thumbnail's size at which the JPEG is decoded; the product's by default.
    """
    box = span.native_box()
    before = (span.left - box[0] // SCALE, span.top - box[1] // SCALE)
    with Image.open(io.BytesIO(native_file)) as image:
        size = image.width // SCALE, image.height // SCALE
        image.draft("RGB", (draft * size[0], draft * size[1]))
        image.load()
        small = resized(image, size)
    width, height = span.right - span.left, span.bottom - span.top
    small = small.crop((before[0], before[1], before[0] + width, before[1] + height))
    encoded = encode_picture(small).data
    return decoded(encoded), len(encoded)


def decoded(data: bytes) -> Pixels:
    """Return the RGB pixels of an encoded picture, [H, W, 3] uint8."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def thumbnail_window(shot: Shot, size: int) -> Pixels:
    """Return `size` x `size` thumbnail pixels around a shot's label, as the model sees them."""
    return thumbnail_windows(shot, size, drafts=(DRAFT,))[0]


def thumbnail_windows(shot: Shot, size: int, *, drafts: tuple[int, ...]) -> list[Pixels]:
    """Return the window of `thumbnail_window` once for each scale at which the JPEG might be decoded."""
    corner = window_corner(label_centre(shot), size)
    span = span_around(corner, size)
    native_file = file_bytes(render(shot, window=span.native_box()))
    rows = slice(corner[1] - span.top, corner[1] - span.top + size)
    columns = slice(corner[0] - span.left, corner[0] - span.left + size)
    return [shown_thumbnail(native_file, span, draft=draft)[0][rows, columns] for draft in drafts]


def native_crop(shot: Shot, size: int) -> Pixels:
    """Return `size` x `size` native pixels around a shot's label as they are in the written file."""
    corner = [round(value - size / 2) for value in label_centre(shot)]
    low = [value // BLOCK * BLOCK for value in corner]
    high = [-(-(value + size) // BLOCK) * BLOCK for value in corner]
    part = decoded(file_bytes(render(shot, window=(low[0], low[1], high[0], high[1]))))
    column, row = corner[0] - low[0], corner[1] - low[1]
    return part[row : row + size, column : column + size]

"""The reader of text on pictures and scans: RapidOCR over an image store."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from PIL import Image

from ..errors import PictureError
from ..geometry import Box
from ..images import Pictures
from ..records import ImageRef, TextLine
from .engine import shared_engine

MOST_PIXELS = 40_000_000
"""Larger pictures are read at this many pixels, so that a reading takes at most about a GiB more than its picture."""


class OcrReader:
    """A `TextReader` of pictures and rendered pages, in this process.

    Args:
        images: opens the pictures.
    """

    def __init__(self, images: Pictures) -> None:
        self._images = images

    @property
    def name(self) -> str:
        """The library with its version, which decides its models."""
        return ocr_name()

    def read(self, image: ImageRef) -> tuple[TextLine, ...]:
        """Return the lines of a picture.

        Raises:
            PictureError: the picture cannot be opened or read.
            MissingDependency: the extra `ocr` is not installed.
        """
        known = image if image.width and image.height else self._images.pin(image)
        size = known.width or 1, known.height or 1
        whole = Box(left=0, top=0, right=size[0], bottom=size[1])
        return read_pixels(self._images.crop(known, whole, size), name=image)


def read_pixels(picture: Image.Image, *, name: object) -> tuple[TextLine, ...]:
    """Return the lines on pixels at hand, in reading order, with boxes in these pixels.

    Args:
        picture: in RGB; left as it is.
        name: what the picture is called in messages, an `ImageRef` or an `Address`.

    Raises:
        PictureError: there is too little memory, or the library fails on it.
        MissingDependency: the extra `ocr` is not installed.
    """
    engine, shown = shared_engine(), _bounded(picture)
    try:
        lines = engine.lines(shown)
    except MemoryError as error:
        raise PictureError(name, "reading its text takes more memory than there is") from error
    except Exception as error:  # the library may raise anything on pixels it does not expect; this is a refusal
        raise PictureError(name, f"its text cannot be read ({type(error).__name__})") from error
    if shown is picture:
        return lines
    return tuple(replace(line, box=line.box.scaled(shown.size, picture.size)) for line in lines)


def ocr_name() -> str:
    """Return the name of the reader of pictures as it is installed."""
    try:
        return f"rapidocr {version('rapidocr')}"
    except PackageNotFoundError:
        return "rapidocr"


def _bounded(picture: Image.Image) -> Image.Image:
    pixels = picture.width * picture.height
    if pixels <= MOST_PIXELS:
        return picture
    scale = (MOST_PIXELS / pixels) ** 0.5
    size = max(int(picture.width * scale), 1), max(int(picture.height * scale), 1)
    return picture.resize(size, Image.Resampling.BILINEAR)

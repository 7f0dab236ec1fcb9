"""Files of pixels, through Pillow and, for HEIC, pillow-heif (extra `sources`).

A page is a page of a TIFF. Of an animation, and of a HEIC or AVIF file with several pictures, the first one counts.
What a file says beside its pixels (texts, EXIF, a colour profile) never decides whether they are shown: what of it is
damaged or too large is left out.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from PIL import Image, UnidentifiedImageError

from .._optional import require
from ..errors import MissingDependency, PictureError
from ..records import ImageRef
from .colour import in_srgb
from .file import ExifBlock, ImageLimits
from .png import plain_png

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
"""Formats that Pillow opens itself. JPEG covers MPO, which is not a name that Pillow can be asked for: it would raise
KeyError for a file of none of the formats before it."""

WITH_EXTRA = ("HEIC", "PDF")
"""Formats that are opened when the extra `sources` is installed."""

DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    IndexError,
    KeyError,
    TypeError,
    EOFError,
    AttributeError,
    OverflowError,
    RuntimeError,
    ZeroDivisionError,
    struct.error,
    Image.DecompressionBombError,
)
"""What the decoders are known to raise for a damaged file; `MemoryError` is not among them: limits come first."""

_SMALLER_COPY_OR_MASK = 0b101
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what brings the picture upright."""
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def on_white(image: Image.Image) -> Image.Image:
    """Return an RGB copy with transparent pixels laid on white; palettes and grey levels are converted."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _from_deep_grey(image)
    return image.convert("RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey levels by 1/257 and float ones by their own range; plain conversion would clip them."""
    grey = image.convert("F")
    low, high = (0.0, 65535.0) if image.mode != "F" else grey.getextrema()
    if not isinstance(low, float) or not isinstance(high, float) or high <= low:
        return Image.new("RGB", image.size, (0, 0, 0))
    scale = 255.0 / (high - low)
    return grey.point(lambda v: v * scale - low * scale).convert("L").convert("RGB")


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of a picture, 1 to 8; a damaged block counts as upright."""
    try:
        value = image.getexif().get(0x0112)
    except DAMAGE:
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def finished(image: Image.Image, *, profile: bytes | None = None, orientation: int) -> Image.Image:
    """Return a decoded picture upright, in RGB as of sRGB, on white.

    Args:
        image: the picture; left alone.
        profile: its colour profile; None takes the one that Pillow found.
        orientation: as EXIF counts it, 1 to 8.
    """
    shown = on_white(in_srgb(image, profile or image.info.get("icc_profile")))
    turn = _TURNS.get(orientation)
    return shown.copy() if turn is None else shown.transpose(turn)


class RasterFile:
    """A file that Pillow opens, HEIC through pillow-heif."""

    def __init__(self, ref: ImageRef, data: bytes, limits: ImageLimits) -> None:
        self._ref = ref
        self._limits = limits
        plain, self._profile = plain_png(data)
        self._image = _opened(ref, plain)
        self._page = 0
        self._refuse_size(0)

    @property
    def form(self) -> str:
        """Format by Pillow's name."""
        return self._image.format or ""

    def pages(self) -> list[int]:
        """Return the pages of a TIFF without smaller copies and masks; 0 for every other format.

        A page whose directory is damaged is the last one listed, so that it can be refused by name.
        """
        if self.form != "TIFF":
            return [0]
        found: list[int] = []
        for page in range(self._limits.max_pages + 1):
            try:
                with _quiet():
                    self._image.seek(page)
                    kind = self._image.tag_v2.get(254, 0)  # type: ignore[attr-defined]
            except EOFError:
                break
            except DAMAGE:
                found.append(page)
                break
            if not (isinstance(kind, int) and kind & _SMALLER_COPY_OR_MASK):
                found.append(page)
        else:
            raise PictureError(self._ref, f"more than {self._limits.max_pages} pages, the limit")
        self._image.seek(0)
        self._page = 0
        return found or [0]

    def size(self, page: int) -> tuple[int, int]:
        """Return the upright (width, height) of a page."""
        with self._damage(page):
            self._turn_to(page)
            width, height = self._image.size
            return (height, width) if self._lies_sideways() else (width, height)

    def decode(self, page: int, *, least: tuple[int, int] | None = None) -> Image.Image:
        """Return a page upright, in RGB, on white; a JPEG at a reduced scale that is at least `least`."""
        with self._damage(page):
            self._turn_to(page)
            if least is not None and self.form in ("JPEG", "MPO"):
                self._image.draft("RGB", least[::-1] if self._lies_sideways() else least)
            self._image.load()
            return finished(self._image, profile=self._profile, orientation=self._orientation())

    def check(self, page: int) -> tuple[int, int]:
        """Return the upright size of a page after decoding all of it; its colours are not looked at."""
        with self._damage(page):
            self._turn_to(page)
            self._image.load()
            on_white(self._image)
        return self.size(page)

    def layer(self, page: int) -> None:
        """Return None: a picture holds no text of its own."""

    def exif(self) -> ExifBlock:
        """Return the EXIF block of the first picture; one directory may be damaged and the other not."""
        return ExifBlock(photo=self._directory(0x8769), place=self._directory(0x8825))

    def _directory(self, tag: int) -> dict[int, object]:
        try:
            with _quiet():
                return dict(self._image.getexif().get_ifd(tag))
        except DAMAGE:
            return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._image.close()

    def _turn_to(self, page: int) -> None:
        """Go to a page; the first one of a HEIC file is the one it calls primary, wherever it stands."""
        if page == self._page:
            return
        self._image.seek(page)
        self._page = page
        self._refuse_size(page)

    def _lies_sideways(self) -> bool:
        """Say whether the orientation swaps the sides."""
        return self._orientation() in (5, 6, 7, 8)

    def _orientation(self) -> int:
        """Return the EXIF orientation, 1 to 8; a damaged block counts as upright."""
        if self.form == "TIFF":  # Pillow turns its pages itself, and gives the upright size already
            return 1
        return orientation_of(self._image)

    def _refuse_size(self, page: int) -> None:
        width, height = self._image.size
        limits = self._limits
        if width < 1 or height < 1:
            raise PictureError(_at(self._ref, page), "it has no pixels")
        if width * height > limits.max_pixels or max(width, height) > limits.max_side:
            raise PictureError(
                _at(self._ref, page),
                f"{width} x {height} pixels, the limits are {limits.max_pixels} pixels and {limits.max_side} a side",
            )

    @contextmanager
    def _damage(self, page: int) -> Iterator[None]:
        """Turn what the decoder raises into a PictureError that names the page."""
        try:
            with _quiet():
                yield
        except PictureError:
            raise
        except EOFError as error:
            raise PictureError(_at(self._ref, page), f"there is no page {page + 1}") from error
        except DAMAGE as error:
            raise PictureError(_at(self._ref, page), f"damaged or cut short ({error})") from error


def _opened(ref: ImageRef, data: bytes) -> Image.Image:
    """Read the header only."""
    try:
        with _quiet():
            if _looks_like_heic(data):
                library: Any = require("pillow_heif", extra="sources")
                heic: Image.Image = library.HeifImageFile(io.BytesIO(data))
                return heic
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        allowed = ", ".join((*FORMATS, *WITH_EXTRA))
        raise PictureError(ref, f"not a picture of an allowed format ({allowed})") from error
    except MissingDependency:
        raise
    except DAMAGE as error:
        raise PictureError(ref, f"damaged header ({error})") from error


def _looks_like_heic(data: bytes) -> bool:
    """Say whether the file type box names HEIC and not AVIF, which Pillow opens itself."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[start : start + 4] for start in range(16, end, 4))}
    return bool(brands & _HEIC_BRANDS) and not brands & _AVIF_BRANDS


def _at(ref: ImageRef, page: int) -> ImageRef:
    return ref if ref.page == page else replace(ref, page=page)


class _Quiet:
    """Keeps the decoders' warnings about odd files off the terminal; what matters is raised.

    The filters belong to the whole process: the first of several threads silences them, the last one restores them.
    If each restored what it had found, they could stay silent for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = warnings.catch_warnings()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Silence warnings for a block."""
        with self._lock:
            if self._users == 0:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.simplefilter("ignore")
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._before.__exit__(None, None, None)


_quiet = _Quiet()

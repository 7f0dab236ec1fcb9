"""Opening pictures safely and making the bytes a model is sent; the only module that decodes or encodes a picture.

Pictures are upright (EXIF orientation applied), RGB, transparent pixels on white. What is not an allowed format, is
too large, is cut short or is hostile is refused with a `PictureError` that names the file and the reason.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import ConfigError, PictureError
from .geometry import Box, SizeRule
from .records import ImageRef

V = TypeVar("V")

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
"""Formats that are opened; anything else is refused whatever its name ends in. JPEG covers MPO, which is not a name
that Pillow can be asked for: it would raise KeyError for a file of none of the formats before it."""

THUMBNAIL_QUALITY = 75
"""JPEG quality of whole pictures shown small; the catalogue's gate was measured with it."""

LOOK_QUALITY = 90
"""JPEG quality of what a look returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What a file may cost before it is refused."""

    max_bytes: int = 64 * 2**20
    """Largest file in bytes."""
    max_pixels: int = 100_000_000
    """Most pixels of one picture, read from the header before anything is decoded."""
    max_side: int = 30_000
    """Longest side in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The final bytes of a picture as every policy gets them."""

    data: bytes
    """The encoded picture."""
    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    sha256: str
    """Hash of `data`."""
    media_type: str = "image/jpeg"
    """Media type of `data`."""


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return `image` at (width, height) through the antialiasing triangle filter.

    The triangle filter, not a box: a box of the same reduction lets four times as much of a relief detail through
    into a thumbnail (docs/decisions/003).
    """
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)


def encode_picture(image: Image.Image, *, quality: int = THUMBNAIL_QUALITY) -> Picture:
    """Encode an RGB picture into the bytes a policy is sent."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    data = buffer.getvalue()
    return Picture(data=data, width=image.width, height=image.height, sha256=hashlib.sha256(data).hexdigest())


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


class BoundedCache(Generic[V]):
    """Keeps the values used last, up to a number of bytes; safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """Return the value, now the one used last, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: V, *, size: int) -> None:
        """Keep a value of `size` bytes and drop what was not used for longest; larger ones are not kept."""
        with self._lock:
            if size > self.limit or key in self._values:
                return
            self._values[key] = (value, size)
            self.size += size
            while self.size > self.limit:
                _, (_, dropped) = self._values.popitem(last=False)
                self.size -= dropped


class ImageStore:
    """Reads pictures below named roots, within limits, with a bounded cache of decoded originals for crops.

    Args:
        roots: root name -> directory; the empty name is the default root.
        limits: caps of one file.
        cache_bytes: most bytes of decoded originals kept (3 bytes a pixel); 0 keeps none.
        shown_bytes: most bytes of finished pictures kept; 0 keeps none.
    """

    def __init__(
        self,
        roots: Mapping[str, Path | str],
        *,
        limits: ImageLimits | None = None,
        cache_bytes: int = 256 * 2**20,
        shown_bytes: int = 64 * 2**20,
    ) -> None:
        if not roots:
            raise ConfigError("an image store needs at least one root directory")
        self.roots = {name: Path(path) for name, path in roots.items()}
        self.limits = limits or ImageLimits()
        self._originals: BoundedCache[Image.Image] = BoundedCache(cache_bytes)
        self._shown: BoundedCache[Picture] = BoundedCache(shown_bytes)

    def locate(self, ref: ImageRef) -> Path:
        """Return the file of a reference; raises PictureError when its path leaves the root."""
        root = self.roots.get(ref.root)
        if root is None:
            known = ", ".join(repr(name) for name in sorted(self.roots))
            raise PictureError(f"picture {ref}: unknown root {ref.root!r}; known roots: {known}")
        pure = PurePosixPath(ref.path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in ref.path:
            raise PictureError(f"picture {ref}: the path must be relative and stay below its root")
        path = root / pure
        if not path.resolve().is_relative_to(root.resolve()):
            raise PictureError(f"picture {ref}: the path leaves its root through a link")
        return path

    def read_bytes(self, ref: ImageRef) -> bytes:
        """Return the file's bytes; raises PictureError when it is missing, too large or not the one it was."""
        path = self.locate(ref)
        try:
            size = path.stat().st_size
            if size > self.limits.max_bytes:
                raise PictureError(f"picture {ref}: {size} bytes, the limit is {self.limits.max_bytes}")
            data = path.read_bytes()
        except OSError as error:
            raise PictureError(f"picture {ref}: cannot be read: {error.strerror or error}") from error
        if ref.sha256 is not None and hashlib.sha256(data).hexdigest() != ref.sha256:
            raise PictureError(f"picture {ref}: the file has changed since it was recorded; index it again")
        return data

    def pin(self, ref: ImageRef) -> ImageRef:
        """Return the reference with the hash of the file as it is now and its upright size, from the header only."""
        data = self.read_bytes(ref)
        width, height = self._upright_size(ref, data)
        return ref.identified(sha256=hashlib.sha256(data).hexdigest(), width=width, height=height)

    def identify(self, ref: ImageRef) -> ImageRef:
        """Return the reference as `pin` does, after decoding the whole picture to know that it is sound."""
        data = self.read_bytes(ref)
        image = self._decode(ref, data, least=None)
        return ref.identified(sha256=hashlib.sha256(data).hexdigest(), width=image.width, height=image.height)

    def original(self, ref: ImageRef) -> Image.Image:
        """Return the whole upright picture in RGB; cached by content, so the caller must not change it."""
        data = self.read_bytes(ref)
        key = (hashlib.sha256(data).hexdigest(), ref.page)
        image = self._originals.get(key)
        if image is None:
            image = self._decode(ref, data, least=None)
            self._originals.put(key, image, size=image.width * image.height * 3)
        return image

    def thumbnail(self, ref: ImageRef, rule: SizeRule) -> Image.Image:
        """Return the whole picture at the size the rule says.

        A JPEG is decoded at a reduced scale that is still at least four times the size wanted, then resized: at
        twice the size, the aliasing of the reduced decoding lets relief details through (docs/decisions/003).
        """
        data = self.read_bytes(ref)
        width, height = self._upright_size(ref, data)
        size = rule.fit(width, height)
        return resized(self._decode(ref, data, least=(4 * size[0], 4 * size[1])), size)

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        """Return the finished bytes of `thumbnail`; cached by content for pinned references."""
        key = (ref.sha256, ref.page, rule, quality)
        picture = self._shown.get(key) if ref.sha256 is not None else None
        if picture is None:
            picture = encode_picture(self.thumbnail(ref, rule), quality=quality)
            if ref.sha256 is not None:
                self._shown.put(key, picture, size=len(picture.data))
        else:
            self.read_bytes(ref)  # a picture that vanished or changed is not served from the cache
        return picture

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        """Return the part of the original inside `box`, at (width, height) in pixels."""
        return resized(self.original(ref).crop((box.left, box.top, box.right, box.bottom)), size)

    def _upright_size(self, ref: ImageRef, data: bytes) -> tuple[int, int]:
        with _opened(ref, data, self.limits) as image:
            width, height = image.size
            return (height, width) if _lies_sideways(image) else (width, height)

    def _decode(self, ref: ImageRef, data: bytes, *, least: tuple[int, int] | None) -> Image.Image:
        with _opened(ref, data, self.limits) as image:
            try:
                if ref.page:
                    image.seek(ref.page)
                if least is not None and image.format in ("JPEG", "MPO"):
                    image.draft("RGB", least[::-1] if _lies_sideways(image) else least)
                image.load()
                return on_white(ImageOps.exif_transpose(image))
            except EOFError as error:
                raise PictureError(f"picture {ref}: there is no page {ref.page}") from error
            except (
                OSError,
                ValueError,
                SyntaxError,
                IndexError,
                TypeError,
                Image.DecompressionBombError,
            ) as error:
                raise PictureError(f"picture {ref}: damaged or cut short ({error})") from error


def _lies_sideways(image: Image.Image) -> bool:
    """Say whether the EXIF orientation swaps width and height; a damaged EXIF block counts as upright."""
    try:
        return image.getexif().get(0x0112) in (5, 6, 7, 8)
    except (OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError):
        return False


def _opened(ref: ImageRef, data: bytes, limits: ImageLimits) -> Image.Image:
    """Read the header only and refuse what the limits do not allow."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        allowed = ", ".join(FORMATS)
        raise PictureError(f"picture {ref}: not a picture of an allowed format ({allowed})") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"picture {ref}: damaged header ({error})") from error
    width, height = image.size
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise PictureError(
            f"picture {ref}: {width} x {height} pixels, the limits are {limits.max_pixels} pixels and "
            f"{limits.max_side} a side"
        )
    if width < 1 or height < 1:
        raise PictureError(f"picture {ref}: it has no pixels")
    return image

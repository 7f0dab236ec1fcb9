"""Opening pictures safely and making the bytes a model is sent: the one front to pictures for all other units.

Pictures are upright (EXIF orientation applied), RGB, transparent pixels on white. What is not an allowed format, is
too large, is cut short or is hostile is refused with a `PictureError` that names the file and the reason. `pictures`
says where bytes come from and what they show; nothing else decodes a picture.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Container, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from PIL import Image

from .errors import ConfigError, PictureError
from .geometry import Box, SizeRule
from .pictures.file import ExifBlock, ImageLimits, PictureFile
from .pictures.opening import open_picture
from .pictures.roots import DirectoryRoot, Root, open_roots, place_of
from .records import ImageRef

__all__ = [
    "LOOK_QUALITY",
    "THUMBNAIL_QUALITY",
    "BoundedCache",
    "ExifBlock",
    "FileSurvey",
    "ImageLimits",
    "ImageStore",
    "Picture",
    "encode_picture",
    "recut",
    "resized",
]

V = TypeVar("V")

THUMBNAIL_QUALITY = 75
"""JPEG quality of whole pictures shown small; the catalogue's gate was measured with it."""

LOOK_QUALITY = 90
"""JPEG quality of what a look returns."""


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


def recut(picture: Picture, box: Box, size: tuple[int, int]) -> Image.Image:
    """Return the part of a finished picture inside `box`, in its own pixels, at (width, height)."""
    with Image.open(io.BytesIO(picture.data)) as opened:
        whole = opened.convert("RGB")
    return resized(whole.crop((box.left, box.top, box.right, box.bottom)), size)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSurvey:
    """What was found in a file of one or more pages."""

    form: str
    """Format, as in `FORMATS` and `WITH_EXTRA` of `pictures.raster`."""
    count: int
    """Pages of the file, the refused ones included."""
    pages: tuple[ImageRef, ...]
    """The pages that can be shown, in order, with hash and upright size."""
    refused: tuple[tuple[int, str], ...]
    """(page, reason) of the pages that cannot."""
    exif: ExifBlock
    """EXIF block of the file; empty where there is none."""


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
        roots: root name -> directory, or URL of a store (`pictures.roots`); the empty name is the default root.
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
        self.roots = {name: place_of(root) for name, root in roots.items()}
        self._places = open_roots(self.roots)
        self.limits = limits or ImageLimits()
        self._originals: BoundedCache[Image.Image] = BoundedCache(cache_bytes)
        self._shown: BoundedCache[Picture] = BoundedCache(shown_bytes)

    def locate(self, ref: ImageRef) -> Path:
        """Return the file of a reference; raises PictureError when its path leaves the root or the root is remote."""
        root = self._place(ref)
        if not isinstance(root, DirectoryRoot):
            raise PictureError(f"picture {ref}: it lies in a remote store, not in a file")
        return root.locate(ref)

    def read_bytes(self, ref: ImageRef) -> bytes:
        """Return the file's bytes; raises PictureError when it is missing, too large or not the one it was."""
        data = self._place(ref).read(ref, max_bytes=self.limits.max_bytes)
        if ref.sha256 is not None and hashlib.sha256(data).hexdigest() != ref.sha256:
            raise PictureError(f"picture {ref}: the file has changed since it was recorded; index it again")
        return data

    def survey(self, ref: ImageRef, *, sound: Container[str] = frozenset()) -> FileSurvey:
        """Return what a file holds, every page decoded once to know that it can be shown; PDF pages are opened only.

        Args:
            ref: the file; its page makes no difference.
            sound: hashes of files known to be sound; of these only headers are read (of a PNG, whose EXIF block may
                lie behind its pixels, everything).

        Raises:
            PictureError: the file cannot be opened at all.
        """
        data = self.read_bytes(ref)
        sha256 = hashlib.sha256(data).hexdigest()
        found: list[ImageRef] = []
        refused: list[tuple[int, str]] = []
        with open_picture(ref, data, self.limits) as file:
            pages, exif = file.pages(), file.exif()
            for page in pages:
                try:
                    width, height = file.size(page) if sha256 in sound else file.check(page)
                except PictureError as error:
                    refused.append((page, str(error)))
                else:
                    found.append(replace(ref, page=page).identified(sha256=sha256, width=width, height=height))
            form = file.form
        return FileSurvey(form=form, count=len(pages), pages=tuple(found), refused=tuple(refused), exif=exif)

    def pin(self, ref: ImageRef) -> ImageRef:
        """Return the reference with the hash of the file as it is now and its upright size, from the header only."""
        data = self.read_bytes(ref)
        with self._open(ref, data) as file:
            width, height = file.size(ref.page)
        return ref.identified(sha256=hashlib.sha256(data).hexdigest(), width=width, height=height)

    def identify(self, ref: ImageRef) -> ImageRef:
        """Return the reference as `pin` does, after decoding the whole picture to know that it is sound."""
        data = self.read_bytes(ref)
        image = self._decode(ref, data)
        return ref.identified(sha256=hashlib.sha256(data).hexdigest(), width=image.width, height=image.height)

    def original(self, ref: ImageRef) -> Image.Image:
        """Return the whole upright picture in RGB; cached by content, so the caller must not change it."""
        data = self.read_bytes(ref)
        key = (hashlib.sha256(data).hexdigest(), ref.page)
        image = self._originals.get(key)
        if image is None:
            image = self._decode(ref, data)
            self._originals.put(key, image, size=image.width * image.height * 3)
        return image

    def thumbnail(self, ref: ImageRef, rule: SizeRule) -> Image.Image:
        """Return the whole picture at the size the rule says.

        A JPEG is decoded at a reduced scale that is still at least four times the size wanted, then resized: at
        twice the size, the aliasing of the reduced decoding lets relief details through (docs/decisions/003).
        """
        with self._open(ref, self.read_bytes(ref)) as file:
            size = rule.fit(*file.size(ref.page))
            return resized(file.decode(ref.page, least=(4 * size[0], 4 * size[1])), size)

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

    def _place(self, ref: ImageRef) -> Root:
        root = self._places.get(ref.root)
        if root is None:
            known = ", ".join(repr(name) for name in sorted(self.roots))
            raise PictureError(f"picture {ref}: unknown root {ref.root!r}; known roots: {known}")
        return root

    def _open(self, ref: ImageRef, data: bytes) -> PictureFile:
        return open_picture(ref, data, self.limits)

    def _decode(self, ref: ImageRef, data: bytes) -> Image.Image:
        with self._open(ref, data) as file:
            return file.decode(ref.page)

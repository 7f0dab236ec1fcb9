"""Opening pictures safely and making the bytes a model is sent: the one front to pictures for all other units.

Pictures are upright (EXIF orientation applied), RGB, transparent pixels on white. What is not an allowed format, is
too large, is cut short or is hostile is refused with a `PictureError` that names the file and the reason. `pictures`
says where bytes come from and what they show; nothing else decodes a picture.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from PIL import Image

from .errors import ConfigError, PictureError
from .geometry import Box, SizeRule
from .pictures.cache import BoundedCache, KeyedLocks
from .pictures.file import ExifBlock, ImageLimits, PictureFile
from .pictures.layer import PageLayer
from .pictures.opening import open_picture
from .pictures.reading import FileBytes, FileReader, Sighting
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
    "Pictures",
    "Thumbnails",
    "encode_picture",
    "recut",
    "resized",
    "thumbnail_of",
]

F = TypeVar("F", FileBytes, Sighting)

THUMBNAIL_QUALITY = 75
"""JPEG quality of whole pictures shown small; the catalogue's gate was measured with it."""

LOOK_QUALITY = 90
"""JPEG quality of what a look returns."""

_SIZES = 65_536
"""Most pages whose sizes are remembered, so that pinning a known file opens nothing."""


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


def thumbnail_of(file: PictureFile, page: int, rule: SizeRule) -> Image.Image:
    """Return a page of an opened file at the size the rule says; raises PictureError.

    A JPEG is decoded at a reduced scale that is still at least four times the size wanted, then resized: at twice the
    size, the aliasing of the reduced decoding lets relief details through (docs/decisions/003).
    """
    size = rule.fit(*file.size(page))
    return resized(file.decode(page, least=(4 * size[0], 4 * size[1])), size)


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


class Pictures(Protocol):
    """What the agent and the encoders need of pictures; `ImageStore` reads them from files. Threads may share it."""

    def pin(self, ref: ImageRef) -> ImageRef:
        """Return the reference with upright size and, where there is a file, its hash; raises PictureError."""
        ...

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        """Return the finished bytes of a whole picture at the rule's size; raises PictureError."""
        ...

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        """Return the part of the original inside `box`, at (width, height) in pixels; raises PictureError."""
        ...


class Thumbnails(Pictures, Protocol):
    """Pictures that are also had as pixels at a size, for encoders that read these."""

    def thumbnail(self, ref: ImageRef, rule: SizeRule) -> Image.Image:
        """Return the whole picture at the rule's size, upright, in RGB; raises PictureError."""
        ...


class ImageStore:
    """Reads pictures below named roots, within limits; a file is read and hashed once while it stays as it is.

    A picture that vanished or changed since it was pinned is refused, never served from memory: before anything held
    is used, the identity of its file is looked at. Threads may share a store.

    Args:
        roots: root name -> directory, or URL of a store (`pictures.roots`); the empty name is the default root.
        limits: caps of one file.
        cache_bytes: most bytes of decoded originals kept for crops (3 bytes a pixel); 0 keeps none.
        shown_bytes: most bytes of finished pictures kept; 0 keeps none.
        held_bytes: most bytes of files held, 50 camera pictures by default; 0 holds none. Apart from `cache_bytes`,
            because a decoded original takes ten times its file: a few crops would push out the files of a window.
    """

    def __init__(
        self,
        roots: Mapping[str, Path | str],
        *,
        limits: ImageLimits | None = None,
        cache_bytes: int = 256 * 2**20,
        shown_bytes: int = 64 * 2**20,
        held_bytes: int = 128 * 2**20,
    ) -> None:
        if not roots:
            raise ConfigError("an image store needs at least one root directory")
        self.roots = {name: place_of(root) for name, root in roots.items()}
        self._places = open_roots(self.roots)
        self.limits = limits or ImageLimits()
        self._reader = FileReader(max_bytes=self.limits.max_bytes, held_bytes=held_bytes)
        self._sizes: BoundedCache[tuple[int, int]] = BoundedCache(_SIZES)
        self._originals: BoundedCache[Image.Image] = BoundedCache(cache_bytes)
        self._shown: BoundedCache[Picture] = BoundedCache(shown_bytes)
        self._decoding = KeyedLocks()

    def locate(self, ref: ImageRef) -> Path:
        """Return the file of a reference; raises PictureError when its path leaves the root or the root is remote."""
        root = self._place(ref)
        if not isinstance(root, DirectoryRoot):
            raise PictureError(ref, "it lies in a remote store, not in a file")
        return root.locate(ref)

    def read_bytes(self, ref: ImageRef) -> bytes:
        """Return the file's bytes; raises PictureError when it is missing, too large or not the one it was."""
        return self._read(ref).data

    def survey(self, ref: ImageRef, *, sound: Container[str] = frozenset()) -> FileSurvey:
        """Return what a file holds, every page decoded once to know that it can be shown; PDF pages are opened only.

        Args:
            ref: the file; its page makes no difference.
            sound: hashes of files known to be sound; of these only headers are read (of a PNG, whose EXIF block may
                lie behind its pixels, everything).

        Raises:
            PictureError: the file cannot be opened at all.
        """
        read = self._read(ref)
        found: list[ImageRef] = []
        refused: list[tuple[int, str]] = []
        with self._open(ref, read) as file:
            pages, exif = file.pages(), file.exif()
            for page in pages:
                try:
                    width, height = file.size(page) if read.sha256 in sound else file.check(page)
                except PictureError as error:
                    refused.append((page, str(error)))
                else:
                    found.append(replace(ref, page=page).identified(sha256=read.sha256, width=width, height=height))
            form = file.form
        return FileSurvey(form=form, count=len(pages), pages=tuple(found), refused=tuple(refused), exif=exif)

    def pin(self, ref: ImageRef) -> ImageRef:
        """Return the reference with the hash of the file as it is now and its upright size, from the header only."""
        seen = self._look(ref)
        sha256, size = seen.sha256, self._sizes.get((seen.sha256, ref.page))
        if size is None:
            read = self._loaded(ref, seen)
            with self._open(ref, read) as file:
                sha256, size = read.sha256, file.size(ref.page)
            self._sizes.put((sha256, ref.page), size, size=1)
        return ref.identified(sha256=sha256, width=size[0], height=size[1])

    def identify(self, ref: ImageRef) -> ImageRef:
        """Return the reference as `pin` does, after decoding the whole picture to know that it is sound."""
        read = self._read(ref)
        image = self._decode(ref, read)
        return ref.identified(sha256=read.sha256, width=image.width, height=image.height)

    def original(self, ref: ImageRef) -> Image.Image:
        """Return the whole upright picture in RGB; cached by content, so the caller must not change it."""
        seen = self._look(ref)
        with self._decoding.hold((seen.sha256, ref.page)):
            image = self._originals.get((seen.sha256, ref.page))
            if image is None:
                read = self._loaded(ref, seen)
                image = self._decode(ref, read)
                self._originals.put((read.sha256, ref.page), image, size=image.width * image.height * 3)
        return image

    def thumbnail(self, ref: ImageRef, rule: SizeRule) -> Image.Image:
        """Return the whole picture at the size the rule says."""
        with self._open(ref, self._read(ref)) as file:
            return thumbnail_of(file, ref.page, rule)

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        """Return the finished bytes of `thumbnail`; cached by content."""
        seen = self._look(ref)
        picture = self._shown.get((seen.sha256, ref.page, rule, quality))
        if picture is None:
            read = self._loaded(ref, seen)
            with self._open(ref, read) as file:
                picture = encode_picture(thumbnail_of(file, ref.page, rule), quality=quality)
            self._shown.put((read.sha256, ref.page, rule, quality), picture, size=len(picture.data))
        return picture

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        """Return the part of the original inside `box`, at (width, height) in pixels."""
        return resized(self.original(ref).crop((box.left, box.top, box.right, box.bottom)), size)

    def layer(self, ref: ImageRef) -> PageLayer | None:
        """Return the text that a document holds of a page, as it is; None for a picture, which holds none."""
        with self._open(ref, self._read(ref)) as file:
            return file.layer(ref.page)

    def _place(self, ref: ImageRef) -> Root:
        root = self._places.get(ref.root)
        if root is None:
            known = ", ".join(repr(name) for name in sorted(self.roots))
            raise PictureError(ref, f"unknown root {ref.root!r}; known roots: {known}")
        return root

    def _look(self, ref: ImageRef) -> Sighting:
        """Return what the file is now, read only when it is not known."""
        return _unchanged(ref, self._reader.look(self._place(ref), ref))

    def _read(self, ref: ImageRef) -> FileBytes:
        return _unchanged(ref, self._reader.read(self._place(ref), ref))

    def _loaded(self, ref: ImageRef, seen: Sighting) -> FileBytes:
        """Return the bytes of a file that was looked at; by now it may be another, so the hash is theirs."""
        return self._read(ref) if seen.data is None else FileBytes(sha256=seen.sha256, data=seen.data)

    def _open(self, ref: ImageRef, read: FileBytes) -> PictureFile:
        return open_picture(ref, read, self.limits)

    def _decode(self, ref: ImageRef, read: FileBytes) -> Image.Image:
        with self._open(ref, read) as file:
            return file.decode(ref.page)


def _unchanged(ref: ImageRef, file: F) -> F:
    """Return a file that is the one a reference was pinned to; raises PictureError for any other."""
    if ref.sha256 is not None and file.sha256 != ref.sha256:
        raise PictureError(ref, "the file has changed since it was recorded; index it again")
    return file

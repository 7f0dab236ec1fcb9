"""The pictures of one page: each is embedded once, as the background of a CSS class, up to a number of bytes.

What the page shows has another size than what the agent was sent; that those bytes are the recorded ones is checked
in `recut` before a picture is resized here.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from ..agent.trajectory import PictureShown
from ..errors import PictureError
from ..images import THUMBNAIL_QUALITY, ImageStore, Picture, encode_picture, resized
from ..records import ImageRef
from .recut import cut_again

SMALL = 96
"""Longest side in pixels of pictures in a list."""
LARGE = 160
"""Longest side in pixels of the whole picture beside a look, and of the query's."""
LOOK = 320
"""Longest side in pixels of what a look showed."""
MAX_BYTES = 24 * 2**20
"""Most bytes of pictures in one page; later ones are named instead of shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The size rule of the page: aspect kept, longest side bounded, nothing enlarged."""

    side: int
    """Longest side in pixels."""
    cell: int = 1
    """The page has no visual tokens."""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) shown."""
        scale = min(self.side / max(width, height), 1.0)
        return max(round(width * scale), 1), max(round(height * scale), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture of the page, or why it is not there."""

    name: str | None = None
    """The CSS class that carries the picture."""
    problem: str | None = None
    """Text shown in its place."""


class PagePictures:
    """Makes the page's pictures and counts the looks that could be checked.

    Args:
        images: where originals are read.
        max_bytes: most bytes of encoded pictures embedded.
    """

    def __init__(self, images: ImageStore, *, max_bytes: int = MAX_BYTES) -> None:
        self.images = images
        self.max_bytes = max_bytes
        self.bytes = 0
        self.matching = 0
        self.missing = 0
        self._pinned: dict[tuple[str, str, int], ImageRef] = {}
        self._thumbnails: dict[tuple[ImageRef, int], Shown] = {}
        self._embedded: dict[str, tuple[str, Picture]] = {}

    def pin(self, refs: Iterable[ImageRef]) -> None:
        """Remember the hashes pictures had when the model was shown them: a file that changed since is not shown."""
        self._pinned.update({_place(ref): ref for ref in refs if ref.sha256 is not None})

    def thumbnail(self, ref: ImageRef, side: int) -> Shown:
        """Return the whole picture with a longest side of at most `side` pixels."""
        ref = self._pinned.get(_place(ref), ref)
        known = self._thumbnails.get((ref, side))
        if known is None:
            known = self._thumbnails[ref, side] = self._thumbnail(ref, side)
        return known

    def look(self, look: PictureShown) -> Shown:
        """Return what a look showed, cut again and checked; counts it as matching or missing."""
        again = cut_again(look, self.images)
        if again.image is None:
            self.missing += 1
            return Shown(problem=again.problem)
        self.matching += 1
        return self._embed(again.image, LOOK)

    def css(self) -> str:
        """Return the rules that carry the pictures, in the order they were first used."""
        return "".join(
            f".{name}{{background-image:url(data:{picture.media_type};base64,"
            f"{base64.b64encode(picture.data).decode('ascii')});--w:{picture.width};--h:{picture.height}}}\n"
            for name, picture in self._embedded.values()
        )

    def _thumbnail(self, ref: ImageRef, side: int) -> Shown:
        try:
            return self._embed(self.images.thumbnail(ref, Within(side=side)), side)
        except PictureError as error:
            return Shown(problem=f"Not shown: {error}.")

    def _embed(self, image: Image.Image, side: int) -> Shown:
        picture = encode_picture(resized(image, Within(side=side).fit(*image.size)), quality=THUMBNAIL_QUALITY)
        if picture.sha256 not in self._embedded:
            if self.bytes + len(picture.data) > self.max_bytes:
                return Shown(problem=f"Left out: this page holds {self.max_bytes // 2**20} MiB of pictures already.")
            self.bytes += len(picture.data)
            self._embedded[picture.sha256] = (f"p{len(self._embedded) + 1}", picture)
        return Shown(name=self._embedded[picture.sha256][0])


def _place(ref: ImageRef) -> tuple[str, str, int]:
    return ref.root, ref.path, ref.page

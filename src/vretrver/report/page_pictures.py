"""The pictures of an evidence report: whole pictures made small, and looks cut again.

What the page shows has another size than what the agent was sent; that those bytes are the recorded ones is checked
in `recut` before a picture is resized here.
"""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image

from ..agent.trajectory import PictureShown
from ..errors import PictureError
from ..geometry import Box
from ..images import THUMBNAIL_QUALITY, ImageStore, encode_picture, resized
from ..records import ImageRef
from .embedded import MAX_BYTES, EmbeddedPicture, EmbeddedPictures, Within
from .lines import around_line
from .recut import Recut, cut_again

SMALL = 144
"""Longest side in pixels of pictures in a list: sharp on screens of two pixels a point."""
LARGE = 320
"""Longest side in pixels of the whole picture beside a look, and of the query's."""
LOOK = 360
"""Longest side in pixels of what a look showed."""


class PagePictures:
    """Makes the page's pictures and counts the looks that could be checked.

    Args:
        images: where originals are read.
        max_bytes: most bytes of encoded pictures embedded.
    """

    def __init__(self, images: ImageStore, *, max_bytes: int = MAX_BYTES) -> None:
        self.images = images
        self.embedded = EmbeddedPictures(max_bytes)
        self.matching = 0
        self.missing = 0
        self._pinned: dict[tuple[str, str, int], ImageRef] = {}
        self._thumbnails: dict[tuple[ImageRef, int], EmbeddedPicture] = {}
        self._cuts: dict[PictureShown, Recut] = {}

    def pin(self, refs: Iterable[ImageRef]) -> None:
        """Remember the hashes pictures had when the model was shown them: a file that changed since is not shown."""
        self._pinned.update({_place(ref): ref for ref in refs if ref.sha256 is not None})

    def thumbnail(self, ref: ImageRef, side: int) -> EmbeddedPicture:
        """Return the whole picture with a longest side of at most `side` pixels."""
        ref = self._pinned.get(_place(ref), ref)
        known = self._thumbnails.get((ref, side))
        if known is None:
            known = self._thumbnails[ref, side] = self._thumbnail(ref, side)
        return known

    def look(self, look: PictureShown) -> EmbeddedPicture:
        """Return what a look showed, cut again and checked; counts it as matching or missing."""
        shown = self.close_up(look)
        matches = self._cut(look).image is not None
        self.matching += matches
        self.missing += not matches
        return shown

    def close_up(self, look: PictureShown) -> EmbeddedPicture:
        """Return the same as `look` where the page shows a look once more, without counting it again."""
        again = self._cut(look)
        return EmbeddedPicture(problem=again.problem) if again.image is None else self._embed(again.image, LOOK)

    def around(self, ref: ImageRef, box: Box) -> tuple[EmbeddedPicture, Box] | None:
        """Return the region around a line; see `around_line`."""
        return around_line(self.images, self.embedded, self._pinned.get(_place(ref), ref), box)

    def css(self) -> str:
        """Return the rules that carry the pictures."""
        return self.embedded.css()

    def _cut(self, look: PictureShown) -> Recut:
        if look not in self._cuts:
            self._cuts[look] = cut_again(look, self.images)
        return self._cuts[look]

    def _thumbnail(self, ref: ImageRef, side: int) -> EmbeddedPicture:
        try:
            return self._embed(self.images.thumbnail(ref, Within(side=side)), side)
        except PictureError as error:
            return EmbeddedPicture(problem=f"Not shown: {error}.")

    def _embed(self, image: Image.Image, side: int) -> EmbeddedPicture:
        small = resized(image, Within(side=side).fit(*image.size))
        return self.embedded.add(encode_picture(small, quality=THUMBNAIL_QUALITY))


def _place(ref: ImageRef) -> tuple[str, str, int]:
    return ref.root, ref.path, ref.page

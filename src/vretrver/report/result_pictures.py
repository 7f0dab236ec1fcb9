"""The pictures of a page of results: thumbnails of bounded size, and the region round a line that matched."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ..errors import PictureError
from ..geometry import Box
from ..images import THUMBNAIL_QUALITY, Picture, Pictures
from ..records import ImageRef
from .alike import Impression, impression
from .embedded import EmbeddedPicture, EmbeddedPictures, Within
from .lines import around_line

THUMBNAIL = 400
"""Longest side in pixels of a hit's picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """A whole picture of the page."""

    shown: EmbeddedPicture
    """The picture, or why it is missing."""
    ref: ImageRef
    """The same reference, with its upright size where the file can be read."""
    impression: Impression | None
    """What it looks like from afar; None when it is missing."""

    @property
    def tall(self) -> bool:
        """Whether it is higher than wide."""
        return (self.ref.height or 0) > (self.ref.width or 0)


class ResultPictures:
    """Makes the pictures of a page of results; a picture that cannot be read is replaced by the reason.

    Args:
        images: where originals are read.
        embedded: keeps the page's pictures.
    """

    def __init__(self, images: Pictures, embedded: EmbeddedPictures) -> None:
        self.images = images
        self.embedded = embedded
        self._seen: dict[ImageRef, PagePicture] = {}

    def whole(self, ref: ImageRef) -> PagePicture:
        """Return a whole picture as a thumbnail."""
        if ref not in self._seen:
            self._seen[ref] = self._whole(ref)
        return self._seen[ref]

    def around(self, ref: ImageRef, box: Box) -> tuple[EmbeddedPicture, Box] | None:
        """Return the region around a line; see `around_line`."""
        return around_line(self.images, self.embedded, ref, box)

    def _whole(self, ref: ImageRef) -> PagePicture:
        try:
            pinned = self.images.pin(ref)
            picture = self.images.whole(pinned, Within(side=THUMBNAIL), quality=THUMBNAIL_QUALITY)
        except PictureError as error:
            return PagePicture(shown=EmbeddedPicture(problem=f"Not shown: {error}."), ref=ref, impression=None)
        return PagePicture(shown=self.embedded.add(picture), ref=pinned, impression=_impression(picture))


def _impression(picture: Picture) -> Impression | None:
    with suppress(OSError):
        return impression(picture.data)
    return None

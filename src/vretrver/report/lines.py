"""The region round a line of a picture, cut from the original so that it can be read."""

from __future__ import annotations

from ..errors import PictureError
from ..geometry import Box
from ..images import THUMBNAIL_QUALITY, Pictures, encode_picture
from ..records import ImageRef
from .embedded import EmbeddedPicture, EmbeddedPictures, Within

CUT = Within(side=640)
"""Size of the region."""


def around_line(
    images: Pictures, embedded: EmbeddedPictures, ref: ImageRef, box: Box
) -> tuple[EmbeddedPicture, Box] | None:
    """Return the region around a line with the box of that region; None where the line is not on the picture.

    Args:
        images: where originals are read.
        embedded: keeps the page's pictures.
        ref: a picture of known size.
        box: the line, in pixels of the upright original.
    """
    size = ref.width or 0, ref.height or 0
    if box.left < 0 or box.top < 0 or box.right > size[0] or box.bottom > size[1]:
        return None
    margin = 2 * box.height
    region = box.grown(max(box.width + 2 * margin, 8 * box.height), 4 * box.height, within=size)
    try:
        cut = images.crop(ref, region, CUT.fit(region.width, region.height))
    except PictureError as error:
        return EmbeddedPicture(problem=f"Not shown: {error}."), region
    return embedded.add(encode_picture(cut, quality=THUMBNAIL_QUALITY)), region

"""Cutting the picture of a look again from the original, and checking it against the record.

The path is the one the bench takes, so the bytes are the ones the model was sent, or it is said why not. A record is
data from a file: what it asks for is checked before anything is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from ..agent.composing import composed, inner_sizes
from ..agent.observations import Layout
from ..agent.trajectory import CutRecord, PictureShown
from ..errors import PictureError
from ..geometry import Box
from ..images import LOOK_QUALITY, ImageStore, encode_picture
from ..records import ImageRef

MAX_PIXELS = 16_000_000
"""Most pixels of one look; a record that asks for more is not followed."""


MOST_CUTS = 16
"""Most cuts of one look; a record that has more is not followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exactly:
    """The size rule that shows a picture at the size that was recorded."""

    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    cell: int = 1
    """Not used: a recorded size is a multiple of its cell already."""

    def fit(self, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002 - the recorded size is used
        """Return the recorded (width, height)."""
        return self.width, self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Recut:
    """A look's picture made again, or why that is not possible."""

    image: Image.Image | None = None
    """The picture before encoding; None when it is not the one the model was shown."""
    problem: str | None = None
    """Why there is no picture."""


def cut_again(look: PictureShown, images: ImageStore) -> Recut:
    """Make a look's picture again and compare its bytes with the recorded hash; never raises for a bad record."""
    recorded = look.sha256
    if recorded is None:
        return Recut(problem="The record gives this look no hash to check it by.")
    problem = _implausible(look)
    if problem is not None:
        return Recut(problem=problem)
    try:
        image = _shown(look, images)
    except PictureError as error:
        return Recut(problem=f"This look cannot be shown again: {error}.")
    found = encode_picture(image, quality=LOOK_QUALITY).sha256
    if found != recorded:
        again = "Cut" if look.layout is Layout.ALONE else "Put together"
        return Recut(
            problem=f"{again} again, this look has other bytes than the agent was shown (sha256 {found[:12]} instead "
            f"of {recorded[:12]}): the record was changed, or another version of the JPEG library is in use."
        )
    return Recut(image=image)


def lies_on(box: tuple[int, int, int, int], ref: ImageRef) -> bool:
    """Say whether [left, top, right, bottom] is a region of a picture; False for a picture of unknown size."""
    left, top, right, bottom = box
    return 0 <= left < right <= (ref.width or 0) and 0 <= top < bottom <= (ref.height or 0)


def _shown(look: PictureShown, images: ImageStore) -> Image.Image:
    size = look.width, look.height
    if look.layout is not Layout.ALONE:
        return _together(look, size, images)
    (cut,) = look.cuts
    if cut.box is None:
        return images.thumbnail(cut.image, Exactly(width=size[0], height=size[1]))
    return images.crop(cut.image, _box(cut), size)


def _together(look: PictureShown, size: tuple[int, int], images: ImageStore) -> Image.Image:
    """Return the picture of several cuts, as `agent.compare_tool` puts them together."""
    boxes = [_box(cut) for cut in look.cuts]
    inner = inner_sizes([(box.width, box.height) for box in boxes], size, look.layout)
    parts = zip(look.cuts, boxes, inner, strict=True)
    return composed([images.crop(cut.image, box, part) for cut, box, part in parts], size, look.layout)


def _box(cut: CutRecord) -> Box:
    left, top, right, bottom = cut.box or (0, 0, cut.image.width or 1, cut.image.height or 1)
    return Box(left=left, top=top, right=right, bottom=bottom)


def _implausible(look: PictureShown) -> str | None:
    """Say what is wrong with the numbers of a record, or None."""
    width, height = look.width, look.height
    if (look.layout is Layout.ALONE) != (len(look.cuts) == 1) or len(look.cuts) > MOST_CUTS:
        return f"The record gives this look {len(look.cuts)} cuts as {look.layout}, which no look has."
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        return f"The record gives this look the size {width} x {height}, which no look has."
    for cut in look.cuts:
        if cut.box is not None and not lies_on(cut.box, cut.image):
            return f"The record gives this look the region {list(cut.box)}, which is not on its picture."
    return None

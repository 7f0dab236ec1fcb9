"""Cutting the picture of a look again from the original and checking it against the record.

The path is the one the bench takes, so the bytes are the ones the model was sent, or it is said why not. A record is
data from a file: what it asks for is checked before anything is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from ..agent.trajectory import ObservationRecord
from ..errors import PictureError
from ..geometry import Box
from ..images import LOOK_QUALITY, ImageStore, encode_picture
from ..records import ImageRef

MAX_PIXELS = 16_000_000
"""Most pixels of one look; a record that asks for more is not followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exactly:
    """The size rule that shows a picture at the size that was recorded."""

    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    cell: int = 1
    """Not used: a recorded size is a multiple of its cell already."""

    def fit(self, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002 - the size of the original is no matter
        """Return the recorded (width, height)."""
        return self.width, self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Recut:
    """A look's picture made again, or why that is not possible."""

    image: Image.Image | None = None
    """The picture before encoding; None when it is not the one the model was shown."""
    problem: str | None = None
    """Why there is no picture."""


def recut(observation: ObservationRecord, images: ImageStore) -> Recut:
    """Make a look's picture again and compare its bytes with the recorded hash; never raises for a bad record."""
    problem = _implausible(observation)
    if problem is not None:
        return Recut(problem=problem)
    try:
        image = _shown(observation, images)
    except PictureError as error:
        return Recut(problem=f"This look cannot be shown again: {error}.")
    found = encode_picture(image, quality=LOOK_QUALITY).sha256
    if found != observation.sha256:
        return Recut(
            problem=f"Cut again, this look has other bytes than the agent was shown (sha256 {found[:12]} instead of "
            f"{observation.sha256[:12]}): the record was changed, or another version of the JPEG library is in use."
        )
    return Recut(image=image)


def lies_on(box: Sequence[int], ref: ImageRef) -> bool:
    """Say whether [left, top, right, bottom] is a region of a picture; no region lies on one of unknown size."""
    if len(box) != 4:
        return False
    left, top, right, bottom = box
    return 0 <= left < right <= (ref.width or 0) and 0 <= top < bottom <= (ref.height or 0)


def _shown(observation: ObservationRecord, images: ImageStore) -> Image.Image:
    size = observation.width, observation.height
    if observation.box is None:
        return images.thumbnail(observation.image, Exactly(width=size[0], height=size[1]))
    left, top, right, bottom = observation.box
    return images.crop(observation.image, Box(left=left, top=top, right=right, bottom=bottom), size)


def _implausible(observation: ObservationRecord) -> str | None:
    """Say what is wrong with the numbers of a record, or None."""
    width, height, box, ref = observation.width, observation.height, observation.box, observation.image
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        return f"The record gives this look the size {width} x {height}, which no look has."
    if box is not None and not lies_on(box, ref):
        return f"The record gives this look the region {box}, which does not lie on its picture."
    return None

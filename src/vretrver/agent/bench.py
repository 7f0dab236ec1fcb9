"""The bench a session's tools work on: it knows which picture an address means and cuts what is asked for.

Pictures are pinned when they are first shown: a file that vanishes or changes during the session gives a refusal with
its reason, never another picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import PictureError
from ..geometry import Box, PixelBudget, SizeRule, visual_tokens
from ..images import LOOK_QUALITY, THUMBNAIL_QUALITY, ImageStore, encode_picture
from ..records import Address, ImageRef
from .messages import ShownPicture
from .task import WindowTask


class Refused(Exception):
    """A call is not carried out: a verdict, no failure of the program. The text is the reason, told to the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """At what size pictures are shown, per role, and how much of a text."""

    query: SizeRule = PixelBudget(tokens=256)
    """Pictures of the query."""
    candidate: SizeRule = PixelBudget(tokens=64)
    """Pictures of candidates in the prompt."""
    select: SizeRule = PixelBudget(tokens=256)
    """Whole pictures a look returns."""
    zoom: SizeRule = PixelBudget(tokens=256)
    """Regions a look returns."""
    text_chars: int = 1200
    """Most characters shown of one text; longer ones end in ` ...`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a box that was asked for lies on the picture."""

    box: Box
    """What is shown, in pixels of the upright original."""
    padding: tuple[int, int] = (0, 0)
    """Pixels added to the left and the top of what was asked for, before clipping."""


class BoxRule(Protocol):
    """How a dialect's box becomes pixels."""

    def place(self, asked: Sequence[float], width: int, height: int) -> Placed:
        """Return the region of a width x height picture; raises Refused with the reason."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a call showed of one picture."""

    address: Address
    """The picture."""
    shown: ShownPicture
    """The bytes and their cost."""
    asked: tuple[float, ...] | None = None
    """The box as the model wrote it; None for a whole picture."""
    placed: Placed | None = None
    """The region shown; None for a whole picture."""
    image: ImageRef
    """The original, pinned."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) of the upright original."""
        return self.image.width or 1, self.image.height or 1


class Bench:
    """A session's pictures.

    Args:
        task: the window.
        images: where pictures are read.
        views: sizes.
        boxes: the dialect's reading of boxes.
    """

    def __init__(self, task: WindowTask, images: ImageStore, *, views: Views, boxes: BoxRule) -> None:
        self.task = task
        self.images = images
        self.views = views
        self.boxes = boxes
        self._pinned: dict[Address, ImageRef] = {}

    def pictures_of(self, item: int) -> tuple[ImageRef, ...]:
        """Return the pictures of item 0 (the query) or 1..K; raises Refused for another number."""
        if item == 0:
            return self.task.query.pictures
        if not 1 <= item <= len(self.task.candidates):
            raise Refused(f"there is no candidate {item}; candidates are 1 to {len(self.task.candidates)}")
        return self.task.candidates[item - 1].pictures

    def did_of(self, address: Address) -> str | None:
        """Return the candidate's id, None for the query."""
        return None if address.item == 0 else self.task.candidates[address.item - 1].did

    def pinned(self, address: Address) -> ImageRef:
        """Return the picture as it was when first shown; raises Refused with the reason."""
        if address not in self._pinned:
            pictures = self.pictures_of(address.item)
            owner = "the query" if address.item == 0 else f"candidate {address.item}"
            if not pictures:
                raise Refused(f"{owner} has no picture")
            if address.picture > len(pictures):
                raise Refused(
                    f"{owner} has {len(pictures)} picture{'s' * (len(pictures) > 1)}, not {address.picture}"
                )
            ref = pictures[address.picture - 1]
            try:
                self._pinned[address] = self.images.pin(ref)
            except PictureError as error:
                raise Refused(_without_path(error, ref)) from error
        return self._pinned[address]

    def whole(self, address: Address, rule: SizeRule, *, quality: int = LOOK_QUALITY) -> Look:
        """Return the whole picture at the rule's size; raises Refused."""
        ref = self.pinned(address)
        try:
            picture = self.images.whole(ref, rule, quality=quality)
        except PictureError as error:
            raise Refused(_without_path(error, ref)) from error
        tokens = visual_tokens((picture.width, picture.height), rule.cell)
        return Look(address=address, image=ref, shown=ShownPicture(address=address, picture=picture, tokens=tokens))

    def thumbnail(self, address: Address) -> Look:
        """Return the picture as it stands in the prompt; raises Refused."""
        rule = self.views.query if address.item == 0 else self.views.candidate
        return self.whole(address, rule, quality=THUMBNAIL_QUALITY)

    def place(self, address: Address, asked: Sequence[float]) -> tuple[Placed, tuple[int, int]]:
        """Return the region a box means and the size it is shown at; raises Refused."""
        ref = self.pinned(address)
        placed = self.boxes.place(asked, ref.width or 1, ref.height or 1)
        return placed, self.views.zoom.fit(placed.box.width, placed.box.height)

    def region(self, address: Address, asked: Sequence[float]) -> Look:
        """Return a region cut from the original; raises Refused."""
        ref = self.pinned(address)
        placed, size = self.place(address, asked)
        try:
            image = self.images.crop(ref, placed.box, size)
        except PictureError as error:
            raise Refused(_without_path(error, ref)) from error
        tokens = visual_tokens(size, self.views.zoom.cell)
        picture = encode_picture(image, quality=LOOK_QUALITY)
        shown = ShownPicture(address=address, picture=picture, tokens=tokens)
        return Look(address=address, image=ref, shown=shown, asked=tuple(asked), placed=placed)


def _without_path(error: PictureError, ref: ImageRef) -> str:
    """Return the reason alone: a model need not learn where files lie. Messages begin `picture root:path#page: `."""
    reason = str(error).partition(ref.path)[2].partition(": ")[2]
    return f"the picture is not available ({reason if reason and ref.path not in reason else 'it cannot be read'})"

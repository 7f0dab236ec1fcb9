"""The bench a session's tools work on: it knows which picture an address means and cuts what is asked for.

Pictures are pinned when they are first shown: a file that vanishes or changes during the session gives a refusal with
its reason, never another picture. Rollouts of one window share a bench, and so the pins; several threads may use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from ..errors import PictureError
from ..geometry import Box, PixelBudget, SizeRule, visual_tokens
from ..images import LOOK_QUALITY, THUMBNAIL_QUALITY, Picture, Pictures, encode_picture, recut
from ..records import Address, ImageRef
from .details import DetailCode, detail
from .messages import ShownPicture
from .observations import Cut, Seen
from .refusals import MAX_CHARS, RefusalCode, Refused, refusal
from .task import WindowTask
from .texts import TextProvider


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


class Bench:
    """A session's pictures.

    Args:
        task: the window.
        images: where pictures are read.
        views: sizes.
        boxes: the dialect's reading of boxes.
        texts: what reads the text of pictures; None where nothing does.
    """

    def __init__(
        self, task: WindowTask, images: Pictures, *, views: Views, boxes: BoxRule, texts: TextProvider | None = None
    ) -> None:
        self.task = task
        self.images = images
        self.views = views
        self.boxes = boxes
        self.texts = texts
        self._pinned: dict[Address, ImageRef] = {}

    def pictures_of(self, item: int) -> tuple[ImageRef, ...]:
        """Return the pictures of item 0 (the query) or 1..K; raises Refused for another number."""
        if item == 0:
            return self.task.query.pictures
        if not 1 <= item <= len(self.task.candidates):
            raise Refused(refusal(RefusalCode.NO_CANDIDATE, item=item, count=len(self.task.candidates)))
        return self.task.candidates[item - 1].pictures

    def did_of(self, address: Address) -> str | None:
        """Return the candidate's id, None for the query."""
        return None if address.item == 0 else self.task.candidates[address.item - 1].did

    def pinned(self, address: Address) -> ImageRef:
        """Return the picture as it was when first shown; raises Refused with the reason."""
        if address not in self._pinned:
            ref = self._reference(address)
            try:
                self._pinned.setdefault(address, self.images.pin(ref))  # of two threads the first one's counts
            except PictureError as error:
                raise unavailable(error) from error
        return self._pinned[address]

    def pin_all(self) -> list[ImageRef | None]:
        """Pin the pictures of query and candidates and return them in order; None for one that cannot be read."""
        counts = [len(self.task.query.pictures), *(len(one.pictures) for one in self.task.candidates)]
        addresses = [Address(item=item, picture=n) for item, count in enumerate(counts) for n in range(1, count + 1)]
        return [self._pinned_or_none(address) for address in addresses]

    def _pinned_or_none(self, address: Address) -> ImageRef | None:
        try:
            return self.pinned(address)
        except Refused:
            return None

    def _reference(self, address: Address) -> ImageRef:
        pictures = self.pictures_of(address.item)
        item = address.item
        owner = detail(DetailCode.THE_CANDIDATE, item=item) if item else detail(DetailCode.THE_QUERY)
        if not pictures:
            raise Refused(refusal(RefusalCode.NO_PICTURE, owner=owner))
        if address.picture > len(pictures):
            count, asked = len(pictures), address.picture
            raise Refused(refusal(RefusalCode.FEWER_PICTURES, owner=owner, count=count, asked=asked))
        return pictures[address.picture - 1]

    def whole(self, address: Address, rule: SizeRule, *, quality: int = LOOK_QUALITY) -> Seen:
        """Return the whole picture at the rule's size; raises Refused."""
        ref = self.pinned(address)
        try:
            picture = self.images.whole(ref, rule, quality=quality)
        except PictureError as error:
            raise unavailable(error) from error
        tokens = visual_tokens((picture.width, picture.height), rule.cell)
        return _seen(Cut(address=address, image=ref), picture, tokens)

    def thumbnail(self, address: Address) -> Seen:
        """Return the picture as it is in the prompt; raises Refused."""
        rule = self.views.query if address.item == 0 else self.views.candidate
        return self.whole(address, rule, quality=THUMBNAIL_QUALITY)

    def place(self, address: Address, asked: Sequence[float]) -> tuple[Placed, tuple[int, int]]:
        """Return the region a box means and the size it is shown at; raises Refused."""
        ref = self.pinned(address)
        placed = self.boxes.place(asked, ref.width or 1, ref.height or 1)
        return placed, self.views.zoom.fit(placed.box.width, placed.box.height)

    def region(self, address: Address, asked: Sequence[float]) -> Seen:
        """Return a region cut from the original; raises Refused."""
        placed, size = self.place(address, asked)
        return self.cut(address, asked, placed, size)

    def cut(self, address: Address, asked: Sequence[float], placed: Placed, size: tuple[int, int]) -> Seen:
        """Return a region that was placed already, cut from the original at (width, height); raises Refused."""
        ref = self.pinned(address)
        try:
            image = self.images.crop(ref, placed.box, size)
        except PictureError as error:
            raise unavailable(error) from error
        cut = Cut(address=address, image=ref, asked=tuple(asked), box=placed.box, padding=placed.padding)
        return _seen(cut, encode_picture(image, quality=LOOK_QUALITY), visual_tokens(size, self.views.zoom.cell))

    def blinded_region(self, address: Address, asked: Sequence[float]) -> Seen:
        """Return a region as the thumbnail has it, enlarged to the size the look would have; raises Refused.

        The model has read those pixels before: address, region, size and cost are the look's, and nothing is new.
        """
        placed, size = self.place(address, asked)
        ref = self.pinned(address)
        cut = Cut(address=address, image=ref, asked=tuple(asked), box=placed.box, padding=placed.padding)
        return _seen(cut, self._enlarged(address, placed.box, size), visual_tokens(size, self.views.zoom.cell))

    def blinded_whole(self, address: Address, rule: SizeRule) -> Seen:
        """Return a whole picture as the thumbnail has it, enlarged to the rule's size; raises Refused."""
        ref = self.pinned(address)
        width, height = ref.width or 1, ref.height or 1
        size = rule.fit(width, height)
        picture = self._enlarged(address, Box(left=0, top=0, right=width, bottom=height), size)
        return _seen(Cut(address=address, image=ref), picture, visual_tokens(size, rule.cell))

    def pixels(self, cut: Cut, size: tuple[int, int], *, blind: bool = False) -> Image.Image:
        """Return what a cut shows at (width, height) in pixels; raises Refused.

        Args:
            cut: the picture or region.
            size: how large it is wanted.
            blind: whether it is cut from the thumbnail in place of the original.
        """
        width, height = cut.image_size
        box = cut.box or Box(left=0, top=0, right=width, bottom=height)
        if blind:
            return self._from_thumbnail(cut.address, box, size)
        try:
            return self.images.crop(cut.image, box, size)
        except PictureError as error:
            raise unavailable(error) from error

    def _enlarged(self, address: Address, box: Box, size: tuple[int, int]) -> Picture:
        return encode_picture(self._from_thumbnail(address, box, size), quality=LOOK_QUALITY)

    def _from_thumbnail(self, address: Address, box: Box, size: tuple[int, int]) -> Image.Image:
        """Return a region of the original as the thumbnail shows it, at (width, height)."""
        ref, thumbnail = self.pinned(address), self.thumbnail(address).shown.picture
        small = box.scaled((ref.width or 1, ref.height or 1), (thumbnail.width, thumbnail.height))
        return recut(thumbnail, small, size)


def _seen(cut: Cut, picture: Picture, tokens: int) -> Seen:
    shown = ShownPicture(address=cut.address, picture=picture, tokens=tokens)
    return Seen(cuts=(cut,), shown=shown)


def unavailable(error: PictureError) -> Refused:
    """Return the refusal of a picture that cannot be read, with the reason alone: a model learns no paths."""
    path, reason = getattr(error.ref, "path", ""), error.reason
    if not reason or path in reason:
        return Refused(refusal(RefusalCode.UNAVAILABLE, reason=detail(DetailCode.NOT_READ)))
    said = detail(DetailCode.READ_REASON, reason=reason, most=MAX_CHARS)
    return Refused(refusal(RefusalCode.UNAVAILABLE, reason=said))

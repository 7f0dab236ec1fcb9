"""`compare`: up to four pictures, or regions of them, side by side in one. Off unless it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..geometry import visual_tokens
from ..images import LOOK_QUALITY, encode_picture
from .bench import Bench
from .composing import Size, composed, composed_size, inner_sizes
from .messages import ShownPicture
from .observations import Cut, Layout, Observation, Seen
from .refusals import RefusalCode, Refused, refusal
from .tools import Target

_Box = Annotated[list[int], Field(min_length=4, max_length=4)]


class CompareArguments(BaseModel):
    """Arguments of `compare`; boxes are in thousandths of their picture's width and height."""

    model_config = ConfigDict(extra="forbid", strict=True)
    target_images: list[Target] = Field(min_length=2, max_length=4)
    bboxes_2d: list[_Box] | None = Field(default=None, min_length=1, max_length=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Shows two to four cuts in one picture."""

    name: str = "compare"
    """The name in calls."""
    aliases: tuple[str, ...] = ()
    """Other accepted names."""
    description: str = (
        "Look at 2 to 4 pictures side by side; bboxes_2d is one region for all of them or one for each, "
        "[x1, y1, x2, y2] in 0 to 1000; left out, whole pictures are shown."
    )
    """What the prompt says of it."""
    arguments: type[BaseModel] = CompareArguments
    """The schema of a call."""
    blind: bool = False
    """Whether it cuts the enlarged thumbnails in place of the originals."""

    def cost(self, arguments: CompareArguments, bench: Bench) -> int:
        """Return the visual tokens of the picture."""
        size, _ = composed_size(_sizes(self._cuts(arguments, bench)), bench.views.zoom)
        return visual_tokens(size, bench.views.zoom.cell)

    def run(self, arguments: CompareArguments, bench: Bench) -> Sequence[Observation]:
        """Return one picture with the cuts in the order asked, from left to right or from top to bottom."""
        cuts = self._cuts(arguments, bench)
        size, layout = composed_size(_sizes(cuts), bench.views.zoom)
        return [_side_by_side(cuts, size, layout, bench, blind=self.blind)]

    def blinded(self) -> Compare:
        """Return the tool that cuts the enlarged thumbnails."""
        return replace(self, blind=True)

    def _cuts(self, arguments: CompareArguments, bench: Bench) -> list[Cut]:
        targets, boxes = arguments.target_images, arguments.bboxes_2d
        if boxes is None:
            return [Cut(address=address, image=bench.pinned(address)) for address in targets]
        if len(boxes) == 1:
            boxes = boxes * len(targets)
        if len(boxes) != len(targets):
            raise Refused(refusal(RefusalCode.BOXES_MISMATCH, pictures=len(targets), boxes=len(boxes)))
        cuts = []
        for address, asked in zip(targets, boxes, strict=True):
            placed, _ = bench.place(address, asked)
            ref = bench.pinned(address)
            cuts.append(Cut(address=address, image=ref, asked=tuple(asked), box=placed.box, padding=placed.padding))
        return cuts


def _side_by_side(cuts: Sequence[Cut], size: Size, layout: Layout, bench: Bench, *, blind: bool) -> Seen:
    inner = inner_sizes(_sizes(cuts), size, layout)
    parts = [bench.pixels(cut, part, blind=blind) for cut, part in zip(cuts, inner, strict=True)]
    picture = encode_picture(composed(parts, size, layout), quality=LOOK_QUALITY)
    tokens = visual_tokens(size, bench.views.zoom.cell)
    shown = ShownPicture(address=cuts[0].address, picture=picture, tokens=tokens)
    return Seen(cuts=tuple(cuts), shown=shown, layout=layout)


def _sizes(cuts: Sequence[Cut]) -> list[Size]:
    return [cut.image_size if cut.box is None else (cut.box.width, cut.box.height) for cut in cuts]

"""`read_text`: the lines of text on a picture or a region of one, with boxes. Off unless it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field

from ..errors import PictureError
from .bench import Bench, unavailable
from .observations import Cut, Observation, Read
from .refusals import RefusalCode, Refused, refusal
from .texts import MORE_LINES, told_lines
from .tools import Target


class ReadArguments(BaseModel):
    """Arguments of `read_text`; the box is in thousandths of the picture's width and height."""

    model_config = ConfigDict(extra="forbid", strict=True)
    target_image: Target
    bbox_2d: list[int] | None = Field(default=None, min_length=4, max_length=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadText:
    """Tells the text of one picture, line by line."""

    name: str = "read_text"
    """The name in calls."""
    aliases: tuple[str, ...] = ()
    """Other accepted names."""
    description: str = (
        "Read the text of one picture, or of a region bbox_2d [x1, y1, x2, y2], 0 to 1000, which is enlarged for it. "
        "Each line comes as [x1, y1, x2, y2] text; a percentage in the brackets says how sure an unsure line is."
    )
    """What the prompt says of it."""
    arguments: type[BaseModel] = ReadArguments
    """The schema of a call."""
    most_lines: int = 120
    """Most lines of one call."""
    most_chars: int = 6000
    """Most characters of one call."""
    more: str = MORE_LINES
    """What is told in place of the lines that are left out."""
    blind: bool = False
    """Whether it tells nothing."""

    def cost(self, arguments: ReadArguments, bench: Bench) -> int:
        """Return 0, for a text has no visual tokens; raises Refused for a picture or a box that is none."""
        self._cut(arguments, bench)
        return 0

    def run(self, arguments: ReadArguments, bench: Bench) -> Sequence[Observation]:
        """Return the lines; raises Refused where nothing here reads text, or the picture cannot be read."""
        cut = self._cut(arguments, bench)
        if self.blind:
            return [Read(cuts=(cut,), text="", made_by="blinded")]
        if bench.texts is None:
            raise Refused(refusal(RefusalCode.NO_READER))
        try:
            found = bench.texts.read(cut.image, cut.box)
        except PictureError as error:
            raise unavailable(error) from error
        told = told_lines(
            found.lines, cut.image_size, most_lines=self.most_lines, most_chars=self.most_chars, more=self.more
        )
        return [Read(cuts=(cut,), text=told, made_by=found.made_by)]

    def blinded(self) -> ReadText:
        """Return the tool that takes the same calls and tells nothing."""
        return replace(self, blind=True)

    def _cut(self, arguments: ReadArguments, bench: Bench) -> Cut:
        address, asked = arguments.target_image, arguments.bbox_2d
        if asked is None:
            return Cut(address=address, image=bench.pinned(address))
        placed, _ = bench.place(address, asked)
        return Cut(
            address=address,
            image=bench.pinned(address),
            asked=tuple(asked),
            box=placed.box,
            padding=placed.padding,
        )

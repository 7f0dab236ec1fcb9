"""What a call brings back: one or several cuts of pictures, shown as one picture or told as a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .._text import storable
from ..geometry import Box
from ..records import Address, ImageRef
from .messages import ShownPicture


class Layout(StrEnum):
    """How the cuts of one shown picture are put together."""

    ALONE = "alone"
    """One cut, and nothing else."""
    ROW = "row"
    """Side by side, from left to right."""
    COLUMN = "column"
    """One below the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A picture, or a region of one."""

    address: Address
    """The picture."""
    image: ImageRef
    """The original, pinned."""
    asked: tuple[float, ...] | None = None
    """The box as the model wrote it; None for a whole picture."""
    box: Box | None = None
    """The region shown, in pixels of the upright original; None for a whole picture."""
    padding: tuple[int, int] = (0, 0)
    """Pixels added to the left and the top of what was asked for, before clipping."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) of the upright original in pixels."""
        return self.image.width or 1, self.image.height or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A picture that a call brought back."""

    cuts: tuple[Cut, ...]
    """What it shows, at least one, in the order of `layout`."""
    shown: ShownPicture
    """Its bytes and their cost; its address is the first cut's."""
    layout: Layout = Layout.ALONE
    """How the cuts are put together."""

    @property
    def tokens(self) -> int:
        """Visual tokens."""
        return self.shown.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A text that a call brought back."""

    cuts: tuple[Cut, ...]
    """Where the text was read; at least one."""
    text: str
    """The text; data, like a candidate's."""
    made_by: str
    """What read it, with its version."""

    def __post_init__(self) -> None:
        """Replace what has no UTF-8 form: the text is sent to policies and stored."""
        object.__setattr__(self, "text", storable(self.text))
        object.__setattr__(self, "made_by", storable(self.made_by))

    @property
    def tokens(self) -> int:
        """Visual tokens: a text has none."""
        return 0


Observation = Seen | Read

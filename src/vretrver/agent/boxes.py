"""The two readings of a box: thousandths of the picture, and the released code's pixels with hidden padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..geometry import Box
from .bench import Placed
from .refusals import RefusalCode, Refused, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class PermilleBoxes:
    """Integers 0-1000 of the upright original; nothing is padded, small boxes grow to a useful size."""

    least_side: int = 128
    """A smaller region grows to this many pixels a side around its centre; the observation says what is shown."""

    def place(self, asked: Sequence[float], width: int, height: int) -> Placed:
        """Return the region; raises Refused for values outside 0..1000 and for empty or inverted boxes."""
        x1, y1, x2, y2 = asked
        if not all(0 <= value <= 1000 for value in asked):
            raise Refused(refusal(RefusalCode.BOX_OUTSIDE, box=list(asked)))
        if x2 <= x1 or y2 <= y1:
            raise Refused(refusal(RefusalCode.BOX_EMPTY, box=list(asked)))
        left, top = int(x1 * width) // 1000, int(y1 * height) // 1000
        right, bottom = -(-int(x2 * width) // 1000), -(-int(y2 * height) // 1000)
        box = Box(left=left, top=top, right=max(right, left + 1), bottom=max(bottom, top + 1))
        return Placed(box=box.grown(self.least_side, self.least_side, within=(width, height)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedBoxes:
    """The released crop (spec 2.5): absolute pixels, or shares when all four are at most 1, padded by 10 % a side.

    Its arithmetic is kept to the letter, floating point and all, because the published checkpoints learned from it.
    """

    share: float = 0.1
    """Padding as a share of the picture's side."""
    most_pixels: float = 600.0
    """Largest padding in pixels."""

    def place(self, asked: Sequence[float], width: int, height: int) -> Placed:
        """Return the padded region; raises Refused where the released code gives an error text."""
        if not all(abs(value) < 1e9 for value in asked):
            raise Refused(refusal(RefusalCode.BOX_NUMBERS, box=list(asked)[:4]))
        scale = (1, 1) if all(value <= 1 for value in asked) else (width, height)
        pad_x, pad_y = min(self.share, self.most_pixels / width), min(self.share, self.most_pixels / height)
        left = _edge(asked[0] / scale[0] - pad_x, width)
        top = _edge(asked[1] / scale[1] - pad_y, height)
        right = _edge(asked[2] / scale[0] + pad_x, width)
        bottom = _edge(asked[3] / scale[1] + pad_y, height)
        if right <= left or bottom <= top:
            raise Refused(refusal(RefusalCode.BOX_EMPTY, box=list(asked)))
        padding = (int(pad_x * width), int(pad_y * height))
        return Placed(box=Box(left=left, top=top, right=right, bottom=bottom), padding=padding)


def _edge(share: float, side: int) -> int:
    return int(min(max(share, 0.0), 1.0) * side)

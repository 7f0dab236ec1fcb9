"""What the agent needs of text on pictures: lines with boxes, and how they are told to a model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..geometry import Box
from ..records import ImageRef, TextLine
from .details import filled

SURE = 0.9
"""Lines read less surely than this are told with how sure their reader was."""

MORE_LINES = "({count} more {count:line|lines}: read a region)"
"""What is told in place of lines that are left out; `details.filled` puts their number in."""

_MARKS = re.compile(r"<(?=/?(?:think|answer|tools?|tool_call|tool_response)\b)", re.IGNORECASE)
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesRead:
    """What was read on a picture, or on a region of one."""

    lines: tuple[TextLine, ...]
    """The lines in reading order, boxes in pixels of the upright original; empty where there is no text."""
    made_by: str
    """What read them, with its version."""


class TextProvider(Protocol):
    """Where tools get the text of pictures; threads may share one. `assembly.texts` has the one of files."""

    def read(self, image: ImageRef, box: Box | None = None) -> LinesRead:
        """Return the lines of a picture, or those of a region, which may be read anew from the region enlarged.

        Args:
            image: the picture, pinned.
            box: the region in pixels of the upright original; None is the whole picture.

        Raises:
            PictureError: the picture cannot be read.
        """
        ...


def unmarked(text: str) -> str:
    """Return text of strangers on one line, without control characters and marks of the protocol.

    A line that was printed on a picture must not be able to end a tool's response, call a tool or give an answer:
    the `<` of such a mark is followed by a space.
    """
    shown = "".join(char if _is_shown(char) else " " for char in text)
    return _MARKS.sub("< ", " ".join(shown.split()))


def told_lines(
    lines: Sequence[TextLine], size: tuple[int, int], *, most_lines: int, most_chars: int, more: str = MORE_LINES
) -> str:
    """Return lines as a tool tells them: each begins with its box, as in `[60, 82, 310, 101] Invoice 7`.

    A line that was read less surely than `SURE` has its confidence behind the box: `[60, 82, 310, 101, 71%] Invo1ce`.
    Where lines are left out, the last one says how many.

    Args:
        lines: in the order they are told.
        size: (width, height) of the upright original; boxes are told in thousandths of it, rounded outward.
        most_lines: most lines told.
        most_chars: most characters of them.
        more: what is told in place of the lines left out, `{count}` being their number.
    """
    told: list[str] = []
    left = most_chars
    for line in lines[:most_lines]:
        one = f"[{_edges(line, size)}] {unmarked(line.text)}"
        if len(one) > left:
            break
        told.append(one)
        left -= len(one) + 1
    left_out = len(lines) - len(told)
    if left_out:
        told.append(filled(more, {"count": left_out}, {}))
    return "".join(f"\n{one}" for one in told)


def _edges(line: TextLine, size: tuple[int, int]) -> str:
    (width, height), box = size, line.box
    edges = [box.left * 1000 // width, box.top * 1000 // height, -(-box.right * 1000 // width)]
    told = [*edges, -(-box.bottom * 1000 // height)]
    sure = [] if line.confidence >= SURE else [f"{max(0, int(line.confidence * 100))}%"]
    return ", ".join([*(str(min(max(edge, 0), 1000)) for edge in told), *sure])


def _is_shown(char: str) -> bool:
    """Say whether a character is one that is seen: no control, no mark of direction, no half of a pair."""
    return char in _JOINERS or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")

"""Lines of text as JSON: what is kept in an index directory, and sent between processes.

What is read may be a stranger's: every value is checked.
"""

from __future__ import annotations

import json
import math

from ..geometry import Box
from ..records import TextLine

MOST_LINES = 50_000
"""Most lines of one page that are stored; a page of a newspaper has 2,000."""

_LARGEST = 2**31


def lines_to_json(lines: tuple[TextLine, ...]) -> str:
    """Return lines as `[[text, left, top, right, bottom, confidence], ...]`; at most `MOST_LINES` of them."""
    rows = [[line.text, *line.box.to_list(), round(line.confidence, 4)] for line in lines[:MOST_LINES]]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def lines_from_json(text: str) -> tuple[TextLine, ...]:
    """Read stored lines; raises ValueError, TypeError or RecursionError for what `lines_to_json` does not write."""
    rows = json.loads(text)
    if not isinstance(rows, list) or len(rows) > MOST_LINES:
        raise ValueError(f"not a list of at most {MOST_LINES} lines")
    return tuple(_line(row) for row in rows)


def _line(row: object) -> TextLine:
    if not isinstance(row, list) or len(row) != 6:
        raise ValueError("a line that is not [text, left, top, right, bottom, confidence]")
    text, *sides, sure = row
    if not isinstance(text, str) or not text:
        raise ValueError("a line without a text")
    if not all(type(side) is int and 0 <= side < _LARGEST for side in sides):
        raise ValueError("a box that is not four whole numbers")
    if type(sure) not in (int, float) or not math.isfinite(sure) or not 0 <= sure <= 1:
        raise ValueError("a confidence that is not between 0 and 1")
    left, top, right, bottom = sides
    return TextLine(text=text, box=Box(left=left, top=top, right=right, bottom=bottom), confidence=float(sure))

"""Dates in filters: what a metadata value must look like to be one, and the span of time that `2019-06` means.

Dates are texts in ISO form, `2019-06-01` or `2019-06-01T10:30:00`, so that their order is that of their letters.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_GIVEN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?)?)?", re.ASCII)

PARTS = {"year": (1, 4), "month": (6, 2), "day": (9, 2)}
"""Part of a date -> where its digits stand in the text: first letter, from 1, and how many."""

LARGEST = {"year": 9998, "month": 12, "day": 31}
"""Part of a date -> its largest value; the smallest is 1."""


def is_date(text: str) -> bool:
    """Return whether a metadata value is a date, or a date and a time, in ISO form."""
    if _DATE.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def span_of(text: str) -> tuple[str, str]:
    """Return the span of time that a year, a month, a day, a minute or a second is: first, and the one after it.

    Both are written as short as the text; as texts they come before every later date and time in ISO form.

    Raises:
        ValueError: the text is none of these, or of a year after 9998.
    """
    match = _GIVEN.fullmatch(text)
    if match is None or match[1] > "9998":
        raise ValueError(f"{text!r} is no date")
    year, month, day, hour, minute, second = (None if part is None else int(part) for part in match.groups())
    first = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)
    return text.replace(" ", "T"), _after(first, month, day, hour, second)


def whole_moment(text: str) -> str:
    """Return a year, a month, a day or a time as a date and a time, the first moment of it."""
    return f"{text}{'0000-01-01T00:00:00'[len(text) :]}"


def _after(first: datetime, month: int | None, day: int | None, hour: int | None, second: int | None) -> str:
    if month is None:
        return f"{first.year + 1:04}"
    if day is None:
        following = first.replace(day=28) + timedelta(days=4)
        return f"{following.year:04}-{following.month:02}"
    if hour is None:
        return (first + timedelta(days=1)).date().isoformat()
    if second is None:
        return (first + timedelta(minutes=1)).isoformat()[:16]
    return (first + timedelta(seconds=1)).isoformat()

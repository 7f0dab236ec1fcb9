"""Dates in a text, as `2024-03-12`; several where day and month can be read both ways.

Dots separate a day from a month in that order, unless only the other one is a date; slashes and dashes give both
orders. A year of two digits is one of 1970 to 2069.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator

from .months import MONTHS, folded

_MONTH = r"((?:[^\W\d_][\u0300-\u036f]{0,2}){3,12})"
_DASH = r"[-\u2010\u2011\u2012\u2013\u2212/.]"
_START = r"(?<!\d)(?<!\d[.,:/-])"
_END = r"(?!\d|[.,:/-]\d)"
_FIRST, _LAST = 1500, 2199
_PIVOT = 70  # years of two digits before it belong to this century

_YEAR_FIRST = re.compile(rf"{_START}(\d{{4}})({_DASH})\s?(\d{{1,2}})\2\s?(\d{{1,2}}){_END}")
_YEAR_LAST = re.compile(rf"{_START}(\d{{1,2}})({_DASH})\s?(\d{{1,2}})\2\s?(\d{{4}}){_END}")
_SHORT_YEAR = re.compile(rf"{_START}(\d{{2}})({_DASH})(\d{{2}})\2(\d{{2}}){_END}")
_DAY_MONTH_YEAR = re.compile(
    rf"{_START}(\d{{1,2}})(?:st|nd|rd|th|er|\u00ba|\.)?[\s/-]{{0,2}}(?:of\s|de\s)?{_MONTH}\.?,?[\s/-]{{1,2}}"
    rf"(?:de\s|del\s)?(\d{{4}}|['\u2019]?\d{{2}}){_END}",
    re.IGNORECASE,
)
_MONTH_DAY_YEAR = re.compile(
    rf"(?<![^\W\d_]){_MONTH}\.?[\s/-]{{1,2}}(\d{{1,2}})(?:st|nd|rd|th)?(?:,\s{{0,2}}|\s|-)(\d{{4}}){_END}",
    re.IGNORECASE,
)
_MONTH_YEAR = re.compile(
    rf"(?<![^\W\d_]){_MONTH}\.?,?[\s/-]{{1,2}}(?:de\s|del\s|of\s)?(\d{{4}}){_END}", re.IGNORECASE
)
_IDEOGRAPHS = re.compile(r"(?<!\d)(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월](?:\s?(\d{1,2})\s?[日일号])?")
_COMPACT = re.compile(r"(?<![^\W_])((?:19|20)\d{2})(\d{2})(\d{2})(?![^\W_])")

Found = tuple[int, int, tuple[str, ...]]
"""Start, end, and the forms, at least one."""


def dates_in(text: str) -> Iterator[Found]:
    """Yield the dates of a text; a kind of notation after the other, so that the first of two that overlap counts."""
    for pattern, forms in _KINDS:
        for match in pattern.finditer(text):
            if found := forms(match):
                yield match.start(), match.end(), found


def _written(year: int, month: int, day: int) -> tuple[str, ...]:
    """Return the form of a day, nothing where there is no such day."""
    try:
        form = datetime.date(year, month, day).isoformat()
    except ValueError:
        return ()
    return (form,) if _FIRST <= year <= _LAST else ()


def _year_first(match: re.Match[str]) -> tuple[str, ...]:
    return _written(int(match[1]), int(match[3]), int(match[4]))


def _year_last(match: re.Match[str]) -> tuple[str, ...]:
    one, two, year = int(match[1]), int(match[3]), _whole(match[4])
    day_first, month_first = _written(year, two, one), _written(year, one, two)
    if match[2] == "." and day_first:
        return day_first
    return tuple(dict.fromkeys(day_first + month_first))


def _day_month_year(match: re.Match[str]) -> tuple[str, ...]:
    return _named(match[3], match[2], match[1])


def _month_day_year(match: re.Match[str]) -> tuple[str, ...]:
    return _named(match[3], match[1], match[2])


def _month_year(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(form[:7] for form in _named(match[2], match[1], "1"))


def _ideographs(match: re.Match[str]) -> tuple[str, ...]:
    forms = _written(int(match[1]), int(match[2]), int(match[3] or 1))
    return forms if match[3] else tuple(form[:7] for form in forms)


def _compact(match: re.Match[str]) -> tuple[str, ...]:
    return _written(int(match[1]), int(match[2]), int(match[3]))


def _named(year: str, month: str, day: str) -> tuple[str, ...]:
    number = MONTHS.get(folded(month))
    return () if number is None else _written(_whole(year.lstrip("'\u2019")), number, int(day))


def _whole(year: str) -> int:
    number = int(year)
    if len(year) > 2:
        return number
    return number + (2000 if number < _PIVOT else 1900)


_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, ...]]], ...] = (
    (_YEAR_FIRST, _year_first),
    (_YEAR_LAST, _year_last),
    (_DAY_MONTH_YEAR, _day_month_year),
    (_MONTH_DAY_YEAR, _month_day_year),
    (_SHORT_YEAR, _year_last),
    (_IDEOGRAPHS, _ideographs),
    (_MONTH_YEAR, _month_year),
    (_COMPACT, _compact),
)

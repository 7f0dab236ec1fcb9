"""What is wrong with a call's JSON, as a detail: the standard library's errors by kind, not by their words."""

from __future__ import annotations

import json
import re
import sys

from .._json import NotANumber, RepeatedKey
from .details import DetailCode, RefusalDetail, detail

MOST = 120
"""Most characters that are said of it."""

_AT = {
    "Expecting value": DetailCode.JSON_VALUE,
    "Illegal trailing comma before end of array": DetailCode.JSON_VALUE,
    "Expecting property name enclosed in double quotes": DetailCode.JSON_NAME,
    "Illegal trailing comma before end of object": DetailCode.JSON_NAME,
    "Expecting ':' delimiter": DetailCode.JSON_COLON,
    "Expecting ',' delimiter": DetailCode.JSON_COMMA,
    "Extra data": DetailCode.JSON_EXTRA,
    "Unterminated string starting at": DetailCode.JSON_STRING,
    "Invalid control character at": DetailCode.JSON_CONTROL,
    "Invalid \\escape": DetailCode.JSON_ESCAPE,
    "Invalid \\uXXXX escape": DetailCode.JSON_UNICODE,
}
"""What the standard library's reader says -> what a model is told; newer Pythons have further messages."""


def json_problem(error: ValueError, text: str) -> RefusalDetail:
    """Return what is wrong with a text that could not be read, or not be recorded, as JSON."""
    if isinstance(error, json.JSONDecodeError):
        what = detail(_AT.get(error.msg.partition(": ")[0], DetailCode.JSON_OTHER))
        return detail(DetailCode.JSON_AT, most=MOST, what=what, line=error.lineno, column=error.colno, char=error.pos)
    if isinstance(error, UnicodeEncodeError):
        return _surrogates(error)
    if isinstance(error, NotANumber):
        return detail(DetailCode.JSON_CONSTANT, most=MOST, name=error.name)
    if isinstance(error, RepeatedKey):
        return detail(DetailCode.JSON_KEYS, most=MOST)
    limit = sys.get_int_max_str_digits()
    digits = next((len(run) for run in re.findall("[0-9]+", text) if 0 < limit < len(run)), 0)
    if digits:
        return detail(DetailCode.JSON_DIGITS, most=MOST, limit=limit, digits=digits)
    return detail(DetailCode.JSON_INFINITE, most=MOST)


def _surrogates(error: UnicodeEncodeError) -> RefusalDetail:
    first, last = error.start, error.end - 1
    if last > first:
        return detail(DetailCode.JSON_SURROGATES, most=MOST, first=first, last=last)
    return detail(DetailCode.JSON_SURROGATE, most=MOST, character=ascii(error.object[first]), first=first)

"""What is wrong with a call's arguments, as a detail: the kinds of pydantic's errors, not their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from .details import DetailCode, RefusalDetail, WrongArgument, detail

MOST = 300
"""Most characters that are said of it; what is wrong itself is cut at the length of a detail."""

_STEP = 60
"""Most characters of one step of the way to the argument."""

_KINDS: Mapping[str, Callable[[Mapping[str, Any]], RefusalDetail]] = {
    "missing": lambda _: detail(DetailCode.MISSING),
    "extra_forbidden": lambda _: detail(DetailCode.UNKNOWN),
    "too_short": lambda given: detail(DetailCode.TOO_FEW, limit=given["min_length"], count=given["actual_length"]),
    "too_long": lambda given: detail(DetailCode.TOO_MANY, limit=given["max_length"], count=given["actual_length"]),
    "list_type": lambda _: detail(DetailCode.NO_LIST),
    "int_type": lambda _: detail(DetailCode.NO_INTEGER),
    "int_from_float": lambda _: detail(DetailCode.FRACTION),
    "float_type": lambda _: detail(DetailCode.NO_NUMBER),
    "float_parsing": lambda _: detail(DetailCode.NUMBER_TEXT),
    "finite_number": lambda _: detail(DetailCode.NOT_FINITE),
}
"""Type of pydantic's error -> the detail over its context."""


def argument_problem(error: ValidationError | RecursionError) -> RefusalDetail:
    """Return what is wrong with arguments that their schema refused: the first thing, and where it is."""
    if isinstance(error, RecursionError):
        return detail(DetailCode.WRONG_DEPTH)
    first = error.errors(include_url=False, include_input=False)[0]
    what = _what(first["type"], first.get("ctx", {}), first["msg"])
    where = ".".join(str(step)[:_STEP] for step in first["loc"])
    if not where:
        return detail(DetailCode.WRONG, most=MOST, what=what)
    return detail(DetailCode.WRONG_AT, most=MOST, where=where, what=what)


def _what(kind: str, given: Mapping[str, Any], words: str) -> RefusalDetail:
    raised = given.get("error")
    if isinstance(raised, WrongArgument):
        return raised.detail
    known = _KINDS.get(kind)
    return detail(DetailCode.LIBRARY, words=words) if known is None else known(given)

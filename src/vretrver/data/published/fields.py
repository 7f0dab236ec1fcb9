"""Typed access to the nested values of a published row; every error names the row and the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NoReturn

from ...errors import DataError

Row = Mapping[str, object]
"""A row, or an object inside one."""


def object_in(row: Row, field: str, where: str) -> Row:
    """Return an object."""
    value = row.get(field)
    return value if isinstance(value, Mapping) else refuse(where, field, value, "an object")


def objects_in(row: Row, field: str, where: str) -> list[Row]:
    """Return a list of objects."""
    value = row.get(field)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        refuse(where, field, value, "a list of objects")
    return value


def texts_in(row: Row, field: str, where: str) -> list[str]:
    """Return a list of texts; null is an empty list."""
    value = row.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        refuse(where, field, value, "a list of texts")
    return value


def text_in(row: Row, field: str, where: str) -> str:
    """Return a text without the white space around it; null and a missing field are the empty text."""
    value = row.get(field)
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else refuse(where, field, value, "a text")


def whole_in(row: Row, field: str, where: str) -> int:
    """Return a whole number."""
    value = row.get(field)
    return value if type(value) is int else refuse(where, field, value, "a whole number")


def number_in(row: Row, field: str, where: str) -> float | None:
    """Return a finite number; null and a missing field are None."""
    value = row.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        refuse(where, field, value, "a finite number")
    return float(value)


def refuse(where: str, field: str, value: object, wanted: str) -> NoReturn:
    """Raise the DataError for a field that is not what it must be."""
    raise DataError(f"{where}: {field} must be {wanted}, got {str(value)[:80]!r}")

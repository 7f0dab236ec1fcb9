"""JSON as its standard has it, which the standard library reads more loosely."""

from __future__ import annotations

import json


class NotANumber(ValueError):
    """NaN or an infinity, which JSON does not have.

    Args:
        name: as it was written.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not a JSON number")
        self.name = name


class RepeatedKey(ValueError):
    """A key appears twice in one object."""

    def __init__(self) -> None:
        super().__init__("a key appears twice in one object")


def read_json(text: str) -> object:
    """Return the value of a JSON text.

    Raises ValueError for what is not JSON, NaN and infinities included, and for a key that appears twice in one
    object; RecursionError for one that is nested too deep.
    """
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)


def _refuse_constant(name: str) -> float:
    raise NotANumber(name)


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise RepeatedKey
    return row

"""The first error that pydantic found, as part of a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_STEP, _REASON, _VALUE = 60, 160, 80
"""Maximum lengths of a step of the place, of the reason and of the value, in characters."""


def first_problem(error: ValidationError, *, whole: str = "the whole", value: bool = False) -> str:
    """Return the first error as `place: reason`, on one line and short whatever was validated.

    Args:
        error: what pydantic raised.
        whole: name of the place for an error that is not in one field.
        value: append `, got ...` with the wrong value; leave it out where the value may be a secret.
    """
    first = error.errors(include_url=False, include_context=False, include_input=value)[0]
    place = ".".join(str(step)[:_STEP] for step in first["loc"]) or whole
    got = f", got {str(first['input'])[:_VALUE]!r}" if value else ""
    return " ".join(f"{place}: {first['msg'][:_REASON]}{got}".split())

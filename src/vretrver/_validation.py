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
    got = f", got {shown_value(first['input'])}" if value else ""
    reason = first["msg"].removeprefix("Value error, ")[:_REASON]
    return " ".join(f"{place_of(first['loc'], whole=whole)}: {reason}{got}".split())


def place_of(steps: tuple[int | str, ...], *, whole: str = "the whole") -> str:
    """Return the place of a fault, `a.b.0`, on one line and not long; `whole` where there are no steps."""
    return " ".join((".".join(str(step)[:_STEP] for step in steps) or whole).split())


def shown_value(value: object) -> str:
    """Return the beginning of a value in quotes."""
    return repr(str(value)[:_VALUE])

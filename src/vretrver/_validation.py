"""What pydantic found wrong, as a part of one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_STEP, _REASON, _VALUE = 60, 160, 80
"""Most characters of a step of the place, of the reason and of the value."""


def first_problem(error: ValidationError, *, whole: str = "the whole", value: bool = False) -> str:
    """Return the first thing wrong as `place: reason`, on one line and not long whatever was validated.

    Args:
        error: what pydantic raised.
        whole: what the place is called where the fault is not in one field.
        value: whether `, got ...` with the wrong value follows; leave it out where the value may be a secret.
    """
    first = error.errors(include_url=False, include_context=False, include_input=value)[0]
    place = ".".join(str(step)[:_STEP] for step in first["loc"]) or whole
    got = f", got {str(first['input'])[:_VALUE]!r}" if value else ""
    return " ".join(f"{place}: {first['msg'][:_REASON]}{got}".split())

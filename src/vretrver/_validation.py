"""The first error that pydantic found, as part of a sentence, and the key that was meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

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


def key_hint(model: type[Any], steps: tuple[int | str, ...]) -> str:
    """Return the key that was meant by an unknown one, or those that there are.

    Args:
        model: the pydantic model or dataclass that was validated.
        steps: place of the unknown key, its own name last.
    """
    kinds = [model]
    for step in steps[:-1]:
        kinds = [*_below(kinds, step)]
    known = sorted({name for kind in kinds for name in _fields(kind)})
    above, near = steps[:-1], get_close_matches(str(steps[-1]), known, n=1)
    if near:
        return f"did you mean {place_of((*above, *near))}?"
    return f"the keys are {', '.join(known)}"


def _below(kinds: list[type[Any]], step: int | str) -> Iterator[type[Any]]:
    """Yield the models at a step: a field, an index of a list, or the tag of a union."""
    named = [_fields(kind)[str(step)] for kind in kinds if str(step) in _fields(kind)]
    if named:
        for annotation in named:
            yield from _classes(annotation)
    else:
        told = [kind for kind in kinds if any(step in get_args(one) for one in _fields(kind).values())]
        yield from told or kinds


def _classes(annotation: Any) -> Iterator[type[Any]]:
    """Yield the models and dataclasses that an annotation names."""
    if isinstance(annotation, type) and _fields(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _classes(inner)


def _fields(kind: type[Any]) -> Mapping[str, Any]:
    """Return the fields of a model or dataclass with their annotations; none for another class."""
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return {one.name: hints[one.name] for one in dataclasses.fields(kind)}
    fields: Mapping[str, Any] = getattr(kind, "model_fields", {})
    return {name: field.annotation for name, field in fields.items()}

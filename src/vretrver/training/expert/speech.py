"""The expert's sentences: one thing is named and compared at a time, which is what a small model can learn.

A trait is named as it is, one after another, until one is not what is wanted; a detail is read mark by mark, each
with + or - for whether it is the one wanted. A verdict over several at once a small model mostly gets wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...data.catalogue.world import Detail
from .wanted import Wanted


def want_line(wanted: Wanted) -> str:
    """Say what is wanted, as in `Want red striped mug wood, code A7K.` on a line."""
    traits = " ".join(value for _, value in wanted.traits)
    detail = "" if wanted.detail is None else f", {wanted.detail.words()}"
    return f"Want {traits}{detail}.\n"


def trait_line(number: int, values: Sequence[str], wanted: Wanted) -> str:
    """Describe a candidate until a trait differs: `3 red striped cap no`, `4 red striped mug wood yes`."""
    said: list[str] = []
    for value, (_, right) in zip(values, wanted.traits, strict=True):
        said.append(value)
        if value != right:
            return f"{number} {' '.join(said)} no\n"
    return f"{number} {' '.join(said)} yes\n"


def reading(name: str, detail: Detail, wanted: Detail | None) -> str:
    """Say what a label shows: `3 code A+7-K+`, or `Query code A7K` when there is nothing to compare it with."""
    if wanted is None:
        return f"{name} {detail.words()}\n"
    marks = [value + ("+" if right else "-") for value, right in compared(detail, wanted)]
    if detail.kind == "print":
        return f"{name} code {''.join(marks)}\n"
    if detail.kind == "emblem":
        return f"{name} {' '.join(marks)} badge\n"
    return f"{name} patch with {' '.join(marks)}\n"


def compared(detail: Detail, wanted: Detail) -> list[tuple[str, bool]]:
    """Return every mark of a detail and whether it is the one wanted at its place."""
    same = detail.kind == wanted.kind
    return [(value, same and value == wanted.values[place]) for place, value in enumerate(detail.values)]


def agreement(detail: Detail, wanted: Detail) -> int:
    """Return how many marks are the ones wanted."""
    return sum(right for _, right in compared(detail, wanted))


def zoom_call(target: int, box: Sequence[int]) -> str:
    """Return a call of `zoom_in`."""
    arguments = f'{{"target_image": {target}, "bbox_2d": [{", ".join(map(str, box))}]}}'
    return f'<tool_call>{{"name": "zoom_in", "arguments": {arguments}}}</tool_call>'


def select_call(targets: Sequence[int]) -> str:
    """Return a call of `select_images`."""
    arguments = f'{{"target_images": [{", ".join(map(str, targets))}]}}'
    return f'<tool_call>{{"name": "select_images", "arguments": {arguments}}}</tool_call>'

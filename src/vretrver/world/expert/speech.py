"""The expert's sentences: one thing is named and compared at a time, which is what a small model can learn.

A trait is named as it is, one after another, until one is not what is wanted. A detail is read mark by mark: the mark
wanted, the mark seen, and + or - for whether they are the same. A verdict over several at once a small model mostly
gets wrong, and a comparison with a mark named long before it learns slowly (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..draw.world import Detail
from .wanted import Criteria

_AROUND = {"print": (" code", ""), "emblem": ("", " badge"), "stitch": (" patch with", "")}
_BETWEEN = {"print": "=", "emblem": "", "stitch": ""}


def want_line(wanted: Criteria) -> str:
    """Say what is wanted, as in `Want red striped mug wood, code A7K.` on a line."""
    traits = " ".join(value for _, value in wanted.traits)
    detail = "" if wanted.detail is None else f", {wanted.detail.words()}"
    return f"Want {traits}{detail}.\n"


def trait_line(number: int, values: Sequence[str], wanted: Criteria) -> str:
    """Describe a candidate until a trait differs: `3 red striped cap no`, `4 red striped mug wood yes`."""
    said: list[str] = []
    for value, (_, right) in zip(values, wanted.traits, strict=True):
        said.append(value)
        if value != right:
            return f"{number} {' '.join(said)} no\n"
    return f"{number} {' '.join(said)} yes\n"


def reading(name: str, detail: Detail, wanted: Detail | None) -> str:
    """Say what a label shows, mark by mark, each behind the one wanted.

    So `3 code A= A+7=9-K=K+` where A7K is wanted, and `3 star star+ moon sun- badge` for a star and a moon. The first
    letter of a code stands behind a space, as in the query: to a tokenizer it is another token without one, and a
    small model repeats what it can find again. A label of another kind than the one wanted has no marks to stand
    behind: `3 star- moon- badge`. Where nothing is known to compare it with, it is said as it is: `Query code A7K`.
    """
    if wanted is None:
        return f"{name} {detail.words()}\n"
    asked: Sequence[str] = wanted.values if wanted.kind == detail.kind else [""] * len(detail.values)
    marks = [
        _mark(one, value, right, spaced=detail.kind != "print" or not place, between=_BETWEEN[detail.kind])
        for place, (one, (value, right)) in enumerate(zip(asked, compared(detail, wanted), strict=True))
    ]
    before, after = _AROUND[detail.kind]
    return f"{name}{before}{''.join(marks)}{after}\n"


def _mark(asked: str, seen: str, right: bool, *, spaced: bool, between: str) -> str:
    gap = " " if spaced else ""
    return f"{gap}{asked}{between if asked else ''}{gap if asked else ''}{seen}{'+' if right else '-'}"


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

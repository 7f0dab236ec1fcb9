"""The gate's criteria, each with what was measured and whether it holds; nothing is computed anew here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .settings import (
    CONTROL_LIMIT,
    GUESS,
    KINDS,
    NATIVE_LIMIT,
    PLACE_LIMIT,
    PLACE_RADIUS,
    UPPER_LIMIT,
)

Results = Mapping[str, Any]
"""Stage name -> result; per-kind stages are named `<stage>-<kind>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One condition of the gate."""

    name: str
    """What must hold, with the letter of the gate."""
    kind: str
    """Kind of detail, or `all`."""
    measured: float
    """The number that is compared."""
    limit: float
    """What it is compared with."""
    passed: bool
    """Whether it holds."""


def judge(results: Results) -> list[Criterion]:
    """Return every criterion of the gate, kind by kind."""
    criteria = [criterion for kind in KINDS for criterion in _judge_kind(results, kind)]
    found = results["place"]["all"]["within_lower_bound"][str(PLACE_RADIUS)]
    criteria.append(_at_least("c: label found within 16 native px, lower bound", "all", found, PLACE_LIMIT))
    for name, share in results["metadata"]["shares"].items():
        criteria.append(_near_guess(f"d: {name}", "all", share))
    aligned = results["aligned"]
    same = aligned["equal"] / aligned["compared"]
    criteria.append(_at_least("windowed thumbnails equal to whole pictures'", "all", same, 1.0))
    return criteria


def _judge_kind(results: Results, kind: str) -> list[Criterion]:
    told, observer = results[f"told_where-{kind}"], results[f"observer-{kind}"]
    native, not_told = results[f"native-{kind}"], results[f"not_told-{kind}"]
    control = told["control_plain_ink"]["value"]
    read = native["top1"]["lower"]
    return [
        _at_least("a: told where, plain ink read (positive control)", kind, control, CONTROL_LIMIT),
        _at_most("a: told where, five twins, upper bound", kind, told["top1"]["upper"], UPPER_LIMIT),
        _at_most("a: observer that knows the pose, upper bound", kind, observer["verdict"]["upper"], UPPER_LIMIT),
        _at_least("b: native crop, five twins, lower bound", kind, read, NATIVE_LIMIT),
        _near_guess("d: not told where, five twins", kind, not_told["top1"]),
    ]


def _near_guess(name: str, kind: str, share: Mapping[str, float]) -> Criterion:
    at_guess = share["lower"] <= GUESS <= share["upper"]
    passed = at_guess or share["upper"] <= UPPER_LIMIT
    return Criterion(
        name=f"{name}, upper bound", kind=kind, measured=share["upper"], limit=UPPER_LIMIT, passed=passed
    )


def _at_most(name: str, kind: str, measured: float, limit: float) -> Criterion:
    return Criterion(name=name, kind=kind, measured=measured, limit=limit, passed=measured <= limit)


def _at_least(name: str, kind: str, measured: float, limit: float) -> Criterion:
    return Criterion(name=name, kind=kind, measured=measured, limit=limit, passed=measured >= limit)

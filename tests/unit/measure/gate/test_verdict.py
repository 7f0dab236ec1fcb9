"""The gate's criteria fail exactly when a bound is missed."""

from typing import Any

import pytest
from measure.gate.settings import KINDS
from measure.gate.verdict import judge


def share(value: float) -> dict[str, float]:
    return {"value": value, "lower": value - 0.01, "upper": value + 0.01}


@pytest.fixture
def results() -> dict[str, Any]:
    good: dict[str, Any] = {
        "place": {"all": {"within_lower_bound": {"16": 0.97}}},
        "metadata": {"shares": {"ids": share(0.21)}},
        "aligned": {"compared": 12, "equal": 12},
    }
    for kind in KINDS:
        good[f"told_where-{kind}"] = {"control_plain_ink": share(0.8), "top1": share(0.24)}
        good[f"observer-{kind}"] = {"verdict": share(0.26)}
        good[f"native-{kind}"] = {"top1": share(0.99)}
        good[f"not_told-{kind}"] = {"top1": share(0.2)}
    return good


def failed(results: dict[str, Any]) -> list[tuple[str, str]]:
    return [(criterion.kind, criterion.name[:2]) for criterion in judge(results) if not criterion.passed]


def test_nothing_fails_within_the_limits(results: dict[str, Any]) -> None:
    assert failed(results) == []
    assert len(judge(results)) == 18


@pytest.mark.parametrize(
    ("stage", "field", "value", "letter"),
    [
        ("told_where-emblem", "control_plain_ink", 0.74, "a:"),
        ("told_where-emblem", "top1", 0.295, "a:"),
        ("observer-emblem", "verdict", 0.295, "a:"),
        ("native-emblem", "top1", 0.975, "b:"),
        ("not_told-emblem", "top1", 0.3, "d:"),
    ],
)
def test_each_limit_is_kept(results: dict[str, Any], stage: str, field: str, value: float, letter: str) -> None:
    results[stage][field] = share(value)
    assert failed(results) == [("emblem", letter)]


def test_a_window_that_differs_fails(results: dict[str, Any]) -> None:
    results["aligned"]["equal"] = 11
    assert failed(results) == [("all", "wi")]

"""Pins how what pydantic found wrong is said."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from vretrver._validation import first_problem


class _Inner(BaseModel):
    number: int


class _Outer(BaseModel):
    inner: list[_Inner]


def _error(value: object) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        _Outer.model_validate(value)
    return raised.value


def test_the_first_problem_is_its_place_and_its_reason() -> None:
    error = _error({"inner": [{"number": 1}, {"number": None}, {}]})
    assert first_problem(error) == "inner.1.number: Input should be a valid integer"
    assert first_problem(error, value=True) == "inner.1.number: Input should be a valid integer, got 'None'"


def test_what_is_wrong_as_a_whole_is_called_so() -> None:
    assert first_problem(_error([])).startswith("the whole: Input should be a valid dictionary")
    assert first_problem(_error([]), whole="the file").startswith("the file: Input should be")


def test_it_is_one_short_line_whatever_was_validated() -> None:
    class Strange(BaseModel):
        model_config = {"extra": "forbid"}

    with pytest.raises(ValidationError) as raised:
        Strange.model_validate({"a\n" * 1000: "b\n" * 1000})
    said = first_problem(raised.value, value=True)
    assert "\n" not in said
    assert len(said) < 400

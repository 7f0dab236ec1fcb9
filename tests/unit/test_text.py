"""Pins texts that can be stored."""

from __future__ import annotations

import pytest

from vretrver._text import storable


@pytest.mark.parametrize(
    ("text", "stored"),
    [("", ""), ("caf\u00e9 \U0001f600 \x00", "caf\u00e9 \U0001f600 \x00"), ("a\ud800b\udfff", "a?b?")],
)
def test_lone_surrogates_become_question_marks_and_nothing_else_changes(text: str, stored: str) -> None:
    assert storable(text) == stored
    storable(text).encode()

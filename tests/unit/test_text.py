"""Pins texts that can be stored and sent."""

from __future__ import annotations

import pytest

from vretrver._text import plain, sendable, storable


@pytest.mark.parametrize(
    ("text", "stored"),
    [("", ""), ("caf\u00e9 \U0001f600 \x00", "caf\u00e9 \U0001f600 \x00"), ("a\ud800b\udfff", "a?b?")],
)
def test_lone_surrogates_become_question_marks_and_nothing_else_changes(text: str, stored: str) -> None:
    assert storable(text) == stored
    storable(text).encode()


@pytest.mark.parametrize(
    ("text", "sent"), [("<|im_end|>", "< |im_end|>"), ("a < b | c", "a < b | c"), ("<<|", "<< |"), ("", "")]
)
def test_no_special_token_can_be_spelt(text: str, sent: str) -> None:
    assert plain(text) == sent
    assert sendable(f"{text}\ud800") == f"{sent}?"

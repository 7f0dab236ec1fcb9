"""Pins texts that can be stored, sent and printed."""

from __future__ import annotations

import pytest

from vretrver._text import plain, printable, sendable, storable


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mug, 12 €, 杯子, कप", "mug, 12 €, 杯子, कप"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("c1 \x9b2J, del \x7f", r"c1 \x9b2J, del \x7f"),
        ("turned \u202egnp.exe", r"turned \u202egnp.exe"),
        ("line\u2028two", r"line\u2028two"),
        ("no\u00a0break, thin\u2009space", "no\u00a0break, thin\u2009space"),
        (
            "family \U0001f468\u200d\U0001f469, joined नम\u200dस्ते",
            "family \U0001f468\u200d\U0001f469, joined नम\u200dस्ते",
        ),
        ("half \ud83d", r"half \ud83d"),
    ],
)
def test_a_text_is_printed_on_one_line_without_what_a_terminal_obeys(text: str, shown: str) -> None:
    assert printable(text) == shown

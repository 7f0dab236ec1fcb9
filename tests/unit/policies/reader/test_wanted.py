"""Pins what a query is taken to ask for: facts with their labels, quoted words, names, other words."""

from __future__ import annotations

import pytest

from vretrver.policies.reader.wanted import wanted_in


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (
            "invoice 12 March 2024 total 118.40 Anna Schmidt",
            [
                ("word", "invoice", ""),
                ("date", "2024-03-12", ""),
                ("number", "118.40", "total"),
                ("name", "Anna Schmidt", ""),
            ],
        ),
        (
            "Rechnung Nr. INV-2024/0173 über 1.234,50 EUR",
            [
                ("word", "Rechnung", ""),
                ("code", "inv-2024/0173", "nr"),
                ("word", "über", ""),
                ("amount", "1234.50", ""),
            ],
        ),
        ('find "wooden door" in a letter', [("quoted", "wooden door", ""), ("word", "letter", "")]),
        ("the total of the 2 May 2020", [("date", "2020-05-02", "total")]),
        ("Schmidt 118.40", [("word", "Schmidt", ""), ("number", "118.40", "")]),
        ("dog on beach", [("word", "dog", ""), ("word", "beach", "")]),
        ("", []),
        ("Find the item asked for.", [("word", "item", ""), ("word", "asked", "")]),
    ],
)
def test_a_query_asks_for(query: str, wanted: list[tuple[str, str, str]]) -> None:
    assert [(one.kind, one.form, one.label) for one in wanted_in(query)] == wanted


def test_only_words_are_not_needed_in_order_to_fit() -> None:
    assert [(one.text, one.hard) for one in wanted_in("letter by Anna Schmidt")] == [
        ("letter", False),
        ("Anna Schmidt", True),
    ]


def test_a_long_query_is_cut() -> None:
    assert len(wanted_in(" ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(400)))) == 24

"""Pins the tokens of texts and the words of queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.retrieval.lexical.tokens import LONGEST, MOST, tokens, words_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dog on a beach", {"dog", "on", "a", "beach"}),
        ("STRASSE Straße", {"strasse"}),
        ("Müller", {"müller", "muller"}),
        ("Mu\u0308ller", {"müller", "muller"}),
        ("Łódź", {"łódź", "lodz"}),
        ("İSTANBUL", {"i\u0307stanbul", "istanbul"}),
        ("ısparta", {"ısparta", "isparta"}),
        ("ﬁne ｗｉｄｅ", {"fine", "wide"}),
        ("don't", {"dont", "don", "t"}),
        ("l’eau", {"leau", "l", "eau"}),
        ("e-mail", {"email", "e", "mail"}),
        ("Rech-\nnung", {"rechnung"}),
        ("soft\u00adly", {"softly"}),
        ("red_car", {"red", "car"}),
        ("20kg", {"=20", "20", "kg", "20kg"}),
        ("INV-2024/0173", {"=inv-2024/0173", "=inv20240173", "inv2024", "inv", "2024", "0173"}),
        ("1.234,50 EUR", {"=1234.5", "1", "234", "50", "eur"}),
        ("$1,234.50", {"=1234.5", "1", "234", "50"}),
        ("12.03.2024", {"=2024-03-12", "=2024-03", "12", "03", "2024"}),
        ("March 12, 2024", {"=2024-03-12", "=2024-03", "march", "12", "2024"}),
        ("DE89 3704 0044", {"=de89", "=3704", "=0044", "de", "89", "de89", "3704", "0044"}),
        ("東京駅", {"東", "京", "駅", "東京", "京駅"}),
        ("ไทย", {"ไ", "ท", "ย", "ไท", "ทย"}),
        ("हिन्दी", {"हिन्दी", "हिनदी"}),
        ("١٢", {"=12", "12"}),
        ("🐶!", {"🐶"}),
        (" .,- ", set()),
    ],
)
def test_a_text_gives_its_tokens(text: str, expected: set[str]):
    assert set(tokens(text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the dog", [("dog", (("dog",), ("dogs", "doges")))]),
        ("dogs", [("dogs", (("dogs",), ("dog", "dogs")))]),
        ("The Who", [("The", (("the",), ("thes", "thees"))), ("Who", (("who",), ("whos", "whoes")))]),
        ("Müller", [("Müller", (("müller", "muller"),))]),
        ("2024", [("2024", (("=2024", "2024"),))]),
        ("12 March 2024", [("12 March 2024", (("=2024-03-12",), ("12", "march", "2024")))]),
        ("03/04/2024", [("03/04/2024", (("=2024-04-03", "=2024-03-04"), ("03", "04", "2024")))]),
        ("March 2024", [("March 2024", (("=2024-03",), ("march", "2024")))]),
        ("A-17", [("A-17", (("=a-17", "=a17"), ("a17", "a", "17")))]),
        ("東京", [("東京", (("東京",),))]),
        ("駅", [("駅", (("駅",),))]),
        ("“dog”, dog", [("dog", (("dog",), ("dogs", "doges")))]),
    ],
)
def test_a_query_gives_its_words_with_what_to_look_for(text: str, words: list[tuple[str, object]]):
    assert [(word.text, word.levels) for word in words_of(text)] == words


@pytest.mark.parametrize("text", ["12.03.2024", "INV-2024/0173", "$20", "Müller's dog-house", "東京駅", "7 kg"])
def test_a_text_is_found_by_itself(text: str):
    there = set(tokens(text))
    assert all(there & set(word.levels[0]) for word in words_of(text))


@given(st.text(alphabet=st.characters(), max_size=150))
def test_any_text_has_a_bounded_number_of_tokens_without_blanks(text: str):
    found = tokens(text)
    assert len(found) <= min(MOST, 3 * max(len(text), 1) * 4)
    for token in found:
        assert token
        assert '"' not in token
        assert not any(letter.isspace() or letter == "\0" for letter in token)
    words_of(text)


def test_a_long_word_is_cut_and_a_long_text_ends():
    assert tokens("x" * 1000) == ["x" * LONGEST]
    assert len(tokens("word " * 2 * MOST)) == MOST

"""Pins the answer grammar: whatever ids are taken of those allowed, the parser reads an answer."""

from __future__ import annotations

import random

import pytest
from tests.tiny_models import byte_tokenizer

from vretrver.agent.parsing import parse_turn
from vretrver.models.vocabulary import Vocabulary
from vretrver.policies.local.grammar import END, AnswerGrammar

VOCABULARY = Vocabulary(byte_tokenizer())
GRAMMAR = AnswerGrammar.of(VOCABULARY)


def _walk(text: str) -> int:
    state = 0
    for number in VOCABULARY.text(text):
        state = GRAMMAR.moves[state][number]
    return state


@pytest.mark.parametrize("text", ["<answer>[1]</answer>", "<answer>[20, 3, 117]</answer>", "<answer>[2,1]</answer>"])
def test_answers_are_allowed(text: str) -> None:
    assert _walk(text) == END


@pytest.mark.parametrize(
    "text",
    ["<answer>[]</answer>", "<answer>[0]</answer>", "<answer>[1,]", "[1]", "<answer>[1000", "<answer>[1]</answer>."],
)
def test_other_texts_are_not(text: str) -> None:
    with pytest.raises(KeyError):
        _walk(text)


@pytest.mark.parametrize("most", [5, 6, 9, 30, 200])
def test_every_way_through_is_an_answer_in_time(most: int) -> None:
    chance = random.Random(most)
    for _ in range(50):
        state, ids = 0, []
        while state != END:
            number = chance.choice(GRAMMAR.allowed(state, most - len(ids)))
            ids.append(number)
            state = GRAMMAR.moves[state][number]
        assert len(ids) <= most
        parsed = parse_turn(VOCABULARY.decode(ids))
        assert parsed.answer
        assert parsed.problem is None


def test_where_no_answer_fits_the_shortest_one_is_begun() -> None:
    allowed = GRAMMAR.allowed(0, 2)
    assert [VOCABULARY.decode([number]) for number in allowed] == ["<answer>"]

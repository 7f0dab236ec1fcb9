"""Pins the answer grammar: whatever ids are taken of those allowed, the parser reads an answer."""

from __future__ import annotations

import random

import pytest
from tests.tiny_models import byte_tokenizer

from vretrver.agent.parsing import parse_turn
from vretrver.models.vocabulary import Vocabulary
from vretrver.policies.local.grammar import END, Answer, AnswerGrammar, begun

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


def _written(candidates: int | None, most: int, seed: int) -> str:
    """Return an answer drawn by lot from the ids allowed."""
    chance, answer, ids = random.Random(seed), Answer(GRAMMAR, candidates=candidates), list[int]()
    while not answer.whole:
        ids.append(chance.choice(answer.allowed(most - len(ids))))
        answer.take(ids[-1])
    assert len(ids) <= most
    return VOCABULARY.decode(ids)


@pytest.mark.parametrize("candidates", [1, 2, 9, 10, 23, 101])
def test_every_candidate_is_named_once_however_ids_are_chosen(candidates: int) -> None:
    for seed in range(20):
        answer = parse_turn(_written(candidates, 1000, seed)).answer
        assert sorted(answer or ()) == list(range(1, candidates + 1))


@pytest.mark.parametrize("most", [20, 30, 50])
def test_where_ids_do_not_last_for_all_the_answer_still_ends(most: int) -> None:
    for seed in range(20):
        assert parse_turn(_written(40, most, seed)).answer


def test_how_many_there_are_need_not_be_known() -> None:
    assert any(sorted(parse_turn(_written(None, 60, seed)).answer or ()) != [1, 2] for seed in range(5))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<think>so</think><answer>[", "<answer>["),
        ("<answer>[1", "<answer>[1"),
        ("no <answer>[ yet <answer>[2, ", "<answer>[2, "),
        ("<think>I write <answer>[", None),
        ("<think>so</think><answer>", None),
        ("<think>so</think><answer>[x", None),
        ('<tool_call>{"name": [', None),
    ],
)
def test_where_an_answer_begins(text: str, written: str | None) -> None:
    assert begun(text) == written


def test_what_begins_otherwise_is_no_answer() -> None:
    with pytest.raises(ValueError, match="no answer begins with"):
        Answer(GRAMMAR, written="[1")

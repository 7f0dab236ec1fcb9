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
        answer = parse_turn(_written(40, most, seed)).answer
        assert answer
        *before, _ = answer  # the last one may be cut off
        assert len(set(before)) == len(before) < 39
        assert set(before) <= set(range(1, 41))


@pytest.mark.parametrize("candidates", [None, 0, 1000])
def test_where_candidates_are_not_known_any_number_may_follow(candidates: int | None) -> None:
    numbers = [number for seed in range(20) for number in parse_turn(_written(candidates, 60, seed)).answer or ()]
    assert max(numbers) > 100
    assert len(numbers) > 20


def test_with_tokens_of_several_signs_every_candidate_is_still_named_once() -> None:
    texts = [*"<answer>[]/ ,", *"0123456789", ", ", ",1", "1,", " 2", "[1", "12]", "3, 4", "]</answer>", "1, 2, 3"]
    grammar = AnswerGrammar.of_texts(dict(enumerate(texts)))
    chance = random.Random(1)
    for candidates in (3, 4, 12, 25) * 10:
        answer, ids = Answer(grammar, candidates=candidates), list[int]()
        while not answer.whole:
            ids.append(chance.choice(answer.allowed(1000 - len(ids))))
            answer.take(ids[-1])
        written = parse_turn("".join(texts[number] for number in ids)).answer
        assert sorted(written or ()) == list(range(1, candidates + 1))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<think>so</think><answer>[", "<answer>["),
        ("<answer>[1", "<answer>[1"),
        ("reasoned</think>\n<answer>[2, ", "<answer>[2, "),
        ("Draft: <answer>[", None),
        ("<think>so</think>It is <answer>[", None),
        ("<answer>[1]</answer><answer>[", None),
        ('<tool_call>{"q": "<answer>[', None),
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

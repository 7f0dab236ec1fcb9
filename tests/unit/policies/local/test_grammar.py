"""Pins constrained decoding: whatever ids are taken of those allowed, the form reads an answer."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from copy import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiny_models import byte_tokenizer
from tests.unit.policies.local.conversations import ranking
from tests.unit.policies.local.hand_written import HandAnswer, HandGrammar

from vretrver.agent.answers import COUNTED, FORMS
from vretrver.agent.grammar import Grammar
from vretrver.models.vocabulary import Vocabulary
from vretrver.policies.local.automaton import KEPT, Automata, Automaton
from vretrver.policies.local.grammar import Constraint

VOCABULARY = Vocabulary(byte_tokenizer())
AUTOMATA = Automata(VOCABULARY)
BYTES = HandGrammar.of_texts(AUTOMATA.texts)
SEVERAL = dict(
    enumerate([*"<answer>[]/ ,", *"0123456789", ", ", ",1", "1,", " 2", "[1", "12]", "3, 4", "]</answer>", "1, 2, 3"])
)
"""Ids of several characters, across the parts of an answer."""
SEVERAL_BY_HAND = HandGrammar.of_texts(SEVERAL)
UNBOUNDED = ranking(999, whole_turn=True, complete=False)


def constraint(grammar: Grammar, *, prefix: str = "") -> Constraint:
    """Return a grammar as a turn of the tokenizer of bytes follows it."""
    return Constraint(grammar, AUTOMATA.of(grammar.pattern), turn_end=VOCABULARY.turn_end, prefix=prefix)


def written(following: Constraint, most: int, seed: int) -> str:
    """Return a turn drawn by lot from the ids allowed, at most so many."""
    chance, ids = random.Random(seed), list[int]()
    while not following.whole:
        ids.append(chance.choice(following.allowed(most - len(ids))))
        following.take(ids[-1])
    assert len(ids) <= most
    return "".join(following.automaton.texts[number] for number in ids)


def numbers(text: str, form: str = "ranking") -> tuple[int, ...]:
    """Return the numbers that a form reads in a turn that is an answer."""
    found = re.fullmatch(r"<answer>(.*)</answer>", text)
    answer = FORMS[form].read(found[1]) if found else None
    assert answer is not None, text
    return answer.numbers


@pytest.mark.parametrize("text", ["<answer>[1]</answer>", "<answer>[20, 3, 117]</answer>", "<answer>[2,1]</answer>"])
def test_answers_are_allowed(text: str) -> None:
    following = constraint(UNBOUNDED)
    for number in VOCABULARY.text(text):
        assert number in following.allowed(100)
        following.take(number)
    assert following.whole


def _allowed_ids(following: Constraint, text: str) -> Iterator[int]:
    """Yield the ids of a text up to the first that is not allowed, or until a match is complete."""
    for number in VOCABULARY.text(text):
        if following.whole or number not in following.allowed(100):
            return
        yield number


@pytest.mark.parametrize(
    "text",
    ["<answer>[]</answer>", "<answer>[0]</answer>", "<answer>[1,]", "[1]", "<answer>[1000", "<answer>[1]</answer>."],
)
def test_other_texts_are_not(text: str) -> None:
    following, taken = constraint(UNBOUNDED), 0
    for number in _allowed_ids(following, text):
        following.take(number)
        taken += 1
    assert taken < len(VOCABULARY.text(text))


@pytest.mark.parametrize("most", [5, 6, 9, 30, 200])
def test_every_way_through_is_an_answer_in_time(most: int) -> None:
    for seed in range(50):
        assert numbers(written(constraint(UNBOUNDED), most, seed))


def test_where_no_answer_fits_the_shortest_one_is_begun() -> None:
    allowed = constraint(UNBOUNDED).allowed(2)
    assert [VOCABULARY.decode([number]) for number in allowed] == ["<answer>"]


def _assert_equal_ways(hand: HandAnswer, following: Constraint, left: int, seen: set[object]) -> None:
    """Compare the ids allowed in every state that can be reached with so many ids left."""
    key = (hand.state, hand.listed, left)
    if hand.whole or key in seen:
        assert hand.whole == following.whole or key in seen
        return
    seen.add(key)
    allowed = following.allowed(left)
    assert allowed == sorted(hand.allowed(left))
    for number in allowed:
        one, other = copy(hand), copy(following)
        one.take(number)
        other.take(number)
        _assert_equal_ways(one, other, left - 1, seen)


@pytest.mark.parametrize("candidates", [1, 2, 3, 4])
@pytest.mark.parametrize("left", [2, 5, 8, 11, 14, 40])
def test_in_every_state_the_ids_are_those_of_the_grammar_written_by_hand(candidates: int, left: int) -> None:
    following = constraint(ranking(candidates, whole_turn=True))
    seen = set[object]()
    _assert_equal_ways(HandAnswer(BYTES, candidates), following, left, seen)
    assert len(seen) >= min(left, 5)


@settings(max_examples=150, deadline=None)
@given(candidates=st.integers(1, 110), most=st.integers(1, 450), seed=st.integers(0, 2**32), bytewise=st.booleans())
def test_along_every_way_the_ids_are_those_of_the_grammar_written_by_hand(
    candidates: int, most: int, seed: int, bytewise: bool
) -> None:
    texts = AUTOMATA.texts if bytewise else SEVERAL
    grammar = ranking(candidates, whole_turn=True)
    automaton = AUTOMATA.of(grammar.pattern) if bytewise else Automaton.of(grammar.pattern, texts)
    hand = HandAnswer(BYTES if bytewise else SEVERAL_BY_HAND, candidates)
    following = Constraint(grammar, automaton, turn_end=VOCABULARY.turn_end)
    chance = random.Random(seed)
    for left in range(most, -100, -1):
        assert hand.whole == following.whole
        if hand.whole:
            return
        allowed = following.allowed(left)
        assert allowed == sorted(hand.allowed(left))
        number = chance.choice(allowed)
        hand.take(number)
        following.take(number)
    pytest.fail("no way to the end")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("candidates", [1, 2, 9, 10, 23, COUNTED, COUNTED + 1, 101])
def test_every_candidate_is_named_once_however_ids_are_chosen(candidates: int, form: str) -> None:
    grammar = FORMS[form].grammar(candidates, whole_turn=True, complete=True)
    assert grammar is not None
    for seed in range(20):
        named = numbers(written(constraint(grammar), 1000, seed), form)
        assert sorted(named) == list(range(1, candidates + 1))


def test_both_verdicts_of_an_answer_that_may_say_none_can_be_written() -> None:
    grammar = FORMS["ranking-or-none"].grammar(5, whole_turn=True, complete=True)
    assert grammar is not None
    texts = [written(constraint(grammar), 100, seed) for seed in range(20)]
    assert {text.startswith("<answer>none [") for text in texts} == {True, False}
    assert all(re.fullmatch(grammar.pattern, text) for text in texts)


@pytest.mark.parametrize("most", [20, 30, 50])
def test_where_ids_do_not_suffice_for_all_the_answer_still_ends(most: int) -> None:
    for seed in range(20):
        named = numbers(written(constraint(ranking(40, whole_turn=True)), most, seed))
        assert named
        *before, _ = named  # the last one may be cut off
        assert len(set(before)) == len(before) < 39
        assert set(before) <= set(range(1, 41))


def test_without_a_permutation_any_number_may_follow() -> None:
    named = [number for seed in range(20) for number in numbers(written(constraint(UNBOUNDED), 60, seed))]
    assert max(named) > 100
    assert len(named) > 20


def test_with_ids_of_several_characters_every_candidate_is_still_named_once() -> None:
    for candidates in (3, 4, 12, 25):
        grammar = ranking(candidates, whole_turn=True)
        automaton = Automaton.of(grammar.pattern, SEVERAL)
        for seed in range(10):
            following = Constraint(grammar, automaton, turn_end=VOCABULARY.turn_end)
            assert sorted(numbers(written(following, 1000, seed))) == list(range(1, candidates + 1))


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("<think>so</think><answer>[", True),
        ("<answer>[1", True),
        ("reasoned</think>\n<answer>[2, ", True),
        ("Draft: <answer>[", False),
        ("<think>so</think>It is <answer>[", False),
        ("<answer>[1]</answer><answer>[", False),
        ('<tool_call>{"q": "<answer>[', False),
        ("<think>I write <answer>[", False),
        ("<think>so</think><answer>", False),
        ("<think>so</think><answer>[x", False),
        ('<tool_call>{"name": [', False),
    ],
)
def test_where_an_answer_begins(text: str, begins: bool) -> None:
    following = constraint(ranking(3, whole_turn=False))
    following.begin(text, 100)
    assert following.active == begins


def test_an_answer_that_would_not_fit_whole_is_left_free() -> None:
    grammar = ranking(12, whole_turn=False)
    fits, cut = constraint(grammar), constraint(grammar)
    fits.begin("<answer>[", grammar.longest)
    cut.begin("<answer>[", grammar.longest - 1)
    assert (fits.active, cut.active) == (True, False)
    assert sorted(numbers("<answer>[" + written(fits, grammar.longest, 0))) == list(range(1, 13))


def test_a_free_turn_is_looked_at_only_after_ids_that_may_complete_the_opening() -> None:
    following = constraint(ranking(3, whole_turn=False))
    assert [following.may_begin(text) for text in ("[", " [1", "<answer>", "a")] == [True, True, False, False]


def test_a_prefix_is_continued() -> None:
    following = constraint(ranking(4, whole_turn=True), prefix="<answer>[3, ")
    assert sorted(numbers("<answer>[3, " + written(following, 50, 0))) == [1, 2, 3, 4]


def test_a_prefix_with_which_no_match_begins_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no match of the grammar begins with the prefix '\[1'"):
        constraint(ranking(4, whole_turn=True), prefix="[1")


def test_a_match_that_could_go_on_may_end_with_the_turn() -> None:
    following = constraint(Grammar(pattern="[0-9]+", opening="", whole_turn=True))
    assert VOCABULARY.turn_end not in following.allowed(5)
    following.take(VOCABULARY.text("7")[0])
    assert not following.whole
    assert VOCABULARY.turn_end in following.allowed(5)
    assert following.allowed(1)[-1] == VOCABULARY.turn_end


def test_marks_and_parts_of_characters_are_never_allowed() -> None:
    following = constraint(Grammar(pattern="[^a]{1,9}", opening="", whole_turn=True))
    allowed = following.allowed(9)
    assert VOCABULARY.marks.isdisjoint(allowed)
    assert all("\ufffd" not in VOCABULARY.decode([number]) for number in allowed)
    assert len(allowed) > 100


@pytest.mark.parametrize("pattern", ["(", "\u4e2d", "a(?=b)"])
def test_an_expression_that_cannot_be_followed_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the words are the library's
        Automaton.of(pattern, AUTOMATA.texts)


def test_ids_that_cannot_write_any_match_are_refused() -> None:
    with pytest.raises(ValueError, match="the tokenizer cannot write any match of 'ab'"):
        Automaton.of("ab", {0: "a", 1: "xb"})


def test_the_automata_used_last_are_kept() -> None:
    automata = Automata(VOCABULARY)
    made = {count: automata.of(f"a{{{count}}}") for count in range(1, KEPT + 1)}
    assert automata.of("a{1}") is made[1]
    automata.of("b")
    assert automata.of("a{1}") is made[1]
    assert automata.of("a{2}") is not made[2]

"""Pins the grammar of a turn: what is read, what is not, and that nothing raises."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vretrver.agent.answers import RankingAnswer, RankingForm
from vretrver.agent.parsing import MAX_CALL_DEPTH, MAX_TURN_CHARS, ParsedCall, parse_turn
from vretrver.agent.refusals import RefusalCode, refusal
from vretrver.policies.scripted import HOSTILE

CALL = '<tool_call>{"name": "look", "arguments": {"a": 1}}</tool_call>'
LOOK = ParsedCall(name="look", arguments={"a": 1})
NO_ANSWER = "an answer is a list of candidate numbers in brackets, as in <answer>[2, 1, 3]</answer>"

ANSWERS = [
    ("<answer>[2, 1, 3]</answer>", (2, 1, 3)),
    ("<answer>[2,1,3]</answer>", (2, 1, 3)),
    ("<answer>\n[ 2 ,\n1 ]\n</answer>", (2, 1)),
    ("<think>2 is red</think>\n<answer>[2]</answer>", (2,)),
    ("2 is red</think><answer>[2]</answer>", (2,)),
    ("<think><answer>[9]</answer></think><answer>[1]</answer>", (1,)),
    ("<think>a</think>So: <answer>[1]</answer> as asked.", (1,)),
    ("<answer>[0, 999999, 007]</answer>", (0, 999999, 7)),
    (f"{CALL}<answer>[1]</answer>", (1,)),
]

NO_ANSWERS = [
    ("", "the turn holds no tool call and no answer"),
    ("The order is 3, 1, 2.", "the turn holds no tool call and no answer"),
    ("[3, 1, 2]", "the turn holds no tool call and no answer"),
    ("<answer>3, 1, 2</answer>", NO_ANSWER),
    ("<answer>3</answer>", NO_ANSWER),
    ("<answer>[]</answer>", NO_ANSWER),
    ("<answer></answer>", NO_ANSWER),
    ("<answer>[1, 2,]</answer>", NO_ANSWER),
    ("<answer>[1 2]</answer>", NO_ANSWER),
    ("<answer>[-1, 2]</answer>", NO_ANSWER),
    ("<answer>[1.0]</answer>", NO_ANSWER),
    ("<answer>[[1, 2]]</answer>", NO_ANSWER),
    ("<answer>first [1, 2]</answer>", NO_ANSWER),
    ("<answer>[1234567]</answer>", NO_ANSWER),
    ("<answer>[\u0661, \u0662]</answer>", NO_ANSWER),
    ("<answer>[\uff11]</answer>", NO_ANSWER),
    ("<answer>__import__('os').getcwd()</answer>", NO_ANSWER),
    ("<answer>[1]", "the answer is not closed with </answer>"),
    ("<answer>[1]</answer><answer>[2]", "the answer is not closed with </answer>"),
    ("<answer>[1]</answer><answer>[1]</answer>", "the turn holds more than one answer"),
    ("<think>forever <answer>[1]</answer>", "the think block is not closed with </think>"),
    ("<answer>[1]</answer><think>", "the think block is not closed with </think>"),
    ("x" * (MAX_TURN_CHARS + 1), f"the turn is longer than {MAX_TURN_CHARS} characters"),
]

UNREADABLE = [
    ("", "the call is not valid JSON (Expecting value: line 1 column 1 (char 0))"),
    ("look(1)", "the call is not valid JSON (Expecting value: line 1 column 1 (char 0))"),
    ("{'name': 'look', 'arguments': {}}", "the call is not valid JSON (Expecting property name enclosed in double"),
    ('{"name": "look", "arguments": {"a": NaN}}', "the call is not valid JSON (NaN is not a JSON number)"),
    (
        '{"name": "look", "arguments": {"a": -Infinity}}',
        "the call is not valid JSON (-Infinity is not a JSON number)",
    ),
    ('{"name": "look", "arguments": {"a": 1e999}}', "the call is not valid JSON (Out of range float values"),
    ('{"name": "a", "name": "b", "arguments": {}}', "the call is not valid JSON (a key appears twice in one object)"),
    ('{"name": "look", "arguments": {"a": 1, "a": 2}}', "the call is not valid JSON (a key appears twice in one obj"),
    ('{"name": "look", "arguments": {"a": "\\ud800"}}', "the call is not valid JSON ('utf-8' codec can't encode"),
    ('{"name": "look", "arguments": {"a": ' + "9" * 5000 + "}}", "the call is not valid JSON (Exceeds the limit"),
    ("[]", 'a call is one JSON object with exactly the keys "name" and "arguments"'),
    ("null", 'a call is one JSON object with exactly the keys "name" and "arguments"'),
    ('{"name": "look"}', 'a call is one JSON object with exactly the keys "name" and "arguments"'),
    ('{"name": "look", "arguments": {}, "id": 1}', 'a call is one JSON object with exactly the keys "name" and'),
    ('{"name": 1, "arguments": {}}', '"name" must be a text and "arguments" an object'),
    ('{"name": "look", "arguments": []}', '"name" must be a text and "arguments" an object'),
    ('{"name": "look", "arguments": null}', '"name" must be a text and "arguments" an object'),
]


@pytest.mark.parametrize(("text", "numbers"), ANSWERS)
def test_an_answer_is_read(text: str, numbers: tuple[int, ...]) -> None:
    parsed = parse_turn(text, RankingForm())
    assert parsed.answer == RankingAnswer(numbers=numbers)
    assert parsed.problem is None


@pytest.mark.parametrize(("text", "problem"), NO_ANSWERS)
def test_what_is_no_answer_is_said_to_be_none(text: str, problem: str) -> None:
    parsed = parse_turn(text, RankingForm())
    assert parsed.answer is None
    assert parsed.calls == ()
    assert parsed.problem is not None
    assert parsed.problem.worded() == problem


@pytest.mark.parametrize(("content", "problem"), UNREADABLE)
def test_an_unreadable_call_is_kept_with_its_reason(content: str, problem: str) -> None:
    (call,) = parse_turn(f"<tool_call>{content}</tool_call>", RankingForm()).calls
    assert (call.name, call.arguments) == (None, None)
    assert call.problem is not None
    assert call.problem.worded().startswith(problem)


def test_calls_are_read_in_order_and_one_bad_call_does_not_hide_the_others() -> None:
    parsed = parse_turn(f"<think>unsure</think>{CALL} and <tool_call>{{}}</tool_call>{CALL}", RankingForm())
    assert parsed.think == "unsure"
    assert parsed.calls[0] == parsed.calls[2] == LOOK
    assert parsed.calls[1].problem is not None
    assert parsed.problem is None


def test_a_call_that_is_cut_off_is_a_call_with_a_problem() -> None:
    parsed = parse_turn(f'{CALL}<tool_call>{{"name": "look"', RankingForm())
    assert parsed.calls == (LOOK, ParsedCall(problem=refusal(RefusalCode.CALL_OPEN)))


def test_an_answer_inside_a_call_or_a_thought_is_none() -> None:
    assert parse_turn("<tool_call><answer>[1]</answer></tool_call>", RankingForm()).answer is None
    assert parse_turn("<think><answer>[1]</answer></think>", RankingForm()).answer is None


def test_a_thought_without_opening_tag_is_taken_out() -> None:
    assert parse_turn("it is 2</think><answer>[2]</answer>", RankingForm()).think == "it is 2"


@pytest.mark.parametrize("depth", [MAX_CALL_DEPTH + 1, 200, 300, 900, 2000, 20_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_call_nested_too_deeply_is_refused_at_any_depth(depth: int, opening: str, closing: str) -> None:
    content = opening * depth + "1" + closing * depth
    (call,) = parse_turn(f"<tool_call>{content}</tool_call>", RankingForm()).calls
    assert call.problem is not None
    assert call.problem.worded() == f"the call is nested more than {MAX_CALL_DEPTH} deep"


def test_a_call_as_deep_as_allowed_is_read() -> None:
    inner = "[" * (MAX_CALL_DEPTH - 2) + "]" * (MAX_CALL_DEPTH - 2)
    (call,) = parse_turn(
        f'<tool_call>{{"name": "look", "arguments": {{"a": {inner}}}}}</tool_call>', RankingForm()
    ).calls
    assert call.problem is None


def test_a_long_name_is_cut() -> None:
    (call,) = parse_turn(f'<tool_call>{{"name": "{"x" * 5000}", "arguments": {{}}}}</tool_call>', RankingForm()).calls
    assert call.name == "x" * 200


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_turns_give_an_answer_a_call_or_a_problem(text: str) -> None:
    parsed = parse_turn(text, RankingForm())
    assert parsed.answer is not None or parsed.calls or parsed.problem


SNIPPETS = st.sampled_from(
    [
        *("<think>", "</think>", "<tool_call>", "</tool_call>", "<answer>", "</answer>"),
        *('{"name": "look", ', '"arguments": {}}', "{", "}", "[1, 2]", "]", "\ud800", "\x00", "9" * 30),
    ]
)


@given(st.lists(SNIPPETS, max_size=12).map("".join) | st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_without_an_exception(text: str) -> None:
    parsed = parse_turn(text, RankingForm())
    assert parsed.answer is not None or parsed.calls or parsed.problem
    assert all((call.problem is None) == (call.name is not None) for call in parsed.calls)


def test_depth_is_told_without_recursion() -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        (call,) = parse_turn(f"<tool_call>{'[' * 5000}{']' * 5000}</tool_call>", RankingForm()).calls
    finally:
        sys.setrecursionlimit(before)
    assert call.problem is not None
    assert call.problem.worded() == f"the call is nested more than {MAX_CALL_DEPTH} deep"

"""The one grammar of a turn and its one parser.

    turn   := [think] (call+ | answer)
    think  := "<think>" text "</think>"
    call   := "<tool_call>" {"name": text, "arguments": object} "</tool_call>"
    answer := "<answer>" text of the answer's form "</answer>"

Total over all strings: nothing raises, nothing is evaluated, and what is not understood is named in `problem`.
What stands between the answer tags is read by the dialect's `AnswerForm`. Departures from the released code (spec
1.4, 2.5, 9): no `eval`, duplicate JSON keys and numbers such as NaN are refused, and two answers in a turn are no
answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from .._json import read_json
from .answers import Answer, AnswerForm
from .json_problems import json_problem
from .refusals import Refusal, RefusalCode, refusal

MAX_TURN_CHARS = 200_000
"""Longer turns are not read."""

MAX_CALL_DEPTH = 32
"""Deeper nested calls are refused: a record must stay readable, and JSON readers give up at some depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCall:
    """One tool call as it was written."""

    name: str | None = None
    """The tool's name; None when the call could not be read."""
    arguments: dict[str, object] | None = None
    """The arguments, JSON values only; None when the call could not be read."""
    problem: Refusal | None = None
    """Why the call could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTurn:
    """What a turn says."""

    think: str = ""
    """The reasoning, tags left out."""
    calls: tuple[ParsedCall, ...] = ()
    """The calls in order, unreadable ones included."""
    answer: Answer | None = None
    """The answer as written; None when there is no valid answer."""
    problem: Refusal | None = None
    """Why the turn holds neither call nor answer, or what is wrong with its answer."""


def parse_turn(text: str, form: AnswerForm) -> ParsedTurn:
    """Read one turn whose answer has a form. Never raises."""
    if len(text) > MAX_TURN_CHARS:
        return ParsedTurn(problem=refusal(RefusalCode.TURN_TOO_LONG, limit=MAX_TURN_CHARS))
    think, body = _split_think(text)
    if body is None:
        return ParsedTurn(think=think, problem=refusal(RefusalCode.THINK_OPEN))
    inner, rest, open_call = _cut(body, "tool_call")
    calls = tuple(_parse_call(content) for content in inner)
    if open_call:
        calls = (*calls, ParsedCall(problem=refusal(RefusalCode.CALL_OPEN)))
    answer, problem = _parse_answer(rest, form)
    if answer is None and problem is None and not calls:
        problem = refusal(RefusalCode.TURN_EMPTY)
    return ParsedTurn(think=think, calls=calls, answer=answer, problem=problem)


def _split_think(text: str) -> tuple[str, str | None]:
    """Return the reasoning and what follows it; a missing opening tag is allowed, as some templates write it."""
    head, closed, body = text.partition("</think>")
    if closed:
        return head.removeprefix("<think>").strip(), body
    return (text, None) if "<think>" in text else ("", text)


def _cut(text: str, tag: str) -> tuple[list[str], str, bool]:
    """Take the contents of all `<tag>` blocks out of text; says whether one stays open at the end."""
    opening, closing = f"<{tag}>", f"</{tag}>"
    inner: list[str] = []
    rest: list[str] = []
    at = 0
    while (start := text.find(opening, at)) >= 0:
        rest.append(text[at:start])
        end = text.find(closing, start)
        if end < 0:
            return inner, "".join(rest), True
        inner.append(text[start + len(opening) : end])
        at = end + len(closing)
    rest.append(text[at:])
    return inner, "".join(rest), False


def _parse_call(content: str) -> ParsedCall:
    try:
        value = read_json(content)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # lone surrogates, 1e999: not to be recorded
    except RecursionError:
        return ParsedCall(problem=refusal(RefusalCode.CALL_DEPTH, limit=MAX_CALL_DEPTH))
    except ValueError as error:
        return ParsedCall(problem=refusal(RefusalCode.CALL_JSON, detail=json_problem(error, content)))
    if _is_deeper(value, MAX_CALL_DEPTH):
        return ParsedCall(problem=refusal(RefusalCode.CALL_DEPTH, limit=MAX_CALL_DEPTH))
    if not isinstance(value, dict) or set(value) != {"name", "arguments"}:
        return ParsedCall(problem=refusal(RefusalCode.CALL_KEYS))
    name, arguments = value["name"], value["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return ParsedCall(problem=refusal(RefusalCode.CALL_TYPES))
    return ParsedCall(name=name[:200], arguments=arguments)


def _is_deeper(value: object, limit: int) -> bool:
    """Say whether JSON is nested more than `limit` deep; no recursion, so that any depth can be told."""
    level = [value]
    for _ in range(limit + 1):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _parse_answer(text: str, form: AnswerForm) -> tuple[Answer | None, Refusal | None]:
    inner, _, open_answer = _cut(text, "answer")
    if open_answer:
        return None, refusal(RefusalCode.ANSWER_OPEN)
    if not inner:
        return None, None
    if len(inner) > 1:
        return None, refusal(RefusalCode.SEVERAL_ANSWERS)
    answer = form.read(inner[0])
    return answer, None if answer is not None else refusal(RefusalCode.ANSWER_FORM, form=form.described)

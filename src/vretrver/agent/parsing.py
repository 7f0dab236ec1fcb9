"""The one grammar of a turn, its one parser, and the one repair rule of a ranking.

    turn   := [think] (call+ | answer)
    think  := "<think>" text "</think>"
    call   := "<tool_call>" {"name": text, "arguments": object} "</tool_call>"
    answer := "<answer>" "[" integer ("," integer)* "]" "</answer>"

Total over all strings: nothing raises, nothing is evaluated, and what is not understood is named in `problem`.
Prose with digits is not an answer. Departures from the released code (spec 1.4, 2.5, 9): no `eval`, duplicate JSON
keys and numbers such as NaN are refused, and two answers in a turn are no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_TURN_CHARS = 200_000
"""Longer turns are not read."""

MAX_CALL_DEPTH = 32
"""Deeper nested calls are refused: a record must stay readable, and JSON readers give up at some depth."""

_ANSWER = re.compile(r"\[[ \t\n]*[0-9]{1,6}(?:[ \t\n]*,[ \t\n]*[0-9]{1,6})*[ \t\n]*\]")
_TOO_DEEP = f"the call is nested more than {MAX_CALL_DEPTH} deep"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCall:
    """One tool call as it was written."""

    name: str | None = None
    """The tool's name; None when the call could not be read."""
    arguments: dict[str, object] | None = None
    """The arguments, JSON values only; None when the call could not be read."""
    problem: str | None = None
    """Why the call could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTurn:
    """What a turn says."""

    think: str = ""
    """The reasoning, tags left out."""
    calls: tuple[ParsedCall, ...] = ()
    """The calls in order, unreadable ones included."""
    answer: tuple[int, ...] | None = None
    """The numbers of the answer as written; None when there is no valid answer."""
    problem: str | None = None
    """Why the turn holds neither call nor answer, or what is wrong with its answer."""


def parse_turn(text: str) -> ParsedTurn:
    """Read one turn. Never raises."""
    if len(text) > MAX_TURN_CHARS:
        return ParsedTurn(problem=f"the turn is longer than {MAX_TURN_CHARS} characters")
    think, body = _split_think(text)
    if body is None:
        return ParsedTurn(think=think, problem="the think block is not closed with </think>")
    inner, rest, open_call = _cut(body, "tool_call")
    calls = tuple(_parse_call(content) for content in inner)
    if open_call:
        calls = (*calls, ParsedCall(problem="the call is not closed with </tool_call>"))
    answer, problem = _parse_answer(rest)
    if answer is None and problem is None and not calls:
        problem = "the turn holds no tool call and no answer"
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
        value = json.loads(content, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # lone surrogates, 1e999: not to be recorded
    except RecursionError:
        return ParsedCall(problem=_TOO_DEEP)
    except ValueError as error:
        return ParsedCall(problem=f"the call is not valid JSON ({str(error)[:120]})")
    if _is_deeper(value, MAX_CALL_DEPTH):
        return ParsedCall(problem=_TOO_DEEP)
    if not isinstance(value, dict) or set(value) != {"name", "arguments"}:
        return ParsedCall(problem='a call is one JSON object with exactly the keys "name" and "arguments"')
    name, arguments = value["name"], value["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return ParsedCall(problem='"name" must be a text and "arguments" an object')
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


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def _parse_answer(text: str) -> tuple[tuple[int, ...] | None, str | None]:
    inner, _, open_answer = _cut(text, "answer")
    if open_answer:
        return None, "the answer is not closed with </answer>"
    if not inner:
        return None, None
    if len(inner) > 1:
        return None, "the turn holds more than one answer"
    content = inner[0].strip()
    if not _ANSWER.fullmatch(content):
        return None, "an answer is a list of candidate numbers in brackets, as in <answer>[2, 1, 3]</answer>"
    return tuple(int(number) for number in content[1:-1].split(",")), None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """What was changed to make a permutation of an answer."""

    out_of_range: tuple[int, ...] = ()
    """Numbers dropped because no candidate has them."""
    repeated: tuple[int, ...] = ()
    """Numbers dropped because they had been named before."""
    missing: tuple[int, ...] = ()
    """Numbers appended because they were not named, in the order given."""

    @property
    def any(self) -> bool:
        """Whether anything was changed."""
        return bool(self.out_of_range or self.repeated or self.missing)


def repair(answer: Sequence[int], count: int) -> tuple[tuple[int, ...], Repairs] | None:
    """Return a permutation of 1..count and what was changed, or None when no number of the answer is usable.

    Out-of-range numbers are dropped, then repeats, then the missing ones are appended in the order given.
    """
    outside = tuple(number for number in answer if not 1 <= number <= count)
    inside = [number for number in answer if 1 <= number <= count]
    named = tuple(dict.fromkeys(inside))
    if not named:
        return None
    seen: set[int] = set()
    repeated = tuple(number for number in inside if number in seen or seen.add(number))  # type: ignore[func-returns-value]
    missing = tuple(number for number in range(1, count + 1) if number not in seen)
    return (*named, *missing), Repairs(out_of_range=outside, repeated=repeated, missing=missing)

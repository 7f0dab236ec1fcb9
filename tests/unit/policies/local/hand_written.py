"""The answer grammar written out by hand, character by character: the slow reference of the compiled one.

Answers are `<answer>[n, n, ...]</answer>` with whole numbers of one to three digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vretrver.policies.local.grammar import Listed

_OPEN, _CLOSE = "<answer>[", "]</answer>"
_FIRST, _COMMA = len(_OPEN), len(_OPEN) + 4
_CLOSED = _COMMA + 2
END = _CLOSED + len(_CLOSE) - 1
"""The state in which an answer is complete; the first is 0."""


def _after(state: int, sign: str) -> int | None:
    """Return the state after one more character, or None when the grammar does not allow it.

    States below `_FIRST` count the characters of the opening; at `_FIRST` a number must begin, the three that follow
    count its digits; at `_COMMA` a comma was written, behind it a space; from `_CLOSED` on the closing is written.
    """
    if state < _FIRST:
        return state + 1 if sign == _OPEN[state] else None
    if state in (_FIRST, _COMMA, _COMMA + 1):
        if sign == " " and state == _COMMA:
            return _COMMA + 1
        return _FIRST + 1 if sign in "123456789" else None
    if state < _COMMA:
        if sign in "0123456789":
            return state + 1 if state < _COMMA - 1 else None
        return {",": _COMMA, "]": _CLOSED}.get(sign)
    written = state - _CLOSED + 1
    return state + 1 if state < END and sign == _CLOSE[written] else None


@dataclass(frozen=True, slots=True)
class HandGrammar:
    """The answer grammar over the ids of a tokenizer."""

    texts: dict[int, str]
    """Id -> its text, for ids that can occur in an answer."""
    moves: dict[int, dict[int, int]]
    """State -> allowed id -> state after it."""
    least: dict[int, int]
    """State -> fewest ids to the end."""

    @classmethod
    def of_texts(cls, texts: Mapping[int, str]) -> HandGrammar:
        """Return the grammar for ids of these texts."""
        signs = set(f"{_OPEN}{_CLOSE}0123456789, ")
        usable = {number: text for number, text in texts.items() if text and signs.issuperset(text)}
        moves: dict[int, dict[int, int]] = {}
        for state in range(END):
            reached = {number: _run(state, text) for number, text in usable.items()}
            moves[state] = {number: after for number, after in reached.items() if after is not None}
        return cls(usable, moves, _distances(moves))

    def allowed(self, state: int, left: int) -> list[int]:
        """Return the ids that may be written next, `left` being those that may still be written."""
        moves = self.moves[state]
        in_time = [number for number, after in moves.items() if self.least[after] < left]
        if in_time:
            return in_time
        nearest = min(self.least[after] for after in moves.values())
        return [number for number, after in moves.items() if self.least[after] == nearest]


class HandAnswer:
    """An answer that is being written.

    Args:
        grammar: what it follows.
        candidates: how many there are.
    """

    def __init__(self, grammar: HandGrammar, candidates: int) -> None:
        self.grammar = grammar
        self.state = 0
        self.listed: Listed | None = Listed(candidates)

    @property
    def whole(self) -> bool:
        """Whether it is written to its end."""
        return self.state == END

    def allowed(self, left: int) -> list[int]:
        """Return the ids that may be written next, `left` being those that may still be written."""
        ids, listed, texts = self.grammar.allowed(self.state, left), self.listed, self.grammar.texts
        if listed is None:
            return ids
        once = [number for number in ids if listed.after(texts[number], complete=False) is not None]
        return [number for number in once if listed.after(texts[number], complete=True) is not None] or once or ids

    def take(self, number: int) -> None:
        """Note the id that was written, one of those allowed."""
        self.state = self.grammar.moves[self.state][number]
        if self.listed is not None:
            self.listed = self.listed.after(self.grammar.texts[number], complete=False)


def _run(state: int, text: str) -> int | None:
    at: int | None = state
    for sign in text:
        if at is None:
            return None
        at = _after(at, sign)
    return at


def _distances(moves: dict[int, dict[int, int]]) -> dict[int, int]:
    """Return state -> fewest moves to the end; states that cannot reach it are far."""
    far = 10**6
    least = {END: 0}
    for _ in range(len(moves)):
        for state, ways in moves.items():
            least[state] = min((1 + least.get(after, far) for after in ways.values()), default=far)
    return least

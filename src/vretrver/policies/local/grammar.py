"""Decoding held to an answer: `<answer>[n, n, ...]</answer>` with whole numbers of one to three digits.

How many candidates there are is not known here; numbers that are none, and repeats, are put right by
`agent.parsing.repair`. The list is closed in time: an id is allowed only if the end can still be reached from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...models.vocabulary import Vocabulary

_OPEN, _CLOSE = "<answer>[", "]</answer>"
_FIRST, _COMMA = len(_OPEN), len(_OPEN) + 4
_CLOSED = _COMMA + 2
END = _CLOSED + len(_CLOSE) - 1
"""The state in which an answer is whole; the first is 0."""


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
class AnswerGrammar:
    """The answer grammar over the ids of a tokenizer."""

    moves: dict[int, dict[int, int]] = field(repr=False)
    """State -> allowed id -> state after it."""
    least: dict[int, int] = field(repr=False)
    """State -> fewest ids to the end."""

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> AnswerGrammar:
        """Return the grammar for a tokenizer; every id is tried once."""
        signs = set(f"{_OPEN}{_CLOSE}0123456789, ")
        texts = {number: vocabulary.decode([number]) for number in range(vocabulary.size)}
        usable = {number: text for number, text in texts.items() if text and signs.issuperset(text)}
        moves: dict[int, dict[int, int]] = {}
        for state in range(END):
            reached = {number: _run(state, text) for number, text in usable.items()}
            moves[state] = {number: after for number, after in reached.items() if after is not None}
        return cls(moves, _distances(moves))

    def allowed(self, state: int, left: int) -> list[int]:
        """Return the ids that may be written next.

        Args:
            state: where the answer stands.
            left: ids that may still be written, this one included; where that is too few for any answer, the ids
                that are nearest to the end.
        """
        moves = self.moves[state]
        in_time = [number for number, after in moves.items() if self.least[after] < left]
        if in_time:
            return in_time
        nearest = min(self.least[after] for after in moves.values())
        return [number for number, after in moves.items() if self.least[after] == nearest]


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

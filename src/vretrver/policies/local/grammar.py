"""Decoding held to an answer: `<answer>[n, n, ...]</answer>` with whole numbers of one to three digits.

Where it is known how many candidates there are, none is named twice, and all are where the ids that are left last for
them; else `agent.parsing.repair` puts numbers right. The list is closed in time: an id is allowed only if the end can
still be reached from it; the last number of a list that has to end early may be one that was named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...models.vocabulary import Vocabulary

_OPEN, _CLOSE = "<answer>[", "]</answer>"
_FIRST, _COMMA = len(_OPEN), len(_OPEN) + 4
_CLOSED = _COMMA + 2
END = _CLOSED + len(_CLOSE) - 1
"""The state in which an answer is whole; the first is 0."""

MOST = 999
"""Most candidates an answer can name."""


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

    texts: dict[int, str] = field(repr=False)
    """Id -> its text, for ids that can stand in an answer."""
    opening: frozenset[int] = field(repr=False)
    """Ids that can open the list."""
    moves: dict[int, dict[int, int]] = field(repr=False)
    """State -> allowed id -> state after it."""
    least: dict[int, int] = field(repr=False)
    """State -> fewest ids to the end."""

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> AnswerGrammar:
        """Return the grammar for a tokenizer; every id is tried once."""
        return cls.of_texts({number: vocabulary.decode([number]) for number in range(vocabulary.size)})

    @classmethod
    def of_texts(cls, texts: Mapping[int, str]) -> AnswerGrammar:
        """Return the grammar for ids of these texts."""
        signs = set(f"{_OPEN}{_CLOSE}0123456789, ")
        usable = {number: text for number, text in texts.items() if text and signs.issuperset(text)}
        moves: dict[int, dict[int, int]] = {}
        for state in range(END):
            reached = {number: _run(state, text) for number, text in usable.items()}
            moves[state] = {number: after for number, after in reached.items() if after is not None}
        opening = frozenset(number for number, text in texts.items() if "[" in text)
        return cls(usable, opening, moves, _distances(moves))

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


@dataclass(frozen=True, slots=True)
class Listed:
    """The candidates that an answer has named so far."""

    candidates: int
    """How many there are."""
    named: frozenset[int] = frozenset()
    """Those named."""
    digits: str = ""
    """The beginning of the next one."""

    def after(self, text: str, *, complete: bool) -> Listed | None:
        """Return what is named after more text of an answer.

        Args:
            text: what follows; the grammar allows it.
            complete: whether the list may end with the last candidate only.

        Returns:
            None when the text names what is no candidate or was named, or ends the list before that may be.
        """
        named, digits = self.named, self.digits
        for sign in text:
            if sign.isdigit():
                digits += sign
                if not any(str(n).startswith(digits) for n in range(1, self.candidates + 1) if n not in named):
                    return None
            elif sign in ",]":
                if not digits or int(digits) in named or int(digits) > self.candidates:
                    return None
                named, digits = named | {int(digits)}, ""
                more = len(named) < self.candidates
                if more if sign == "]" and complete else sign == "," and not more:
                    return None
        return Listed(self.candidates, named, digits)


class Answer:
    """An answer that is being written.

    Args:
        grammar: what it is held to.
        candidates: how many there are; None, and more than `MOST`, lets it name any.
        written: what is written of it.

    Raises:
        ValueError: no answer begins so.
    """

    def __init__(self, grammar: AnswerGrammar, *, candidates: int | None = None, written: str = "") -> None:
        state = _run(0, written)
        if state is None:
            raise ValueError(f"no answer begins with {written!r}")
        self.grammar = grammar
        self.state = state
        known = candidates is not None and 1 <= candidates <= MOST
        self._listed = Listed(candidates or 0).after(written, complete=False) if known else None

    @property
    def whole(self) -> bool:
        """Whether it is written to its end."""
        return self.state == END

    def allowed(self, left: int) -> list[int]:
        """Return the ids that may be written next, `left` being those that may still be written."""
        ids, listed, texts = self.grammar.allowed(self.state, left), self._listed, self.grammar.texts
        if listed is None:
            return ids
        once = [number for number in ids if listed.after(texts[number], complete=False) is not None]
        return [number for number in once if listed.after(texts[number], complete=True) is not None] or once or ids

    def take(self, number: int) -> None:
        """Note the id that was written, one of those allowed."""
        self.state = self.grammar.moves[self.state][number]
        if self._listed is not None:
            self._listed = self._listed.after(self.grammar.texts[number], complete=False)


def begun(text: str) -> str | None:
    """Return the answer a turn has begun, `<answer>[` at least, when nothing but a closed think block precedes it.

    Anywhere else such a text may be a draft, or part of a call; it is left alone.
    """
    thought, closed, body = text.partition("</think>")
    written = (body if closed else thought).lstrip()
    return written if written.startswith(_OPEN) and _run(0, written) is not None else None


def characters(candidates: int) -> int:
    """Return the characters, so most ids, from `<answer>[` to the end of an answer that names all candidates."""
    return len(", ".join(map(str, range(1, candidates + 1)))) + len(_CLOSE)


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

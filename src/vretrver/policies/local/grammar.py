"""Constrained decoding: a turn, or the part of it that begins with a given text, follows a `Grammar`.

Two things are added to what the expression says. The match is closed in time: an id is allowed only if the end can
still be reached with the ids that are left. And where the numbers of a list are a permutation, none is named twice,
and all are named where the ids that are left suffice; the last number of a list that has to end early may repeat one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...agent.grammar import Grammar
from .automaton import Automaton

_THOUGHT = "</think>"


@dataclass(frozen=True, slots=True)
class Listed:
    """The numbers that a list `[2, 1, ...]` has named so far."""

    count: int
    """The list names numbers from 1 to this."""
    named: frozenset[int] = frozenset()
    """Those named."""
    digits: str = ""
    """The beginning of the next one."""

    def after(self, text: str, *, complete: bool) -> Listed | None:
        """Return what is named after more text of the list.

        Args:
            text: what follows; the grammar allows it.
            complete: whether the list may end with the last number only.

        Returns:
            None when the text names what is not in the range or was named, or ends the list before that may be.
        """
        named, digits = self.named, self.digits
        for character in text:
            if character.isdigit():
                digits += character
                if not any(str(n).startswith(digits) for n in range(1, self.count + 1) if n not in named):
                    return None
            elif character in ",]":
                if not digits or int(digits) in named or int(digits) > self.count:
                    return None
                named, digits = named | {int(digits)}, ""
                more = len(named) < self.count
                if more if character == "]" and complete else character == "," and not more:
                    return None
        return Listed(self.count, named, digits)


class Constraint:
    """A grammar as one turn follows it.

    Args:
        grammar: what is followed.
        automaton: that of its pattern.
        turn_end: id that ends a turn; allowed where a match is complete and could go on.
        prefix: text with which the turn begins.

    Raises:
        ValueError: the whole turn is constrained, and no match that can be written begins with the prefix.
    """

    def __init__(self, grammar: Grammar, automaton: Automaton, *, turn_end: int, prefix: str = "") -> None:
        self.grammar = grammar
        self.automaton = automaton
        self.turn_end = turn_end
        self._state: int | None = None
        self._listed: Listed | None = None
        if grammar.whole_turn and not self._enter(prefix):
            raise ValueError(f"no match of the grammar begins with the prefix {prefix!r}")

    @property
    def active(self) -> bool:
        """Whether the next id is constrained."""
        return self._state is not None

    @property
    def whole(self) -> bool:
        """Whether a match is complete and cannot go on."""
        return self._state in self.automaton.ends and not self.automaton.moves[self._state]

    def allowed(self, left: int) -> list[int]:
        """Return the ids that may be written next, `left` being those that may still be written."""
        state = self._at()
        texts, listed = self.automaton.texts, self._listed
        ids = self.automaton.allowed(state, left)
        if listed is not None:
            once = [number for number in ids if listed.after(texts[number], complete=False) is not None]
            ids = [number for number in once if listed.after(texts[number], complete=True) is not None] or once or ids
        return [*ids, self.turn_end] if state in self.automaton.ends else ids

    def take(self, number: int) -> None:
        """Follow the id that was written, one of those allowed."""
        if number == self.turn_end:
            return
        self._state = self.automaton.moves[self._at()][number]
        if self._listed is not None:
            self._listed = self._listed.after(self.automaton.texts[number], complete=False)

    def may_begin(self, text: str) -> bool:
        """Say whether the text of one id may complete the opening; saves looking at the turn after every id."""
        return self.grammar.opening[-1:] in text

    def begin(self, text: str, left: int) -> None:
        """Constrain what follows if the turn has written the opening and a match that names everything still fits.

        Only the turn's beginning, or what follows a closed think block, counts: elsewhere the opening may be a draft,
        or part of a call.

        Args:
            text: the turn so far.
            left: ids that may still be written.
        """
        thought, closed, body = text.partition(_THOUGHT)
        written = (body if closed else thought).lstrip()
        if written.startswith(self.grammar.opening) and self.grammar.longest <= left:
            self._enter(written)

    def _enter(self, written: str) -> bool:
        """Constrain what follows a text; False, and nothing is constrained, when no match begins with it."""
        self._state = self.automaton.after(written)
        if self._state is not None and self.grammar.permutation is not None:
            self._listed = Listed(self.grammar.permutation).after(written, complete=False)
        return self._state is not None

    def _at(self) -> int:
        if self._state is None:
            raise RuntimeError("a turn that is written freely has no ids it is constrained to")
        return self._state

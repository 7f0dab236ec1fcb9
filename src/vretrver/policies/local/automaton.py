"""Regular expressions as automata over the ids of a tokenizer.

`outlines_core` turns an expression into an automaton over bytes and walks the text of every id through it. It is
given only ids whose text can occur in a match, a few hundred of the 150,000 of a published tokenizer; and the single
characters under ids of their own, so that a text can be followed however it is cut into ids.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from outlines_core import Index
from outlines_core import Vocabulary as IndexVocabulary

from ...models.vocabulary import Vocabulary

KEPT = 64
"""Automata kept: one for each number of candidates and form of the answer in use."""

FAR = 10**9
"""Distance to the end from where it cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Automaton:
    """What ids may follow one another in the matches of a regular expression."""

    start: int
    """The state before anything is written."""
    ends: frozenset[int]
    """The states in which a match is complete; in some of them it may go on."""
    moves: Mapping[int, Mapping[int, int]] = field(repr=False)
    """State -> id that may follow -> state after it; all states are keys."""
    steps: Mapping[int, Mapping[str, int]] = field(repr=False)
    """State -> character that may follow -> state after it; all states are keys."""
    least: Mapping[int, int] = field(repr=False)
    """State -> fewest ids to the end; all states are keys."""
    texts: Mapping[int, str] = field(repr=False)
    """Id -> its text, for ids that can occur in a match."""

    @classmethod
    def of(cls, pattern: str, texts: Mapping[int, str]) -> Automaton:
        """Return the automaton of an expression.

        Args:
            pattern: the regular expression.
            texts: id -> its text, for every id that may be written at all.

        Raises:
            ValueError: the expression cannot be read, or no match can be written with these ids.
        """
        characters = _occurring(pattern, set().union(*texts.values()))
        usable = {number: text for number, text in texts.items() if text and characters.issuperset(text)}
        first = max(texts) + 1
        of_character = dict(enumerate(sorted(characters), start=first))
        index = _indexed(pattern, usable | of_character)
        transitions, ends = index.get_transitions(), frozenset(index.get_final_states())
        moves: dict[int, dict[int, int]] = {state: {} for state in (*transitions, *ends)}
        steps: dict[int, dict[str, int]] = {state: {} for state in moves}
        for state, ways in transitions.items():
            moves[state] = {number: ways[number] for number in sorted(ways) if number < first}
            steps[state] = {of_character[number]: after for number, after in ways.items() if number in of_character}
        least, start = _distances(moves, ends), index.get_initial_state()
        if least[start] >= FAR:
            raise ValueError(f"the tokenizer cannot write any match of {pattern!r}")
        return cls(start=start, ends=ends, moves=moves, steps=steps, least=least, texts=usable)

    def after(self, text: str) -> int | None:
        """Return the state after a text from the start, None when no match that can be written begins with it."""
        state = self.start
        for character in text:
            after = self.steps[state].get(character)
            if after is None:
                return None
            state = after
        return state if self.least[state] < FAR else None

    def allowed(self, state: int, left: int) -> list[int]:
        """Return the ids that may be written next, ascending.

        Args:
            state: where the match is; one that may go on.
            left: ids that may still be written, this one included; where that is too few for any match, the ids
                that are nearest to the end.
        """
        moves = self.moves[state]
        in_time = [number for number, after in moves.items() if self.least[after] < left]
        if in_time or state in self.ends:
            return in_time
        nearest = min(self.least[after] for after in moves.values())
        return [number for number, after in moves.items() if self.least[after] == nearest]


class Automata:
    """The automata over one tokenizer, those used last kept.

    Args:
        vocabulary: the tokenizer.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._kept: OrderedDict[str, Automaton] = OrderedDict()

    @cached_property
    def texts(self) -> dict[int, str]:
        """Id -> its text, for every id but the marks of the wire form and those that are part of a character."""
        vocabulary = self.vocabulary
        texts = ((number, vocabulary.decode([number])) for number in range(vocabulary.size))
        return {number: text for number, text in texts if number not in vocabulary.marks and "\ufffd" not in text}

    def of(self, pattern: str) -> Automaton:
        """Return the automaton of an expression; raises as `Automaton.of`."""
        automaton = self._kept.get(pattern) or Automaton.of(pattern, self.texts)
        self._kept[pattern] = automaton
        self._kept.move_to_end(pattern)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return automaton


def _occurring(pattern: str, characters: set[str]) -> set[str]:
    """Return which of some characters can occur in a match."""
    of_number = dict(enumerate(sorted(characters)))
    transitions = _indexed(pattern, of_number).get_transitions()
    return {of_number[number] for ways in transitions.values() for number in ways if number in of_number}


def _indexed(pattern: str, texts: Mapping[int, str]) -> Index:
    """Return the library's index; the end of the text, which it marks by an id too, gets the next free one."""
    ids: dict[str, list[int]] = {}
    for number, text in texts.items():
        ids.setdefault(text, []).append(number)
    return Index(pattern, IndexVocabulary(max(texts, default=0) + 1, ids))


def _distances(moves: Mapping[int, Mapping[int, int]], ends: frozenset[int]) -> dict[int, int]:
    """Return state -> fewest moves to an end, by breadth-first search from the ends backwards."""
    before: dict[int, set[int]] = {state: set() for state in moves}
    for state, ways in moves.items():
        for after in ways.values():
            before[after].add(state)
    least = dict.fromkeys(moves, FAR) | dict.fromkeys(ends, 0)
    queue = deque(ends)
    while queue:
        after = queue.popleft()
        for state in before[after]:
            if least[state] == FAR:
                least[state] = least[after] + 1
                queue.append(state)
    return least

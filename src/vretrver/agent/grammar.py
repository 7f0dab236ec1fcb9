"""What a completion may be constrained to, as data: any policy can read it, none has to know the answer's form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A constraint on the text of a turn, or on the part of a turn that begins with a given text."""

    pattern: str
    """Regular expression that the whole constrained text matches. Only literals, classes, groups, alternation and
    bounded or unbounded repetition are used, so that every engine of constrained decoding takes it."""
    opening: str
    """Literal text with which every match of `pattern` begins."""
    whole_turn: bool
    """True: the turn is a match of `pattern` and nothing else. False: the model writes freely, and from where it
    writes `opening` itself, after a closed think block or at the turn's beginning, a match of `pattern` follows and
    ends the turn."""
    permutation: int | None = None
    """Where known, the numbers in the match name each of 1 to this many exactly once: more than a regular expression
    of reasonable size can say, so a policy that follows ids one by one adds it and others leave it to repair."""
    longest: int = 0
    """Most characters that follow `opening` in a match that names everything; 0 is not known. A turn that is not
    `whole_turn` is constrained only where that many tokens are left, else it goes on freely."""

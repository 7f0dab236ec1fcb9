"""A dialect holds what differs between prompts and checkpoints; loop, parser and records are the same for all.

The dialects themselves are in `dialects/`: `vretrver` (ours) and `released` (the published checkpoints).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .bench import BoxRule, Look, Views
from .messages import Piece
from .task import WindowTask
from .tools import Executed, Tool


class Wording(Protocol):
    """The texts of a dialect. Every method is pure: same input, same text."""

    def system(self, tools: Sequence[Tool]) -> str:
        """Return the system message: role, tools, grammar. No tools means ranking without looking."""
        ...

    def item(self, number: int, pieces: Sequence[Piece]) -> list[Piece]:
        """Return candidate `number` (from 1) with its pictures and texts laid out."""
        ...

    def user(self, task: WindowTask, query: Sequence[Piece], candidates: Sequence[Piece]) -> list[Piece]:
        """Return the user message around the query's and the candidates' pieces."""
        ...

    def look(self, look: Look) -> list[Piece]:
        """Return one look: which picture and region it is, and the picture."""
        ...

    def reply(self, outcomes: Sequence[tuple[Executed, Sequence[Piece]]]) -> list[Piece]:
        """Return the message that answers a turn's calls, each outcome with the pieces of its looks."""
        ...

    def malformed(self, problem: str) -> str:
        """Return the message that answers a turn without call or answer."""
        ...

    def force(self, count: int) -> str:
        """Return the message that asks for the answer over `count` candidates and nothing else."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What the agent is told and how its turns are read."""

    name: str
    """`vretrver` or `released`; stands in every trajectory."""
    wording: Wording
    """The texts."""
    tools: tuple[Tool, ...]
    """What may be called; empty for ranking without looking."""
    boxes: BoxRule
    """How a box becomes a region."""
    views: Views
    """Sizes of pictures; a configuration may replace them."""
    turns: int
    """Most turns before the answer is forced, or the session ends."""
    calls_per_turn: int
    """Calls carried out in one turn; further ones are refused."""
    forces_answer: bool
    """Whether a turn without call or answer is told what is wrong, and the answer is asked for when the turns are
    used up; otherwise either ends the session."""
    stop: tuple[str, ...] = ()
    """Strings that end a completion."""

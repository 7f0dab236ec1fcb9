"""A dialect holds what differs between prompts and checkpoints; loop, parser and records are the same for all.

The dialects themselves are in `dialects/`: `vretrver` (ours) and `released` (the published checkpoints).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .answers import AnswerForm, RankingForm
from .bench import BoxRule, Views
from .details import Words
from .messages import Piece
from .observations import Observation
from .task import WindowTask
from .tools import Executed, Tool


class Wording(Protocol):
    """Every text a model can be told. Every method is pure: same input, same text."""

    @property
    def refusals(self) -> Words:
        """Words of refusals and problems, and of the details in them, as templates over their facts."""
        ...

    @property
    def unavailable(self) -> str:
        """What takes the place of a picture that cannot be read."""
        ...

    def text(self, text: str, *, limit: int, first: bool) -> str:
        """Return a text part of an item.

        Args:
            text: the part, as data wrote it.
            limit: most characters of it.
            first: whether nothing of the item precedes it.
        """
        ...

    def system(self, tools: Sequence[Tool], form: AnswerForm) -> str:
        """Return the system message: role, tools, grammar. No tools means ranking without looking."""
        ...

    def item(self, number: int, pieces: Sequence[Piece]) -> list[Piece]:
        """Return candidate `number` (from 1) with its pictures and texts laid out."""
        ...

    def user(self, task: WindowTask, query: Sequence[Piece], candidates: Sequence[Piece]) -> list[Piece]:
        """Return the user message around the query's and the candidates' pieces."""
        ...

    def observation(self, observation: Observation) -> list[Piece]:
        """Return what a call brought back: which pictures and regions it is of, and the picture or the text."""
        ...

    def reply(self, outcomes: Sequence[tuple[Executed, Sequence[Piece]]]) -> list[Piece]:
        """Return the message that answers a turn's calls, each outcome with the pieces of its observations."""
        ...

    def malformed(self, problem: str) -> str:
        """Return the message that answers a turn without call or answer."""
        ...

    def forced(self, reply: Sequence[Piece], count: int, form: AnswerForm) -> list[Piece]:
        """Return a request for the answer over `count` candidates alone, behind a reply if there is one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What the agent is told and how its turns are read."""

    name: str
    """`vretrver` or `released`; in every trajectory."""
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
    form: AnswerForm = field(default_factory=RankingForm)
    """What an answer is."""

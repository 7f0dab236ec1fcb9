"""The record of a session, schema version 2: reports, training samples and rewards are views of it.

Failed, unscored and zero are three things: a trajectory without a usable answer has verdict FAILED, `ranking` None
and a stop reason that says why; it never carries the coarse order as if it had been confirmed. Picture bytes are not
kept, but what makes them again is: reference, region, size, and the hash to check them by. Messages name pictures by
their place in `shown`, the one list of what the model met. Schema 1 is read through `trajectory_v1`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from ..records import ImageRef
from .answers import Answer, Repairs, Verdict
from .budget import Spent
from .observations import Layout
from .policy import Failure, FinishReason, Sampling, Usage
from .refusals import RefusalCode
from .task import WindowStep

SCHEMA: Final = 2
"""Version of the record; it grows when the meaning of a field changes."""

STORED = ConfigDict(ser_json_inf_nan="strings")
"""How records are written: JSON has no infinities, and a null in place of one could not be read back."""

CallOutcome = Literal["executed", "refused", "ignored"]
"""What becomes of a call; ignored means that the same turn also gave the answer."""

WireAddress = int | tuple[int, int]
"""A picture address as in prompt and tool calls: k, or (k, j)."""


class StopReason(StrEnum):
    """Why a session ended; every session has exactly one. `STOPS` says what each means."""

    ANSWERED = "answered"
    MALFORMED = "malformed"
    MAX_TURNS = "max_turns"
    MAX_TOKENS = "max_tokens"
    CONTEXT_OVERFLOW = "context_overflow"
    BUDGET = "budget"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    POLICY_ERROR = "policy_error"


STOPS: Mapping[StopReason, str] = {
    StopReason.ANSWERED: "A usable answer was given, by itself or when it was asked for.",
    StopReason.MALFORMED: "The last turn held no usable answer.",
    StopReason.MAX_TURNS: "The turns were used up on looks.",
    StopReason.MAX_TOKENS: "The last turn was cut off at its length limit before an answer.",
    StopReason.CONTEXT_OVERFLOW: "The conversation does not fit the policy's context or its limit of pictures.",
    StopReason.BUDGET: "The query's budget was used up.",
    StopReason.DEADLINE: "The deadline passed.",
    StopReason.CANCELLED: "The caller cancelled it.",
    StopReason.POLICY_ERROR: "The policy failed after its retries.",
}
"""One sentence per stop reason: its definition, and what reports say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRecord:
    """A picture, or a region of one, that was shown or read."""

    address: WireAddress
    """Its name."""
    did: str | None
    """The candidate's id; None for the query."""
    image: ImageRef
    """The original, with hash and upright size when it could be read."""
    asked: tuple[float, ...] | None = None
    """The box as written; None for a whole picture."""
    box: tuple[int, int, int, int] | None = None
    """(left, top, right, bottom) shown, in pixels of the upright original; None for the whole."""
    padding: tuple[int, int] = (0, 0)
    """Pixels added to left and top of what was asked for, before clipping."""

    @property
    def picture(self) -> int:
        """Which picture of its item it is, from 1."""
        return 1 if isinstance(self.address, int) else self.address[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureShown:
    """One picture the model was shown, in the prompt or by a call."""

    cuts: tuple[CutRecord, ...]
    """What it shows, at least one cut; several are put together as `layout` says."""
    layout: Layout = Layout.ALONE
    """How the cuts are put together."""
    turn: int | None = None
    """The turn, from 0, whose call brought it; None in the prompt."""
    call: int | None = None
    """The call, from 0, within its turn; None in the prompt."""
    width: int = 0
    """Width shown in pixels; 0 when it could not be shown."""
    height: int = 0
    """Height shown in pixels."""
    tokens: int = 0
    """Visual tokens."""
    sha256: str | None = None
    """Hash of the bytes shown; None when it could not be shown."""
    refused: str | None = None
    """Why it could not be shown."""
    kind: Literal["picture"] = "picture"
    """Tells pictures from texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShown:
    """One text that a call brought back, with where it was read."""

    cuts: tuple[CutRecord, ...]
    """Where it was read; at least one."""
    text: str
    """The text."""
    made_by: str
    """What read it, with its version."""
    turn: int
    """The turn, from 0, whose call brought it."""
    call: int
    """The call, from 0, within its turn."""
    kind: Literal["text"] = "text"
    """Tells texts from pictures."""


Shown = Annotated[PictureShown | TextShown, Field(discriminator="kind")]
"""Something the model was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One tool call and what became of it."""

    name: str | None
    """The tool; None when the call could not be read."""
    arguments: dict[str, Any] | None
    """The arguments as written; None when the call could not be read."""
    outcome: CallOutcome
    """What became of it."""
    code: RefusalCode | None = None
    """Why it was not executed."""
    reason: str | None = None
    """The same in the dialect's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A message with its pictures by number."""

    role: str
    """system, user or assistant."""
    pieces: tuple[str | int, ...]
    """Texts, and in between the places of pictures in `Trajectory.shown`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One completion and what it caused."""

    text: str
    """What the policy wrote, verbatim."""
    finish: FinishReason
    """Why the completion ended."""
    token_ids: tuple[int, ...] | None = None
    """The ids of the turn; None when the policy has none."""
    logprobs: tuple[float, ...] | None = None
    """One per id, the sampler's; 0 for ids that were given as a prefix."""
    held: tuple[tuple[int, int], ...] = ()
    """Ranges [start, end) of `token_ids` that a prefix or a grammar decided."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Log-probabilities that were asked for."""
    calls: tuple[CallRecord, ...] = ()
    """The calls in order."""
    reply: MessageRecord | None = None
    """The message that answered the turn and was sent; None when the session ended with the turn."""
    problem: str | None = None
    """What was wrong with the turn as a whole, in the dialect's words."""
    problem_code: RefusalCode | None = None
    """The same as a code."""
    forced: bool = False
    """Whether the turn was asked for the answer and nothing else."""
    usage: Usage = field(default_factory=Usage)
    """What it cost."""
    seconds: float = 0.0
    """From request to completion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """A finished session."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    session: str
    """The session's name."""
    qid: str
    """The query."""
    dialect: str
    """The dialect's name."""
    form: str
    """The name of the answer's form."""
    policy: str
    """The policy's fingerprint."""
    revision: int
    """Revision of the weights that wrote it: 0 as loaded, one more after each update in place."""
    sampling: Sampling
    """How completions were drawn."""
    config: str
    """Hash of the agent's configuration (dialect, views, plan, sampling, the budget that counted)."""
    step: WindowStep
    """The window's place in its plan."""
    candidates: tuple[str, ...]
    """Ids in the order shown; number k of the prompt is entry k - 1."""
    prompt: tuple[MessageRecord, ...]
    """The messages before the first turn."""
    shown: tuple[Shown, ...]
    """Everything the model met, in order; with the pictures that could not be shown, without what was never sent."""
    turns: tuple[Turn, ...]
    """The turns, in order."""
    stop: StopReason
    """Why the session ended."""
    verdict: Verdict
    """What it came to."""
    answer: Answer | None = None
    """The answer as written."""
    repairs: Repairs = field(default_factory=Repairs)
    """What was changed to make a ranking of the answer."""
    ranking: tuple[str, ...] | None = None
    """All candidates, best first; None when there is no usable answer."""
    forced: bool = False
    """Whether the answer was given only when forced."""
    failure: Failure | None = None
    """What failed, for POLICY_ERROR and CONTEXT_OVERFLOW."""
    stream: str = ""
    """Name of the random stream its turns were drawn from; empty is the session's name."""
    agent: str = ""
    """Hash of configuration, policy, weights and what the policy could take; empty in records of schema 1."""
    spent: Spent = field(default_factory=Spent)
    """What it cost of its query's budget; charged again where it is known already."""
    schema: Literal[2] = SCHEMA
    """Version of this record."""

    def __post_init__(self) -> None:
        """Refuse a record that contradicts itself with ValueError; every reader relies on this."""
        if not all(one.cuts for one in self.shown):
            raise ValueError("something was shown that has no cut")
        for message in (*self.prompt, *(turn.reply for turn in self.turns if turn.reply is not None)):
            missing = [one for one in message.pieces if isinstance(one, int) and not self._is_picture(one)]
            if missing:
                raise ValueError(f"a message shows picture {missing[0]}, which the record does not have")
        if (self.ranking is None) != (self.verdict is Verdict.FAILED):
            raise ValueError(f"the verdict {self.verdict} contradicts the ranking")
        if self.ranking is not None and sorted(self.ranking) != sorted(self.candidates):
            raise ValueError("the ranking is not an order of the candidates")

    def _is_picture(self, place: int) -> bool:
        shown = self.shown[place] if 0 <= place < len(self.shown) else None
        return isinstance(shown, PictureShown) and shown.refused is None

    @property
    def pictures(self) -> tuple[PictureShown, ...]:
        """The prompt's pictures, in order."""
        return tuple(one for one in self.shown if isinstance(one, PictureShown) and one.turn is None)

    def observations(self, turn: int) -> tuple[PictureShown | TextShown, ...]:
        """Return what the calls of a turn, from 0, brought back, in order."""
        return tuple(one for one in self.shown if one.turn == turn)

    @property
    def prompt_sha256(self) -> str:
        """Hash of everything shown before the first turn: texts, addresses and picture bytes."""
        address = {place: one.cuts[0].address for place, one in enumerate(self.shown)}
        messages = [[m.role, [address[p] if isinstance(p, int) else p for p in m.pieces]] for m in self.prompt]
        shown = json.dumps((messages, [picture.sha256 for picture in self.pictures]), ensure_ascii=True)
        return hashlib.sha256(shown.encode()).hexdigest()

    @property
    def looks(self) -> int:
        """Executed calls."""
        return sum(call.outcome == "executed" for turn in self.turns for call in turn.calls)

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of the prompt and of all looks."""
        return sum(one.tokens for one in self.shown if isinstance(one, PictureShown))

    @property
    def tokens(self) -> int:
        """Tokens of the whole conversation: the longest prompt read and what was written after it."""
        return max((t.usage.prompt_tokens + t.usage.completion_tokens for t in self.turns), default=0)

    def without_timing(self) -> Trajectory:
        """Return the record with all seconds 0, for comparing two runs byte by byte."""
        return replace(self, turns=tuple(replace(turn, seconds=0.0) for turn in self.turns))

"""The record of a session, schema version 1: reports, training samples and rewards are views of it.

Failed, unscored and zero are three things: a trajectory without a usable answer has `ranking` None and a stop reason
that says why; it never carries the coarse order as if it had been confirmed. Picture bytes are not kept, but what
makes them again is: reference, region, size, and the hash to check them by.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from ..records import ImageRef
from .parsing import Repairs
from .policy import FinishReason, Sampling, Usage
from .task import ScheduleStep

SCHEMA = 1
"""Version of the record; it grows when the meaning of a field changes."""

STORED = ConfigDict(ser_json_inf_nan="strings")
"""How records are written: JSON has no infinities, and a null in place of one could not be read back."""

CallOutcome = Literal["executed", "refused", "ignored"]
"""What becomes of a call; ignored means that the same turn also gave the answer."""

WireAddress = int | list[int]
"""A picture address as in prompt and tool calls: k, or [k, j]."""


class StopReason(StrEnum):
    """Why a session ended; every session has exactly one."""

    ANSWERED = "answered"
    """A usable answer was given, by itself or when forced."""
    MALFORMED = "malformed"
    """The last turn held no usable answer."""
    MAX_TURNS = "max_turns"
    """The turns were used up on looks."""
    MAX_TOKENS = "max_tokens"
    """The last completion was cut off at its length limit before an answer."""
    CONTEXT_OVERFLOW = "context_overflow"
    """The conversation does not fit the policy's context or its limit of pictures."""
    BUDGET = "budget"
    """The session's token budget was used up."""
    DEADLINE = "deadline"
    """The deadline passed."""
    CANCELLED = "cancelled"
    """The caller cancelled the session."""
    POLICY_ERROR = "policy_error"
    """The policy failed after its retries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRecord:
    """One picture as it stood in the prompt."""

    address: WireAddress
    """Its name."""
    did: str | None
    """The candidate's id; None for the query."""
    image: ImageRef
    """Where it came from, with hash and upright size when it could be read."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One tool call and what became of it."""

    name: str | None
    """The tool; None when the call could not be read."""
    arguments: dict[str, Any] | None
    """The arguments as written; None when the call could not be read."""
    outcome: CallOutcome
    """What became of it."""
    reason: str | None = None
    """Why it was not executed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRecord:
    """One picture a call showed."""

    call: int
    """Index of the call in its turn, from 0."""
    address: WireAddress
    """The picture."""
    did: str | None
    """The candidate's id; None for the query."""
    image: ImageRef
    """The original."""
    asked: list[float] | None
    """The box as written; None for a whole picture."""
    box: list[int] | None
    """[left, top, right, bottom] of the region shown, in pixels of the upright original; None for the whole."""
    padding: list[int]
    """Pixels added to left and top of what was asked for, before clipping."""
    width: int
    """Width shown in pixels."""
    height: int
    """Height shown in pixels."""
    tokens: int
    """Visual tokens."""
    sha256: str
    """Hash of the bytes shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A message with its pictures by number: text pieces, and the addresses of pictures in between."""

    role: str
    """system, user or assistant."""
    pieces: list[str | WireAddress]
    """Texts, and addresses of pictures; in a reply, pictures stand in the order of the turn's observations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One completion and what it caused."""

    text: str
    """What the policy wrote, verbatim."""
    finish: FinishReason
    """Why the completion ended."""
    token_ids: list[int] | None = None
    """The ids sampled; None when the policy has none."""
    logprobs: list[float] | None = None
    """One per id."""
    calls: list[CallRecord] = field(default_factory=list)
    """The calls in order."""
    observations: list[ObservationRecord] = field(default_factory=list)
    """The pictures shown, in order."""
    reply: MessageRecord | None = None
    """The message that answered the turn; None when the session ended with it."""
    problem: str | None = None
    """What was wrong with the turn as a whole."""
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
    policy: str
    """The policy's fingerprint."""
    sampling: Sampling
    """How completions were drawn."""
    config: str
    """Hash of the agent's configuration (dialect, views, limits, schedule, sampling)."""
    step: ScheduleStep
    """The window's place in its schedule."""
    candidates: list[str]
    """Ids in the order shown; number k of the prompt is entry k - 1."""
    prompt: list[MessageRecord]
    """The messages before the first turn."""
    pictures: list[PictureRecord]
    """The prompt's pictures, in order."""
    turns: list[Turn]
    """The turns, in order."""
    stop: StopReason
    """Why the session ended."""
    answer: list[int] | None = None
    """The numbers of the answer as written."""
    repairs: Repairs = field(default_factory=Repairs)
    """What was changed to make a ranking of the answer."""
    ranking: list[str] | None = None
    """All candidates, best first; None when there is no usable answer."""
    forced: bool = False
    """Whether the answer was given only when forced."""
    error: str | None = None
    """What failed, for POLICY_ERROR and CONTEXT_OVERFLOW."""
    schema: int = SCHEMA
    """Version of this record."""

    @property
    def prompt_sha256(self) -> str:
        """Hash of everything shown before the first turn: texts, addresses and picture bytes."""
        shown = [[m.role, m.pieces] for m in self.prompt], [p.sha256 for p in self.pictures]
        return hashlib.sha256(json.dumps(shown, ensure_ascii=True).encode()).hexdigest()

    @property
    def looks(self) -> int:
        """Executed calls."""
        return sum(call.outcome == "executed" for turn in self.turns for call in turn.calls)

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of the prompt and of all looks."""
        looked = sum(o.tokens for turn in self.turns for o in turn.observations)
        return sum(p.tokens for p in self.pictures) + looked

    @property
    def tokens(self) -> int:
        """Tokens of the whole conversation: the longest prompt read and what was written after it."""
        return max((t.usage.prompt_tokens + t.usage.completion_tokens for t in self.turns), default=0)

    def without_timing(self) -> Trajectory:
        """Return the record with all seconds 0, for comparing two runs byte by byte."""
        return replace(self, turns=[replace(turn, seconds=0.0) for turn in self.turns])

"""The one interface to anything that writes the agent's turns: scripted, journaled, local or remote.

A policy is asked with `submit` and answers through `collect`, in whatever order they finish; requests handed in
between two `collect` calls join what is running. It keeps each session's conversation (and, where it can, the KV
cache) until `release`; so a request carries only the messages that are new, and never the policy's own last turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from .messages import Message
from .task import WindowTask


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    """The policy ended its turn, or a stop string was met."""
    LENGTH = "length"
    """`Sampling.max_tokens` were written."""
    OVERFLOW = "overflow"
    """The conversation does not fit the policy's context."""
    DEADLINE = "deadline"
    """The request's deadline passed; the text may be cut short."""
    CANCELLED = "cancelled"
    """`Policy.cancel` was called for the session."""
    ERROR = "error"
    """The policy failed after its retries; `Completion.error` says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a completion is drawn."""

    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """Nucleus; 1 keeps everything."""
    max_tokens: int = 1024
    """Most tokens of one turn."""
    seed: int = 0
    """Seed of the draw, for policies that can be seeded."""
    complete_answers: bool = False
    """Whether an answer is held to naming every candidate once, by a policy that can hold it."""

    def __post_init__(self) -> None:
        """Refuse values outside their range with ValueError."""
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.max_tokens < 1:
            raise ValueError(f"sampling needs temperature >= 0, 0 < top_p <= 1 and max_tokens >= 1, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One ask: the new messages of a conversation, and how to go on from there."""

    sessions: tuple[str, ...]
    """The sessions that go on from here, one completion each. Several may be named in a conversation's first
    request only: they share its prefill, and each goes on by itself."""
    messages: tuple[Message, ...]
    """What is new since the sessions' last request. A conversation's first request may hold turns of the assistant:
    a policy goes on from them as if it had written them."""
    sampling: Sampling
    """How to draw."""
    stop: tuple[str, ...] = ()
    """Strings that end the completion; kept in its text."""
    deadline: float | None = None
    """`time.monotonic()` seconds after which nothing more is wanted; None is no deadline."""
    answer_only: bool = False
    """Whether only an answer is accepted; a policy may constrain its decoding to the answer's grammar."""
    candidates: int | None = None
    """How many candidates an answer names, from 1; None is not known. See `Sampling.complete_answers`."""
    score_tokens: tuple[str, ...] = ()
    """Texts of single tokens whose log-probability at the first position is wanted."""
    task: WindowTask | None = field(default=None, repr=False, compare=False)
    """What the session is about. Only scripted policies read it; it is never sent to a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a completion cost."""

    prompt_tokens: int = 0
    """Tokens of the whole conversation read, pictures included."""
    cached_tokens: int = 0
    """Those of them that came from a cache."""
    completion_tokens: int = 0
    """Tokens written."""
    estimated: bool = False
    """Whether the counts are estimates (`wire.estimate_tokens`) because the policy has no tokenizer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One finished turn of a policy."""

    session: str
    """The session that goes on with it."""
    text: str
    """What was written, stop string included, end-of-turn token left out."""
    finish: FinishReason = FinishReason.STOP
    """Why it ended."""
    token_ids: tuple[int, ...] | None = None
    """The ids sampled, end-of-turn token included when it was; None when the policy has none."""
    logprobs: tuple[float, ...] | None = None
    """Log-probability of each id, same length as `token_ids`."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Log-probability per entry of `Request.score_tokens`; empty when the policy cannot tell."""
    usage: Usage = field(default_factory=Usage)
    """What it cost."""
    error: str | None = None
    """What went wrong, when `finish` is ERROR or OVERFLOW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLimits:
    """What a policy can take."""

    in_flight: int = 8
    """Requests it works on at once; the driver keeps that many outstanding."""
    pictures: int | None = None
    """Most pictures in one conversation; None is no limit."""
    context_tokens: int | None = None
    """Most tokens in one conversation; None is no limit."""

    def __post_init__(self) -> None:
        """Refuse a policy that takes no request with ValueError: a driver would begin nothing and lose sessions."""
        if self.in_flight < 1:
            raise ValueError(f"a policy works on at least one request at once, got in_flight {self.in_flight}")


class Policy(Protocol):
    """Writes the agent's turns. Failures of a request are completions, never exceptions half-way through a batch."""

    @property
    def fingerprint(self) -> str:
        """Name and version of everything that decides what is written; goes into every trajectory."""
        ...

    @property
    def limits(self) -> PolicyLimits:
        """What the policy can take."""
        ...

    def submit(self, request: Request) -> None:
        """Take a request. Returns at once."""
        ...

    def collect(self) -> list[Completion]:
        """Wait until at least one completion is there and return all finished ones; empty when nothing is pending."""
        ...

    def cancel(self, session: str) -> None:
        """Ask for a pending completion to end soon as CANCELLED; unknown sessions are ignored."""
        ...

    def release(self, session: str) -> None:
        """Forget a session's conversation and cache, and drop its pending request: no completion of it follows.

        Unknown sessions are ignored; the name may be used again for another conversation.
        """
        ...

    def close(self) -> None:
        """Give back what the policy holds; it is not used afterwards."""
        ...

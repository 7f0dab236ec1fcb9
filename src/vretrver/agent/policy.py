"""The one interface to anything that writes the agent's turns: scripted, journaled, local or remote.

A policy is asked with `submit` and answers through `collect`, in whatever order requests finish; requests submitted
between two `collect` calls join the running batch. It keeps each session's conversation (and, where it can, the KV
cache) until `release`; so a request carries only the messages that are new, and never the policy's own last turn.

Threads: one thread owns a policy and makes every call, the thread of the one driver it belongs to. `cancel` and
`wake` are the exceptions: any thread may call them at any time, also while the owner waits in `collect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from .grammar import Grammar
from .messages import Message


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    """The policy ended its turn, or a stop string was met."""
    LENGTH = "length"
    """`Sampling.max_tokens` were written."""
    OVERFLOW = "overflow"
    """The conversation does not fit the policy's context."""
    DEADLINE = "deadline"
    """The request's deadline passed; the text may be cut short and is not part of the conversation."""
    CANCELLED = "cancelled"
    """`Policy.cancel` was called for the session; what was written by then is not part of the conversation."""
    ERROR = "error"
    """The policy failed after its retries; `Completion.failure` says how."""


class FailureKind(StrEnum):
    """What kind of failure a completion ended with."""

    CONTEXT = "context"
    """The conversation is longer than the policy's context."""
    OUT_OF_MEMORY = "out_of_memory"
    """Memory did not suffice; fewer requests at once may succeed."""
    REFUSED = "refused"
    """The server refused the request as it is."""
    UNREACHABLE = "unreachable"
    """The server was not reached, or failed after all retries."""
    FILTERED = "filtered"
    """A content filter withheld the answer; the same request would be withheld again."""
    UNREADABLE = "unreadable"
    """A message or a picture of the request could not be read."""
    BROKEN = "broken"
    """The policy itself failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a completion has no usable turn."""

    kind: FailureKind
    """What kind of failure."""
    words: str
    """One sentence for people: what failed, and a remedy where there is one."""

    @property
    def may_pass(self) -> bool:
        """Whether the same request may well succeed when it is made again."""
        return self.kind in (FailureKind.OUT_OF_MEMORY, FailureKind.UNREACHABLE, FailureKind.BROKEN)

    def __str__(self) -> str:
        return self.words


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

    def __post_init__(self) -> None:
        """Refuse values outside their range with ValueError."""
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.max_tokens < 1:
            raise ValueError(f"sampling needs temperature >= 0, 0 < top_p <= 1 and max_tokens >= 1, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for the next turn of one session."""

    session: str
    """The session that goes on."""
    messages: tuple[Message, ...]
    """What is new since the session's last request. A conversation's first request may hold turns of the assistant:
    a policy goes on from them as if it had written them."""
    sampling: Sampling
    """How to draw."""
    stop: tuple[str, ...] = ()
    """Strings that end the completion; kept in its text."""
    deadline: float | None = None
    """`time.monotonic()` seconds after which nothing more is wanted; None is no deadline."""
    after: str | None = None
    """In a session's first request: another session, with no request pending, from whose conversation as it is now
    this one starts. The other is not changed and may go on by itself; a policy with a KV cache shares what it holds,
    so that a fork costs the prefill of `messages` alone. `messages` may be empty."""
    prefix: str = ""
    """Text the turn begins with. It is part of the completion's text, and its ids count as held."""
    grammar: Grammar | None = None
    """What the turn is constrained to, by a policy that can constrain; others ignore it."""
    score_tokens: tuple[str, ...] = ()
    """Texts of single tokens whose log-probability at the first sampled position is wanted."""
    stream: str = ""
    """Name of the random stream of the draws; empty is the session's name. Equal streams, seeds and conversations
    draw equal turns, whatever the session is called."""
    read_only: bool = False
    """Read the messages and write nothing: the completion is empty and the conversation ends with the messages, so
    that other sessions can start after it."""

    def __post_init__(self) -> None:
        """Refuse a request that contradicts itself with ValueError."""
        if self.after == self.session:
            raise ValueError(f"session {self.session!r} cannot start after itself")


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
    """The ids of the prefix and those sampled, end-of-turn token included when it was; None when the policy has
    none."""
    logprobs: tuple[float, ...] | None = None
    """Log-probability of each id, same length as `token_ids`; 0 for ids of the prefix."""
    held: tuple[tuple[int, int], ...] = ()
    """Ranges [start, end) of `token_ids` that a prefix or a grammar decided, ascending and apart; training must not
    learn from them as if the policy had chosen freely."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Log-probability per entry of `Request.score_tokens`; empty when the policy cannot tell."""
    usage: Usage = field(default_factory=Usage)
    """What it cost."""
    failure: Failure | None = None
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
    """Writes the agent's turns. Failures of a request are completions, never exceptions half-way through a batch.

    A policy belongs to one driver at a time: completions of all its sessions come out of one `collect`. One that
    wraps another has it as `inner`, and both belong to the driver of either. See the module's docstring for which
    calls any thread may make.

    A turn that ended as STOP or LENGTH is part of its conversation. One that was cancelled or came too late is not:
    the conversation stands at the end of the messages before it, and the next request goes on from there. After
    ERROR and OVERFLOW a policy may refuse to go on with the session until it is released.
    """

    @property
    def fingerprint(self) -> str:
        """Name and version of everything that decides what is written; goes into every trajectory."""
        ...

    @property
    def revision(self) -> int:
        """Number of the weights in use: 0 as loaded, one more after each update in place. Part of `fingerprint`."""
        ...

    @property
    def scripted(self) -> bool:
        """Whether turns come from a script rather than a model: results then demonstrate, and measure nothing."""
        ...

    @property
    def limits(self) -> PolicyLimits:
        """What the policy can take."""
        ...

    def submit(self, request: Request) -> None:
        """Take a request. Returns at once.

        Raises:
            ValueError: the session has a request pending, or starts `after` a session that is unknown or has one.
        """
        ...

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        """Wait until at least one completion is there and return all finished ones.

        Returns an empty list when nothing is pending, when `patience` seconds passed, or when `wake` was called.

        Args:
            patience: most seconds to wait; None waits without limit, 0 takes what is there.
        """
        ...

    def wake(self) -> None:
        """Make the current `collect`, or the next one where none is waiting, return early. Any thread may call it."""
        ...

    def cancel(self, session: str) -> None:
        """End a pending completion soon as CANCELLED; unknown sessions are ignored. Any thread may call it."""
        ...

    def release(self, session: str) -> None:
        """Forget a session's conversation and cache, and drop its pending request: no completion of it follows.

        Unknown sessions are ignored; the name may be used again for another conversation. Sessions that started
        after this one keep what they share with it.
        """
        ...

    def close(self) -> None:
        """Give back what the policy holds; it is not used afterwards."""
        ...

"""What the local policy knows of a conversation, and of a turn that is being written."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from torch import Tensor

from ...agent.messages import Message
from ...agent.policy import Completion, FinishReason, Request, Usage
from ...models.vocabulary import Vocabulary
from .grammar import Answer


@dataclass(slots=True, eq=False)
class Talk:
    """A conversation as the model has read it."""

    unread: list[Message] = field(default_factory=list)
    """Messages that were handed in and not read yet."""
    kept: Tensor | None = None
    """Keys and values at rest, [layers, 2, heads, length, width]; None when there are none or a batch has them."""
    length: int = 0
    """Tokens in keys and values."""
    position: int = 0
    """Position of the next token."""
    carry: list[int] = field(default_factory=list)
    """The last id that was sampled, when it is not in keys and values yet."""
    asked: bool = False
    """Whether the policy wrote a turn, so that what comes next follows it."""
    ended: bool = False
    """Whether that turn's last id is the end of a turn."""
    turns: int = 0
    """Turns of the assistant so far."""
    failed: str | None = None
    """Why the conversation cannot go on."""

    @property
    def fresh(self) -> bool:
        """Whether nothing was read yet."""
        return not self.length


@dataclass(slots=True, kw_only=True, eq=False)
class Turn:
    """A turn that is waited for or being written."""

    session: str
    """Who it belongs to."""
    request: Request
    """What was asked."""
    talk: Talk
    """The conversation it continues."""
    ids: list[int] = field(default_factory=list)
    """Ids sampled so far."""
    logprobs: list[float] = field(default_factory=list)
    """Log-probability of each."""
    scores: dict[str, float] = field(default_factory=dict)
    """Log-probabilities that were asked for."""
    prompt: int = 0
    """Tokens of the conversation before the turn."""
    cached: int = 0
    """Those of them that were not read for this request."""
    answer: Answer | None = None
    """The answer that is being written, where it is held to the grammar."""
    cancelled: bool = False
    """Whether it is to end."""
    dropped: bool = False
    """Whether nobody waits for it any more."""
    finish: FinishReason | None = None
    """Why it ended; None while it goes on."""
    error: str | None = None
    """What went wrong."""

    def interrupted(self) -> FinishReason | None:
        """Say why the turn may not go on: it was cancelled, or its deadline has passed."""
        if self.cancelled or self.dropped:
            return FinishReason.CANCELLED
        deadline = self.request.deadline
        return FinishReason.DEADLINE if deadline is not None and time.monotonic() >= deadline else None

    @property
    def candidates(self) -> int | None:
        """How many candidates its answer is held to name, each once; None when it is free."""
        return self.request.candidates if self.request.sampling.complete_answers else None

    def fail(self, finish: FinishReason, error: str) -> None:
        """End the turn and the conversation with it, whose keys and values are given back."""
        self.finish, self.error = finish, error
        self.talk.failed, self.talk.kept = error, None

    def completion(self, vocabulary: Vocabulary) -> Completion:
        """Return the finished turn."""
        text = self.ids[:-1] if self.ids and self.ids[-1] == vocabulary.turn_end else self.ids
        return Completion(
            session=self.session,
            text=vocabulary.decode(text),
            finish=self.finish or FinishReason.STOP,
            token_ids=tuple(self.ids),
            logprobs=tuple(self.logprobs),
            scores=self.scores,
            usage=Usage(prompt_tokens=self.prompt, cached_tokens=self.cached, completion_tokens=len(self.ids)),
            error=self.error,
        )

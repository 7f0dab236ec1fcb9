"""What the local policy knows of a conversation, and of a turn that is being written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import Tensor

from ...agent.messages import Message
from ...agent.policy import Completion, Failure, FinishReason, Request, Usage
from ...models.vocabulary import Vocabulary
from .grammar import Constraint


@dataclass(slots=True, eq=False)
class CachedConversation:
    """A conversation as the model has read it."""

    unread: list[Message] = field(default_factory=list)
    """Messages that were submitted and not read yet."""
    kv: Tensor | None = None
    """The KV cache at rest, [layers, 2, heads, length, width]; None when there is none or it is in the batch. It is
    never written to, so that forks share it."""
    length: int = 0
    """Tokens in the KV cache."""
    position: int = 0
    """Position of the next token."""
    unread_id: int | None = None
    """The last id that was sampled, when it is not in the KV cache yet."""
    after_turn: bool = False
    """Whether the conversation ends with a turn of the policy, which what comes next has to close."""
    turn_ended: bool = False
    """Whether that turn's last id is the end of a turn."""
    turns: int = 0
    """Turns of the assistant so far."""
    failure: Failure | None = None
    """Why the conversation cannot go on."""

    @property
    def fresh(self) -> bool:
        """Whether nothing was read yet."""
        return not self.length

    @property
    def in_batch(self) -> bool:
        """Whether the KV cache is in the batch and nowhere else."""
        return self.kv is None and self.failure is None and not self.fresh

    def fork(self) -> CachedConversation:
        """Return a conversation that goes on from here by itself; the KV cache at rest is shared."""
        return replace(self, unread=list(self.unread))

    def go_on_with(self, *, ended: bool) -> None:
        """Keep the turn that was written; `ended` says whether its last id is the end of a turn."""
        self.after_turn, self.turn_ended = True, ended
        self.turns += 1

    def undo_turn(self, length: int) -> None:
        """Go back to the end of the messages before a turn that was cut short, `length` tokens from the start."""
        self.position -= self.length - length  # what is taken back is text: one position a token
        self.length = length
        self.unread_id, self.after_turn, self.turn_ended = None, False, False


@dataclass(slots=True, kw_only=True, eq=False)
class PendingTurn:
    """A turn that is waited for or being written."""

    request: Request
    """What was asked."""
    conversation: CachedConversation
    """The conversation it continues."""
    ids: list[int] = field(default_factory=list)
    """Ids of the prefix, then those sampled."""
    logprobs: list[float] = field(default_factory=list)
    """Log-probability of each; 0 for those of the prefix."""
    given: int = 0
    """How many ids are the prefix's."""
    held: list[tuple[int, int]] = field(default_factory=list)
    """Ranges of ids that the prefix or the grammar decided, ascending and apart."""
    scores: dict[str, float] = field(default_factory=dict)
    """Log-probabilities that were asked for."""
    prompt: int = 0
    """Tokens of the conversation before the turn's first id."""
    cached: int = 0
    """Those of them that were not read for this request."""
    constraint: Constraint | None = None
    """The grammar as the turn follows it."""
    cancelled: bool = False
    """Whether it is to end; any thread may set it."""
    dropped: bool = False
    """Whether nobody waits for it any more."""
    finish: FinishReason | None = None
    """Why it ended; None while it goes on."""
    failure: Failure | None = None
    """What went wrong."""

    @property
    def session(self) -> str:
        """Whose turn it is."""
        return self.request.session

    @property
    def stream(self) -> str:
        """Name of the random stream of its draws."""
        return self.request.stream or self.request.session

    def interrupted(self, now: float) -> FinishReason | None:
        """Say why the turn may not go on: it was cancelled, or its deadline has passed."""
        if self.cancelled or self.dropped:
            return FinishReason.CANCELLED
        deadline = self.request.deadline
        return FinishReason.DEADLINE if deadline is not None and now >= deadline else None

    def begin(self, prompt: int, *, cached: int, prefix: list[int]) -> None:
        """Note what was read before the turn, and the ids it begins with."""
        self.prompt, self.cached = prompt, cached
        self.ids, self.logprobs, self.given = list(prefix), [0.0] * len(prefix), len(prefix)
        self.held = [(0, len(prefix))] if prefix else []

    def append(self, number: int, logprob: float, *, held: bool) -> None:
        """Note a sampled id, and whether a grammar decided it."""
        place = len(self.ids)
        self.ids.append(number)
        self.logprobs.append(logprob)
        if held and self.held and self.held[-1][1] == place:
            self.held[-1] = (self.held[-1][0], place + 1)
        elif held:
            self.held.append((place, place + 1))

    def left(self, context: int) -> int:
        """Return how many more ids may be sampled in a context of so many tokens."""
        return min(self.request.sampling.max_tokens + self.given, context - self.prompt) - len(self.ids)

    def fail(self, finish: FinishReason, failure: Failure) -> None:
        """End the turn and the conversation with it, whose KV cache is given back."""
        self.finish, self.failure = finish, failure
        self.conversation.failure, self.conversation.kv = failure, None

    def completion(self, vocabulary: Vocabulary) -> Completion:
        """Return the finished turn."""
        text = self.ids[:-1] if self.ids and self.ids[-1] == vocabulary.turn_end else self.ids
        return Completion(
            session=self.session,
            text=vocabulary.decode(text),
            finish=self.finish or FinishReason.STOP,
            token_ids=tuple(self.ids),
            logprobs=tuple(self.logprobs),
            held=tuple(self.held),
            scores=self.scores,
            usage=Usage(prompt_tokens=self.prompt, cached_tokens=self.cached, completion_tokens=len(self.ids)),
            failure=self.failure,
        )

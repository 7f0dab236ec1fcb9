"""Decoding: every row of the batch gets one token a step; rows leave and join between slices of steps."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from ...agent.policy import Failure, FailureKind, FinishReason
from ...models.keyvalues import KeyValues
from ...models.language import cache_shape
from ...models.loading import LocalModel
from .conversation import CachedConversation, PendingTurn
from .grammar import Constraint
from .prefill import NO_MEMORY, fits
from .runtime import Runtime
from .sampling import uniform

_ROOM = 128
"""Places kept free behind the longest row when a batch is made. When they are used up, all rows are copied: more room
makes that rarer, and every row holds the memory of the places that are free. 128 is about a turn with a look."""

NOT_FINITE = Failure(
    kind=FailureKind.BROKEN, words="the model gave no finite probabilities; load it with dtype float32"
)


class Decoder:
    """The batch of turns that are being written, and its KV cache.

    Args:
        model: the model.
        context: most tokens of a conversation.
        runtime: the functions of a step.
    """

    def __init__(self, model: LocalModel, context: int, runtime: Runtime) -> None:
        self.model = model
        self.context = context
        self.runtime = runtime
        self.turns: list[PendingTurn] = []
        self._cache: KeyValues | None = None
        self._logits = torch.empty(0)
        never = model.vocabulary.never_written(model.outputs)
        self._never = torch.tensor(never, dtype=torch.long, device=model.device)

    @property
    def open(self) -> list[PendingTurn]:
        """The turns that go on."""
        return [turn for turn in self.turns if turn.finish is None]

    def retire(self, live: Collection[CachedConversation]) -> None:
        """Copy the KV of finished turns out for conversations that may go on, and drop their rows where that pays."""
        for turn in self.turns:
            conversation = turn.conversation
            rests = turn.finish is not None and conversation.in_batch and conversation in live
            if rests and not self.rest(conversation):
                conversation.failure = NO_MEMORY
        if not self.open:
            self.clear()
        elif 2 * len(self.open) <= len(self.turns):
            # A finished row costs a step as much as an open one, and dropping rows copies all that stay: at half, a
            # row is copied for every one that is saved. Where there is no memory for the copy, all stays as it is.
            fits(self.join, [], self._logits[:0])

    def rest(self, conversation: CachedConversation) -> bool:
        """Give a conversation whose turn is finished a copy of its KV cache; False where memory does not suffice."""
        (row,) = (row for row, turn in enumerate(self.turns) if turn.conversation is conversation)
        return fits(self._copy_out, row)

    def shorten(self, conversation: CachedConversation) -> None:
        """Forget what the batch holds of a conversation beyond its length."""
        for row, turn in enumerate(self.turns):
            if turn.conversation is conversation and self._cache is not None:
                self._cache.lengths[row] = conversation.length

    def _copy_out(self, row: int) -> None:
        if self._cache is not None:
            self.turns[row].conversation.kv = self._cache.row(row)

    def clear(self) -> None:
        """Forget all turns."""
        self.turns, self._cache, self._logits = [], None, self._logits[:0]

    def join(self, turns: Sequence[PendingTurn], logits: Tensor) -> None:
        """Add turns that were prefilled, with the logits that follow, [turns, ids]; finished ones leave."""
        for turn, row in zip(turns, logits, strict=True):
            self._score(turn, row)
            self._constrain_prefix(turn)
        staying = [row for row, turn in enumerate(self.turns) if turn.finish is None]
        cache = self._new_cache(staying, [turn.conversation.kv for turn in turns])
        logits = torch.cat([self._logits[staying], logits]) if staying else logits
        self._cache, self._logits = cache, logits  # all at once, when nothing can fail any more
        self.turns = [*(self.turns[row] for row in staying), *turns]
        for turn in turns:
            turn.conversation.kv = None

    def decode(self, steps: int) -> None:
        """Write up to a number of tokens on every row; returns early when all turns are finished."""
        for _ in range(steps):
            for turn in self.open:
                turn.finish = turn.interrupted(self.runtime.clock())
            if not self.open:
                return
            self._sample()
            if not self.open:
                return
            self._forward()

    def _new_cache(self, staying: Sequence[int], added: Sequence[Tensor | None]) -> KeyValues:
        """Copy rows that stay and KV caches at rest into one new cache."""
        old = self._cache
        rows = [] if old is None else [old.data[:, :, row, :, : old.lengths[row]] for row in staying]
        model = self.model
        return self.runtime.new_cache(
            cache_shape(model.model), [*rows, *added], room=_ROOM, dtype=model.dtype, device=model.device
        )

    def _score(self, turn: PendingTurn, logits: Tensor) -> None:
        """Note the log-probabilities that were asked for; texts that are not one token have none."""
        if turn.request.score_tokens:
            logprobs = logits.log_softmax(dim=-1)
            single = {text: self.model.vocabulary.single(text) for text in turn.request.score_tokens}
            turn.scores = {text: float(logprobs[number]) for text, number in single.items() if number is not None}

    def _sample(self) -> None:
        """Draw the next id of every row and end the turns that it ends."""
        scores = self._logits.index_fill(1, self._never, -math.inf)
        for row, turn in enumerate(self.turns):
            if turn.finish is None and turn.constraint is not None and turn.constraint.active:
                self._mask(scores[row], turn, turn.constraint)
        samplings = [turn.request.sampling for turn in self.turns]
        draws = [
            uniform(turn.request.sampling.seed, turn.stream, turn.conversation.turns, len(turn.ids))
            for turn in self.turns
        ]
        ids = self.runtime.choose(scores, samplings, draws)
        logprobs = self._logits.gather(1, ids[:, None])[:, 0] - self._logits.logsumexp(dim=-1)
        for turn, number, logprob in zip(self.turns, ids.tolist(), logprobs.tolist(), strict=True):
            if turn.finish is None:
                self._take(turn, number, logprob)

    def _mask(self, scores: Tensor, turn: PendingTurn, constraint: Constraint) -> None:
        """Leave only the ids from which a match can still be finished, in place."""
        allowed = torch.tensor(constraint.allowed(turn.left(self.context)), device=scores.device)
        best = scores[allowed]
        scores.fill_(-math.inf)
        scores[allowed] = best

    def _constrain_prefix(self, turn: PendingTurn) -> None:
        """Constrain a turn whose prefix has begun a match."""
        constraint = turn.constraint
        if constraint is not None and not constraint.active and turn.given:
            constraint.begin(turn.request.prefix, turn.left(self.context))

    def _follow(self, turn: PendingTurn, number: int) -> bool:
        """Follow a sampled id by the turn's grammar and say whether it completes a match.

        A match that the model started on its own is constrained if one that names everything still fits.
        """
        constraint = turn.constraint
        if constraint is None:
            return False
        vocabulary = self.model.vocabulary
        if constraint.active:
            constraint.take(number)
        elif constraint.may_begin(vocabulary.decode([number])):
            constraint.begin(vocabulary.decode(turn.ids), turn.left(self.context))
        return constraint.whole

    def _take(self, turn: PendingTurn, number: int, logprob: float) -> None:
        """Note a sampled id and end the turn where it does."""
        if not math.isfinite(logprob):
            turn.fail(FinishReason.ERROR, NOT_FINITE)
            return
        turn.append(number, logprob, held=turn.constraint is not None and turn.constraint.active)
        whole = self._follow(turn, number)
        if number == self.model.vocabulary.turn_end or whole or self._stops(turn):
            turn.finish = FinishReason.STOP
        elif len(turn.ids) - turn.given >= turn.request.sampling.max_tokens:
            turn.finish = FinishReason.LENGTH
        elif turn.prompt + len(turn.ids) >= self.context:
            total = turn.prompt + len(turn.ids)
            words = f"the turn reached {total} tokens, the policy takes {self.context}"
            turn.fail(FinishReason.OVERFLOW, Failure(kind=FailureKind.CONTEXT, words=words))
        if turn.finish is not None:
            turn.conversation.unread_id = number

    def _stops(self, turn: PendingTurn) -> bool:
        """Say whether the last id completes a stop string; the end of the turn that can hold one is decoded."""
        stops = turn.request.stop
        if not stops:
            return False
        vocabulary = self.model.vocabulary
        longest = max(len(stop.encode("utf-8", "replace")) for stop in stops)
        window = turn.ids[-longest:]
        text = vocabulary.decode(window)
        # a stop string within the prefix was not written by the model
        before = vocabulary.decode(window[:-1]) if len(turn.ids) - longest < turn.given else ""
        return any(text.count(stop) > before.count(stop) for stop in stops)

    def _forward(self) -> None:
        """Read the ids that were drawn; rows that are finished are fed in vain and stay as they are."""
        cache = self._cache
        if cache is None:
            raise RuntimeError("turns are written without a KV cache")
        if cache.room < 1:
            cache = self._cache = self._new_cache(range(len(self.turns)), [])
        goes_on = [turn.finish is None for turn in self.turns]
        ids = [turn.ids[-1] if on else 0 for turn, on in zip(self.turns, goes_on, strict=True)]
        positions = torch.tensor([turn.conversation.position for turn in self.turns], device=self.model.device)
        hidden = self.runtime.forward(
            self.model.model,
            torch.tensor(ids, device=self.model.device)[:, None],
            positions.expand(3, 1, -1).transpose(1, 2),
            mask=cache.begin(1),
            cache=cache,
        )
        cache.advance([int(on) for on in goes_on])
        self._logits = self.runtime.logits(self.model.model, hidden[:, 0])
        for turn, on in zip(self.turns, goes_on, strict=True):
            turn.conversation.length += on
            turn.conversation.position += on

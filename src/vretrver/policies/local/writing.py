"""Writes turns in step: every row of the batch gets one token a step, rows leave and join between slices of steps."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import cached_property

import torch
from torch import Tensor

from ...agent.policy import FinishReason
from ...models.keyvalues import KeyValues
from ...models.language import cache_shape, logits_of, run_language
from ...models.loading import LocalModel
from .grammar import Answer, AnswerGrammar, begun, characters
from .memory import NO_MEMORY, fits
from .sampling import choose, uniform
from .talk import Talk, Turn

_ROOM = 128
"""Places kept free behind the longest row when rows are put together."""


class Writing:
    """The turns that are being written, and their keys and values.

    Args:
        model: the model.
        context: most tokens of a conversation.
    """

    def __init__(self, model: LocalModel, context: int) -> None:
        self.model = model
        self.context = context
        self.turns: list[Turn] = []
        self._cache: KeyValues | None = None
        self._logits = torch.empty(0)
        never = model.vocabulary.never_written(model.outputs)
        self._never = torch.tensor(never, dtype=torch.long, device=model.device)

    @property
    def open(self) -> list[Turn]:
        """The turns that go on."""
        return [turn for turn in self.turns if turn.finish is None]

    def settle(self, live: Collection[Talk]) -> None:
        """Take finished turns out of the batch where that pays, and keep what conversations that may go on hold."""
        for row, turn in enumerate(self.turns):
            talk = turn.talk
            rests = turn.finish is not None and talk.kept is None and talk.failed is None and talk in live
            if rests and not fits(self._rest, row):
                talk.failed = NO_MEMORY
        if not self.open:
            self.clear()
        elif 2 * len(self.open) <= len(self.turns):
            fits(self.join, [], self._logits[:0])  # it only saves work: where there is no room, all stays as it is

    def _rest(self, row: int) -> None:
        """Put a copy of what a row holds with its conversation."""
        if self._cache is not None:
            self.turns[row].talk.kept = self._cache.row(row)

    def clear(self) -> None:
        """Forget all turns."""
        self.turns, self._cache, self._logits = [], None, self._logits[:0]

    def join(self, turns: Sequence[Turn], logits: Tensor) -> None:
        """Let turns join that were read, with the logits that follow, [turns, ids]; finished ones leave."""
        for turn, row in zip(turns, logits, strict=True):
            self._score(turn, row)
        staying = [row for row, turn in enumerate(self.turns) if turn.finish is None]
        cache = self._together(staying, [turn.talk.kept for turn in turns])
        logits = torch.cat([self._logits[staying], logits]) if staying else logits
        self._cache, self._logits = cache, logits  # all at once, when nothing can fail any more
        self.turns = [*(self.turns[row] for row in staying), *turns]
        for turn in turns:
            turn.talk.kept = None

    def write(self, steps: int) -> None:
        """Write up to a number of tokens on every row; ends early when all turns are finished."""
        for _ in range(steps):
            for turn in self.open:
                turn.finish = turn.interrupted()
            if not self.open:
                return
            self._choose()
            if not self.open:
                return
            self._feed()

    def _together(self, staying: Sequence[int], kept: Sequence[Tensor | None]) -> KeyValues:
        """Put rows that stay and rows at rest into one new cache."""
        old = self._cache
        rows = [] if old is None else [old.data[:, :, row, :, : old.lengths[row]] for row in staying]
        model = self.model
        return KeyValues(cache_shape(model.model), [*rows, *kept], room=_ROOM, dtype=model.dtype, device=model.device)

    def _score(self, turn: Turn, logits: Tensor) -> None:
        """Note the log-probabilities that were asked for; texts that are not one token have none."""
        if turn.request.score_tokens:
            logprobs = logits.log_softmax(dim=-1)
            single = {text: self.model.vocabulary.single(text) for text in turn.request.score_tokens}
            turn.scores = {text: float(logprobs[number]) for text, number in single.items() if number is not None}

    def _choose(self) -> None:
        """Draw the next id of every row and end the turns that it ends."""
        scores = self._logits.index_fill(1, self._never, -math.inf)
        for row, turn in enumerate(self.turns):
            if turn.finish is None and turn.request.answer_only and turn.answer is None:
                turn.answer = Answer(self.grammar, candidates=turn.candidates)
            if turn.finish is None and turn.answer is not None:
                self._hold(scores[row], turn, turn.answer)
        samplings = [turn.request.sampling for turn in self.turns]
        draws = [
            uniform(turn.request.sampling.seed, turn.session, turn.talk.turns, len(turn.ids)) for turn in self.turns
        ]
        ids = choose(scores, samplings, draws)
        logprobs = self._logits.gather(1, ids[:, None])[:, 0] - self._logits.logsumexp(dim=-1)
        for turn, number, logprob in zip(self.turns, ids.tolist(), logprobs.tolist(), strict=True):
            if turn.finish is None:
                self._take(turn, number, logprob)

    @cached_property
    def grammar(self) -> AnswerGrammar:
        """What answers are held to."""
        return AnswerGrammar.of(self.model.vocabulary)

    def _hold(self, scores: Tensor, turn: Turn, answer: Answer) -> None:
        """Leave only the ids from which an answer can still be finished, in place."""
        allowed = torch.tensor(answer.allowed(self._left(turn)), device=scores.device)
        best = scores[allowed]
        scores.fill_(-math.inf)
        scores[allowed] = best

    def _left(self, turn: Turn) -> int:
        """Return how many more ids a turn may have."""
        return min(turn.request.sampling.max_tokens, self.context - turn.prompt) - len(turn.ids)

    def _hold_what_begins(self, turn: Turn) -> None:
        """Hold an answer that the turn has begun by itself, if a complete one still fits; else it goes on freely."""
        if turn.candidates is not None and turn.ids[-1] in self.grammar.opening:
            written = begun(self.model.vocabulary.decode(turn.ids))
            if written is not None and characters(turn.candidates) <= self._left(turn):
                turn.answer = Answer(self.grammar, candidates=turn.candidates, written=written)

    def _take(self, turn: Turn, number: int, logprob: float) -> None:
        """Note a sampled id and end the turn where it does."""
        if not math.isfinite(logprob):
            turn.fail(FinishReason.ERROR, "the model gave no finite probabilities; load it with dtype float32")
            return
        turn.ids.append(number)
        turn.logprobs.append(logprob)
        vocabulary, sampling = self.model.vocabulary, turn.request.sampling
        if turn.answer is not None:
            turn.answer.take(number)
        else:
            self._hold_what_begins(turn)
        whole = turn.answer is not None and turn.answer.whole
        if number == vocabulary.turn_end or whole or self._stops(turn):
            turn.finish = FinishReason.STOP
        elif len(turn.ids) >= sampling.max_tokens:
            turn.finish = FinishReason.LENGTH
        elif turn.prompt + len(turn.ids) >= self.context:
            total = turn.prompt + len(turn.ids)
            turn.fail(FinishReason.OVERFLOW, f"the turn reached {total} tokens, the policy takes {self.context}")
        if turn.finish is not None:
            turn.talk.carry = [number]

    def _stops(self, turn: Turn) -> bool:
        """Say whether the last id completes a stop string; the end of the turn that can hold one is decoded."""
        stops = turn.request.stop
        if not stops:
            return False
        longest = max(len(stop.encode("utf-8", "replace")) for stop in stops)
        text = self.model.vocabulary.decode(turn.ids[-longest:])
        return any(stop in text for stop in stops)

    def _feed(self) -> None:
        """Read the ids that were drawn; rows that are finished are fed in vain and stay as they are."""
        cache = self._cache
        if cache is None:
            raise RuntimeError("turns are written without keys and values")
        if cache.room < 1:
            cache = self._cache = self._together(range(len(self.turns)), [])
        goes_on = [turn.finish is None for turn in self.turns]
        ids = [turn.ids[-1] if on else 0 for turn, on in zip(self.turns, goes_on, strict=True)]
        places = torch.tensor([turn.talk.position for turn in self.turns], device=self.model.device)
        hidden = run_language(
            self.model.model,
            torch.tensor(ids, device=self.model.device)[:, None],
            places.expand(3, 1, -1).transpose(1, 2),
            mask=cache.begin(1),
            cache=cache,
        )
        cache.advance([int(on) for on in goes_on])
        self._logits = logits_of(self.model.model, hidden[:, 0])
        for turn, on in zip(self.turns, goes_on, strict=True):
            turn.talk.length += on
            turn.talk.position += on

"""Runs a Qwen-VL model in this process: sessions are written in step, and what was read stays in keys and values.

A request waits until the slice of tokens that is being written ends; then it is read behind what its session holds
already, and joins. Several sessions of one request share its reading. Log-probabilities are the model's own:
temperature 1, no nucleus, nothing suppressed. A token that carries a stop string and more is kept whole, so that the
text is always that of the ids.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ...agent.policy import Completion, FinishReason, PolicyLimits, Request
from ...models.loading import LocalModel, load_model
from ...models.vision import MEMORY
from .memory import NO_MEMORY, fits
from .reading import READ_TOKENS, Ask, in_passes, look_at, passage_of, read_or_fail
from .talk import Talk, Turn
from .writing import Writing

BROKEN_OFF = "an error broke the turn off"
"""Said of turns that were being read or written when an error, or the user, broke in."""


class LocalPolicy:
    """A policy over a model in this process; one thread uses it, but `cancel` may be called from any.

    Args:
        model: the model.
        in_flight: turns written at once.
        context_tokens: most tokens of a conversation; None is what the model's folder says.
        slice_tokens: tokens written on every row before newcomers are read; at least 1.
        read_tokens: most tokens, padding included, that one pass reads.

    Raises:
        ValueError: `in_flight` or `slice_tokens` is less than 1.
    """

    def __init__(
        self,
        model: LocalModel,
        *,
        in_flight: int = 64,
        context_tokens: int | None = None,
        slice_tokens: int = 8,
        read_tokens: int = READ_TOKENS,
    ) -> None:
        if slice_tokens < 1:
            raise ValueError(f"a slice has at least one token, got slice_tokens {slice_tokens}")
        self.model = model
        self.slice_tokens = slice_tokens
        self.read_tokens = read_tokens
        most = model.folder.context_tokens
        context = most if context_tokens is None else min(context_tokens, most)
        self._limits = PolicyLimits(in_flight=in_flight, context_tokens=context)
        self._writing = Writing(model, context)
        self._context = context
        self._talks: dict[str, Talk] = {}
        self._pending: dict[str, Turn] = {}
        self._waiting: deque[Ask] = deque()

    @classmethod
    def of_folder(
        cls,
        folder: Path | str,
        *,
        dtype: str = "auto",
        device: str = "auto",
        vision_memory: int = MEMORY,
        in_flight: int = 64,
        context_tokens: int | None = None,
    ) -> LocalPolicy:
        """Load a model folder; see `models.loading.load_model` for its arguments and errors."""
        model = load_model(folder, dtype=dtype, device=device, vision_memory=vision_memory)
        return cls(model, in_flight=in_flight, context_tokens=context_tokens)

    def __repr__(self) -> str:
        return f"LocalPolicy({str(self.model.folder.path)!r})"

    @property
    def fingerprint(self) -> str:
        """The model's: folder, hash of its contents, dtype, device, attention, versions."""
        return self.model.fingerprint

    @property
    def limits(self) -> PolicyLimits:
        """Turns written at once, and the length of a conversation."""
        return self._limits

    def submit(self, request: Request) -> None:
        """Take a request; see `Policy.submit`.

        Raises:
            ValueError: a session of it is still waited for.
        """
        busy = [session for session in request.sessions if session in self._pending]
        if busy:
            raise ValueError(f"session {busy[0]!r} has a turn that is waited for; collect or release it first")
        turns = []
        for session in request.sessions:
            talk = self._talks.setdefault(session, Talk())
            talk.unread += request.messages
            turns.append(Turn(session=session, request=request, talk=talk))
            self._pending[session] = turns[-1]
        together = all(turn.talk.fresh and len(turn.talk.unread) == len(request.messages) for turn in turns)
        self._waiting += [Ask(turns)] if together else [Ask([turn]) for turn in turns]

    def collect(self) -> list[Completion]:
        """Read what is new, write until a turn is finished, and return the finished ones; see `Policy.collect`."""
        while self._pending:
            try:
                with torch.no_grad():
                    self._writing.settle(set(self._talks.values()))
                    self._read(self._admitted())
                    self._write()
            except BaseException:
                self._break_off()
                raise
            done = self._finished()
            if done:
                return done
        return []

    def cancel(self, session: str) -> None:
        """End a pending turn as CANCELLED before its next token."""
        turn = self._pending.get(session)
        if turn is not None:
            turn.cancelled = True

    def release(self, session: str) -> None:
        """Forget a session, its keys and values, and its pending turn."""
        self._talks.pop(session, None)
        turn = self._pending.pop(session, None)
        if turn is not None:
            turn.dropped = True
        if not self._talks:
            self._waiting.clear()
            self._writing.clear()

    def close(self) -> None:
        """Forget everything; the model is freed with the last reference to it."""
        for session in list(self._talks):
            self.release(session)

    def _admitted(self) -> list[Ask]:
        """Take the requests that have room, in the order they came, without turns that ended while they waited."""
        for ask in self._waiting:
            ask.drop_interrupted()
            for turn in ask.turns:
                if turn.talk.failed is not None:
                    turn.finish = FinishReason.ERROR
                    turn.error = f"the conversation ended before ({turn.talk.failed}); release it"
            ask.turns = [turn for turn in ask.turns if turn.finish is None]
        self._waiting = deque(ask for ask in self._waiting if ask.turns)
        room = self._limits.in_flight - len(self._writing.open)
        admitted: list[Ask] = []
        while self._waiting and (len(self._waiting[0].turns) <= room or room == self._limits.in_flight):
            admitted.append(self._waiting.popleft())
            room -= len(admitted[-1].turns)
        return admitted

    def _read(self, asks: Sequence[Ask]) -> None:
        """Read requests and let their turns join; what cannot be read ends."""
        passages = [passage for ask in asks if (passage := passage_of(ask, self.model, self._context)) is not None]
        turns: list[Turn] = []
        logits: list[Tensor] = []
        for together in in_passes(passages, self.read_tokens):
            for passage in together:
                passage.ask.drop_interrupted()
            wanted = [passage for passage in together if passage.ask.turns]
            for passage, row in read_or_fail(look_at(wanted, self.model), self.model):
                turns += passage.ask.turns
                logits += [row] * len(passage.ask.turns)
        if turns and not fits(lambda: self._writing.join(turns, torch.stack(logits))):
            for turn in turns:
                turn.fail(FinishReason.ERROR, NO_MEMORY)

    def _write(self) -> None:
        """Write a slice; where memory does not last, all turns that are being written end."""
        if not fits(self._writing.write, self.slice_tokens):
            for turn in self._writing.open:
                turn.fail(FinishReason.ERROR, NO_MEMORY)

    def _break_off(self) -> None:
        """End what an error met half-way: nobody knows how far its keys and values are."""
        waiting = {turn for ask in self._waiting for turn in ask.turns}
        met = {*self._writing.turns, *self._pending.values()} - waiting
        for turn in met:
            if turn.finish is None:
                turn.fail(FinishReason.ERROR, BROKEN_OFF)
            elif turn.talk.kept is None and turn.talk.length:
                turn.talk.failed = BROKEN_OFF
        self._writing.clear()

    def _finished(self) -> list[Completion]:
        """Take the finished turns off the list of what is waited for, in the order they were asked for."""
        done = [turn for turn in self._pending.values() if turn.finish is not None]
        for turn in done:
            del self._pending[turn.session]
            if turn.prompt:
                turn.talk.asked = True
                turn.talk.ended = turn.ids[-1:] == [self.model.vocabulary.turn_end]
                turn.talk.turns += 1
        return [turn.completion(self.model.vocabulary) for turn in done]

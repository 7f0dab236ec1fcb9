"""Runs a Qwen-VL model in this process: sessions are decoded in lock-step; the KV cache is kept across turns.

A request waits until the current slice of tokens is written; then its messages are prefilled behind what its
session's KV cache holds already, and its turn joins the batch. A session that starts after another shares the other's
KV cache until one of them writes. Log-probabilities are the model's own: temperature 1, no nucleus, nothing
suppressed, no grammar. A token that carries a stop string and more is kept whole, so that the text is always that of
the ids.

`Sampling.max_tokens` counts sampled ids. `Usage.prompt_tokens` is the place in the conversation where the turn's
`token_ids` begin, those of a prefix included, and `Usage.completion_tokens` their number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import torch
from torch import Tensor

from ...agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits, Request
from ...models.conversation import turn_header
from ...models.loading import LocalModel, load_model
from ...models.vision import MEMORY
from ..conversations import TURNS
from .automaton import Automata
from .conversation import CachedConversation, PendingTurn
from .decode import Decoder
from .prefill import NO_MEMORY, PREFILL_TOKENS, fits, in_passes, prefill_of, run_or_fail, with_pictures
from .runtime import Runtime

INTERRUPTED = Failure(kind=FailureKind.BROKEN, words="an error interrupted the turn")
"""Of turns that were being prefilled or decoded when an error, or the user, interrupted `collect`."""


class LocalPolicy:
    """A policy over a model in this process. One thread uses it; any thread may call `cancel` and `wake`.

    Args:
        model: the model.
        in_flight: turns decoded at once.
        context_tokens: most tokens of a conversation; None is what the model's folder says.
        slice_tokens: tokens decoded on every row before waiting requests are prefilled; at least 1.
        prefill_tokens: most tokens, padding included, of one prefill pass.
        runtime: the functions that do the work; None is the model's own.

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
        prefill_tokens: int = PREFILL_TOKENS,
        runtime: Runtime | None = None,
    ) -> None:
        if slice_tokens < 1:
            raise ValueError(f"a slice has at least one token, got slice_tokens {slice_tokens}")
        self.model = model
        self.slice_tokens = slice_tokens
        self.prefill_tokens = prefill_tokens
        self.runtime = runtime or Runtime()
        most = model.folder.context_tokens
        context = most if context_tokens is None else min(context_tokens, most)
        self._limits = PolicyLimits(in_flight=in_flight, context_tokens=context)
        self._context = context
        self._automata = Automata(model.vocabulary)
        self._decoder = Decoder(model, context, self.runtime)
        self._conversations: dict[str, CachedConversation] = {}
        self._pending: dict[str, PendingTurn] = {}
        self._waiting: deque[PendingTurn] = deque()
        self._woken = Event()

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
        """The model's: folder, hash of its contents, dtype, device, attention, versions, revision after updates."""
        return self.model.fingerprint

    @property
    def revision(self) -> int:
        """The model's; a trainer counts it with `LocalModel.updated`."""
        return self.model.revision

    @property
    def scripted(self) -> bool:
        """False: a model writes the turns."""
        return False

    @property
    def limits(self) -> PolicyLimits:
        """Turns decoded at once, and the length of a conversation."""
        return self._limits

    def submit(self, request: Request) -> None:
        """Take a request; see `Policy.submit`.

        Raises:
            ValueError: the session is pending; or it starts `after` another that is unknown or pending, or although
                it has a conversation already.
        """
        session = request.session
        if session in self._pending:
            raise ValueError(f"session {session!r} has a pending turn; collect or release it first")
        if request.after is not None:
            self._conversations[session] = self._forked(session, request.after)
        conversation = self._conversations.setdefault(session, CachedConversation())
        conversation.unread += request.messages
        self._pending[session] = turn = PendingTurn(request=request, conversation=conversation)
        self._waiting.append(turn)

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        """Prefill what is new, decode until a turn is finished, and return the finished ones; see `Policy.collect`.

        Patience and `wake` are looked at between slices; with a patience of 0 one slice is worked at most.
        """
        until = None if patience is None else self.runtime.clock() + patience
        try:
            while self._pending and not self._woken.is_set():
                self._work()
                done = self._finished()
                if done or (until is not None and self.runtime.clock() >= until):
                    return done
            return []
        finally:
            self._woken.clear()

    def wake(self) -> None:
        """Make the current `collect`, or the next one, return before its next slice. Any thread may call it."""
        self._woken.set()

    def cancel(self, session: str) -> None:
        """End a pending turn as CANCELLED before its next token. Any thread may call it."""
        turn = self._pending.get(session)  # one look-up, then one flag that the owner's thread only reads
        if turn is not None:
            turn.cancelled = True

    def release(self, session: str) -> None:
        """Forget a session, its KV cache, and its pending turn; what forks share of it stays with them."""
        self._conversations.pop(session, None)
        turn = self._pending.pop(session, None)
        if turn is not None:
            turn.dropped = True
        if not self._conversations:
            self._waiting.clear()
            self._decoder.clear()

    def close(self) -> None:
        """Forget everything; the model is freed with the last reference to it."""
        for session in list(self._conversations):
            self.release(session)

    def _forked(self, session: str, source: str) -> CachedConversation:
        """Return a new conversation that starts from where another one is."""
        if session in self._conversations:
            raise ValueError(f"session {session!r} has a conversation and cannot start after {source!r}")
        if source in self._pending:
            raise ValueError(f"session {source!r} has a pending turn; {session!r} cannot start after it yet")
        conversation = self._conversations.get(source)
        if conversation is None:
            raise ValueError(f"session {source!r} is unknown; {session!r} cannot start after it")
        if conversation.in_batch and not self._decoder.rest(conversation):
            return replace(conversation.fork(), failure=NO_MEMORY)
        return conversation.fork()

    def _work(self) -> None:
        """Prefill what waits and decode a slice."""
        try:
            with torch.no_grad():
                self._decoder.retire(set(self._conversations.values()))
                self._prefill(self._admitted())
                self._decode()
        except BaseException:
            self._interrupt()
            raise

    def _admitted(self) -> list[PendingTurn]:
        """Take the waiting turns that have room, in the order they came; those that ended while they waited leave."""
        for turn in self._waiting:
            turn.finish = turn.interrupted(self.runtime.clock())
            failure = turn.conversation.failure
            if turn.finish is None and failure is not None:
                words = f"the conversation ended before ({failure}); release it"
                turn.finish, turn.failure = FinishReason.ERROR, Failure(kind=FailureKind.REFUSED, words=words)
        self._waiting = deque(turn for turn in self._waiting if turn.finish is None)
        room = self._limits.in_flight - len(self._decoder.open)
        return [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]

    def _prefill(self, turns: Sequence[PendingTurn]) -> None:
        """Prefill turns and let them join the batch; what cannot be read ends."""
        prefills = [
            prefill
            for turn in turns
            if (prefill := prefill_of(turn, self.model, self._context, self._automata)) is not None
        ]
        joining: list[PendingTurn] = []
        logits: list[Tensor] = []
        for together in in_passes(prefills, self.prefill_tokens):
            for prefill in together:
                prefill.turn.finish = prefill.turn.interrupted(self.runtime.clock())
            wanted = [prefill for prefill in together if prefill.turn.finish is None]
            for prefill, row in run_or_fail(with_pictures(wanted, self.model), self.model, self.runtime):
                if prefill.turn.finish is None:  # else it was read only
                    joining.append(prefill.turn)
                    logits.append(row)
        if joining and not fits(lambda: self._decoder.join(joining, torch.stack(logits))):
            for turn in joining:
                turn.fail(FinishReason.ERROR, NO_MEMORY)

    def _decode(self) -> None:
        """Decode a slice; where memory does not suffice, all turns that are being written end."""
        if not fits(self._decoder.decode, self.slice_tokens):
            for turn in self._decoder.open:
                turn.fail(FinishReason.ERROR, NO_MEMORY)

    def _interrupt(self) -> None:
        """End what an error met half-way: nobody knows how far its KV cache is."""
        met = {*self._decoder.turns, *self._pending.values()} - set(self._waiting)
        for turn in met:
            if turn.finish is None:
                turn.fail(FinishReason.ERROR, INTERRUPTED)
            elif turn.conversation.in_batch:
                turn.conversation.failure = INTERRUPTED
        self._decoder.clear()

    def _finished(self) -> list[Completion]:
        """Take the finished turns off the list of what is pending, in the order they were asked for."""
        done = [turn for turn in self._pending.values() if turn.finish is not None]
        for turn in done:
            del self._pending[turn.session]
            if turn.prompt and not turn.request.read_only and turn.conversation.failure is None:
                self._settle(turn)
        return [turn.completion(self.model.vocabulary) for turn in done]

    def _settle(self, turn: PendingTurn) -> None:
        """Make a turn that ended part of its conversation, or take back one that was cut short."""
        vocabulary, conversation = self.model.vocabulary, turn.conversation
        if turn.finish in TURNS:
            conversation.go_on_with(ended=turn.ids[-1:] == [vocabulary.turn_end])
        else:
            conversation.undo_turn(turn.prompt - len(turn_header(vocabulary)))
            self._decoder.shorten(conversation)

"""Prefill: runs what is new in conversations, text and pictures, behind the KV cache that is there already.

Out-of-memory fails the turn; any other error propagates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...agent.messages import ShownPicture
from ...agent.policy import Failure, FailureKind, FinishReason
from ...errors import DataError, PictureError
from ...models.conversation import encode
from ...models.language import cache_shape
from ...models.loading import LocalModel
from ...models.positions import Positions, positions_of
from ...models.vision import EncodedPicture
from .automaton import Automata
from .conversation import PendingTurn
from .grammar import Constraint
from .runtime import Runtime

PREFILL_TOKENS = 8192
"""Most tokens, padding included, of one prefill pass."""

NO_MEMORY = Failure(
    kind=FailureKind.OUT_OF_MEMORY,
    words="there is not enough memory for the conversations at once; lower in_flight, or show pictures smaller",
)


def out_of_memory(error: Exception) -> bool:
    """Say whether an error is out-of-memory; torch has no type of its own for it on the CPU."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def fits(work: Callable[..., object], *given: object) -> bool:
    """Do some work and say whether memory sufficed; where it did not, nothing that the work held is held any more."""
    try:
        work(*given)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return False
    return True


@dataclass(slots=True, kw_only=True, eq=False)
class Prefill:
    """What one request adds to a conversation."""

    turn: PendingTurn
    """The turn that was asked for."""
    ids: list[int]
    """Ids to read: the last sampled one when it was not read yet, the messages, the turn's header and its prefix."""
    prefix: list[int]
    """Those at the end that are the turn's own."""
    positions: Positions
    """Positions of the ids."""
    following: int
    """Position of what comes next."""
    pictures: list[ShownPicture]
    """Pictures in order."""
    seen: list[EncodedPicture]
    """What the model reads of them; empty until they are encoded."""


def prefill_of(turn: PendingTurn, model: LocalModel, context: int, automata: Automata) -> Prefill | None:
    """Return what a request adds; None when there is nothing to read, or it cannot be read: then the turn has ended.

    Args:
        turn: the turn.
        model: the model.
        context: most tokens of a conversation.
        automata: those of the model's tokenizer.
    """
    conversation, request = turn.conversation, turn.request
    unread_id = [] if conversation.unread_id is None else [conversation.unread_id]
    if request.read_only and not conversation.unread:
        turn.prompt, turn.finish = conversation.length + len(unread_id), FinishReason.STOP
        turn.cached = turn.prompt
        return None
    try:
        new = encode(
            conversation.unread,
            model.vocabulary,
            model.folder.geometry,
            ask=not request.read_only,
            after_turn=conversation.after_turn,
            ended=conversation.turn_ended,
        )
        prefix = [] if request.read_only else model.vocabulary.text(request.prefix)
    except DataError as error:
        turn.fail(FinishReason.ERROR, Failure(kind=FailureKind.UNREADABLE, words=str(error)))
        return None
    ids = [*unread_id, *new.ids, *prefix]
    total = conversation.length + len(ids)
    if total >= context:
        words = f"the conversation has {total} tokens, the policy takes {context}"
        turn.fail(FinishReason.OVERFLOW, Failure(kind=FailureKind.CONTEXT, words=words))
        return None
    if not request.read_only and not _constrained(turn, model, automata):
        return None
    positions, following = positions_of(
        ids, new.grids, picture_pad=model.vocabulary.picture_pad, start=conversation.position
    )
    return Prefill(
        turn=turn,
        ids=ids,
        prefix=prefix,
        positions=positions,
        following=following,
        pictures=new.pictures,
        seen=[],
    )


def _constrained(turn: PendingTurn, model: LocalModel, automata: Automata) -> bool:
    """Give the turn its grammar to follow; False, and the turn has ended, when it cannot be followed."""
    grammar = turn.request.grammar
    if grammar is None:
        return True
    try:
        turn.constraint = Constraint(
            grammar,
            automata.of(grammar.pattern),
            turn_end=model.vocabulary.turn_end,
            prefix=turn.request.prefix,
        )
    except ValueError as error:
        words = f"the grammar cannot be followed ({error}); ask without it"
        turn.fail(FinishReason.ERROR, Failure(kind=FailureKind.REFUSED, words=words))
        return False
    return True


def with_pictures(prefills: Sequence[Prefill], model: LocalModel) -> list[Prefill]:
    """Encode the pictures of prefills together; those with a picture that cannot be read end, the others are kept."""
    failure = _encode(prefills, model)
    if failure is None:
        return list(prefills)
    if len(prefills) > 1:
        return [prefill for single in prefills for prefill in with_pictures([single], model)]
    prefills[0].turn.fail(FinishReason.ERROR, failure)
    return []


def _encode(prefills: Sequence[Prefill], model: LocalModel) -> Failure | None:
    """Encode the pictures of prefills, or say why that cannot be done."""
    seen: list[EncodedPicture] = []
    try:
        if not fits(lambda: seen.extend(model.vision.see([one for prefill in prefills for one in prefill.pictures]))):
            return NO_MEMORY
    except PictureError as error:
        return Failure(kind=FailureKind.UNREADABLE, words=str(error))
    rest = iter(seen)
    for prefill in prefills:
        prefill.seen = [next(rest) for _ in prefill.pictures]
    return None


def in_passes(prefills: Sequence[Prefill], tokens: int) -> list[list[Prefill]]:
    """Return which prefills are run together: those of like length, openings apart from what continues."""
    passes: list[list[Prefill]] = []
    for opening in (True, False):
        together: list[Prefill] = []
        rest = [prefill for prefill in prefills if prefill.turn.conversation.fresh == opening]
        for prefill in sorted(rest, key=lambda one: len(one.ids)):
            if together and (len(together) + 1) * len(prefill.ids) > tokens:
                passes.append(together)
                together = []
            together.append(prefill)
        passes += [together] if together else []
    return passes


def run_or_fail(prefills: Sequence[Prefill], model: LocalModel, runtime: Runtime) -> list[tuple[Prefill, Tensor]]:
    """Return prefills with the logits that follow; run one by one where memory does not suffice, else ended."""
    if not prefills:
        return []
    pairs: list[tuple[Prefill, Tensor]] = []
    if fits(lambda: pairs.extend(zip(prefills, run_pass(prefills, model, runtime), strict=True))):
        return pairs
    if len(prefills) > 1:
        return [pair for prefill in prefills for pair in run_or_fail([prefill], model, runtime)]
    prefills[0].turn.fail(FinishReason.ERROR, NO_MEMORY)
    return []


def run_pass(prefills: Sequence[Prefill], model: LocalModel, runtime: Runtime) -> Tensor:
    """Run prefills in one pass, keep their KV caches, and return the logits that follow, [prefills, ids]."""
    device, vocabulary = model.device, model.vocabulary
    width = max(len(prefill.ids) for prefill in prefills)
    ids = np.full((len(prefills), width), vocabulary.turn_end, dtype=np.int64)
    positions = np.zeros((3, len(prefills), width), dtype=np.int64)
    for row, prefill in enumerate(prefills):
        ids[row, : len(prefill.ids)] = prefill.ids
        positions[:, row, : len(prefill.ids)] = prefill.positions
    rows = [prefill.turn.conversation.kv for prefill in prefills]
    cache = runtime.new_cache(cache_shape(model.model), rows, room=width, dtype=model.dtype, device=device)
    tokens = torch.from_numpy(ids).to(device)
    hidden = runtime.forward(
        model.model,
        tokens,
        torch.from_numpy(positions).to(device),
        seen=[one for prefill in prefills for one in prefill.seen],
        pads=tokens == vocabulary.picture_pad,
        mask=cache.begin(width),
        cache=cache,
    )
    cache.advance([len(prefill.ids) for prefill in prefills])
    last = torch.tensor([len(prefill.ids) - 1 for prefill in prefills], device=device)
    logits = runtime.logits(model.model, hidden[torch.arange(len(prefills), device=device), last])
    kept = [cache.row(row) for row in range(len(prefills))]  # all before any: they are run again where one fails
    for prefill, kv in zip(prefills, kept, strict=True):
        _keep(prefill, kv)
    return logits


def _keep(prefill: Prefill, kv: Tensor) -> None:
    """Move a conversation to the end of its prefill."""
    turn, conversation, length = prefill.turn, prefill.turn.conversation, kv.shape[3]
    prefill.seen = []
    turn.begin(length - len(prefill.prefix), cached=conversation.length, prefix=prefill.prefix)
    conversation.kv, conversation.length, conversation.position = kv, length, prefill.following
    conversation.turns += sum(message.role == "assistant" for message in conversation.unread)
    conversation.unread, conversation.unread_id = [], None
    if turn.request.read_only:
        conversation.after_turn, turn.finish = False, FinishReason.STOP

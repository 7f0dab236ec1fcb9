"""Reads what is new in conversations: text and pictures behind the keys and values that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...agent.messages import ShownPicture
from ...agent.policy import FinishReason
from ...errors import DataError, PictureError
from ...models.conversation import encode
from ...models.keyvalues import KeyValues
from ...models.language import cache_shape, logits_of, run_language
from ...models.loading import LocalModel
from ...models.positions import Positions, positions_of
from ...models.vision import Seen
from .memory import NO_MEMORY, fits
from .talk import Turn

READ_TOKENS = 8192
"""Most tokens, padding included, that one pass reads."""


@dataclass(slots=True, eq=False)
class Ask:
    """One request: the turns that go on from what it says."""

    turns: list[Turn]
    """One a session; all stand at the same place."""

    def fail(self, finish: FinishReason, error: str) -> None:
        """End all turns."""
        for turn in self.turns:
            turn.fail(finish, error)

    def drop_interrupted(self) -> None:
        """End the turns that were cancelled, or whose deadline has passed, and go on without them."""
        for turn in self.turns:
            turn.finish = turn.interrupted()
        self.turns = [turn for turn in self.turns if turn.finish is None]


@dataclass(slots=True, kw_only=True, eq=False)
class Passage:
    """What one request adds to a conversation."""

    ask: Ask
    """The request."""
    ids: list[int]
    """Ids to read, the last sampled one included when it was not read yet."""
    places: Positions
    """Their positions."""
    following: int
    """Position of what comes next."""
    pictures: list[ShownPicture]
    """Pictures in order."""
    seen: list[Seen]
    """What the model reads of them; empty until they are encoded."""


def passage_of(ask: Ask, model: LocalModel, context: int) -> Passage | None:
    """Return what a request adds, or end its turns and return None when it cannot be read.

    Args:
        ask: the request.
        model: the model.
        context: most tokens of a conversation.
    """
    talk = ask.turns[0].talk
    try:
        new = encode(talk.unread, model.vocabulary, model.folder.geometry, after_turn=talk.asked, ended=talk.ended)
    except DataError as error:
        ask.fail(FinishReason.ERROR, str(error))
        return None
    ids = [*talk.carry, *new.ids]
    total = talk.length + len(ids)
    if total >= context:
        ask.fail(FinishReason.OVERFLOW, f"the conversation has {total} tokens, the policy takes {context}")
        return None
    places, following = positions_of(ids, new.grids, picture_pad=model.vocabulary.picture_pad, start=talk.position)
    return Passage(ask=ask, ids=ids, places=places, following=following, pictures=new.pictures, seen=[])


def look_at(passages: Sequence[Passage], model: LocalModel) -> list[Passage]:
    """Encode the pictures of passages together; those with a picture that cannot be read end, the others stay."""
    wanting = _encode(passages, model)
    if wanting is None:
        return list(passages)
    if len(passages) > 1:
        return [passage for single in passages for passage in look_at([single], model)]
    passages[0].ask.fail(FinishReason.ERROR, wanting)
    return []


def _encode(passages: Sequence[Passage], model: LocalModel) -> str | None:
    """Encode the pictures of passages, or say why that cannot be done."""
    seen: list[Seen] = []
    try:
        if not fits(lambda: seen.extend(model.vision.see([one for passage in passages for one in passage.pictures]))):
            return NO_MEMORY
    except PictureError as error:
        return str(error)
    rest = iter(seen)
    for passage in passages:
        passage.seen = [next(rest) for _ in passage.pictures]
    return None


def in_passes(passages: Sequence[Passage], tokens: int) -> list[list[Passage]]:
    """Return which passages are read together: those of like length, openings apart from what goes on."""
    passes: list[list[Passage]] = []
    for opening in (True, False):
        together: list[Passage] = []
        rest = [passage for passage in passages if passage.ask.turns[0].talk.fresh == opening]
        for passage in sorted(rest, key=lambda one: len(one.ids)):
            if together and (len(together) + 1) * len(passage.ids) > tokens:
                passes.append(together)
                together = []
            together.append(passage)
        passes += [together] if together else []
    return passes


def read_or_fail(passages: Sequence[Passage], model: LocalModel) -> list[tuple[Passage, Tensor]]:
    """Return passages with the logits that follow; read one by one where memory does not last, else ended."""
    if not passages:
        return []
    pairs: list[tuple[Passage, Tensor]] = []
    if fits(lambda: pairs.extend(zip(passages, read(passages, model), strict=True))):
        return pairs
    if len(passages) > 1:
        return [pair for passage in passages for pair in read_or_fail([passage], model)]
    passages[0].ask.fail(FinishReason.ERROR, NO_MEMORY)
    return []


def read(passages: Sequence[Passage], model: LocalModel) -> Tensor:
    """Read passages in one pass, keep their keys and values, and return the logits that follow, [passages, ids]."""
    device, vocabulary = model.device, model.vocabulary
    width = max(len(passage.ids) for passage in passages)
    ids = np.full((len(passages), width), vocabulary.turn_end, dtype=np.int64)
    places = np.zeros((3, len(passages), width), dtype=np.int64)
    for row, passage in enumerate(passages):
        ids[row, : len(passage.ids)] = passage.ids
        places[:, row, : len(passage.ids)] = passage.places
    talks = [passage.ask.turns[0].talk for passage in passages]
    rows = [talk.kept for talk in talks]
    cache = KeyValues(cache_shape(model.model), rows, room=width, dtype=model.dtype, device=device)
    tokens = torch.from_numpy(ids).to(device)
    hidden = run_language(
        model.model,
        tokens,
        torch.from_numpy(places).to(device),
        seen=[one for passage in passages for one in passage.seen],
        pads=tokens == vocabulary.picture_pad,
        mask=cache.begin(width),
        cache=cache,
    )
    cache.advance([len(passage.ids) for passage in passages])
    last = torch.tensor([len(passage.ids) - 1 for passage in passages], device=device)
    logits = logits_of(model.model, hidden[torch.arange(len(passages), device=device), last])
    kept = [cache.row(row) for row in range(len(passages))]  # all before any: they are read again where one fails
    for passage, row_kept in zip(passages, kept, strict=True):
        _keep(passage, row_kept)
    return logits


def _keep(passage: Passage, kept: Tensor) -> None:
    """Move the conversations of a passage to its end; they share one copy of keys and values."""
    before = passage.ask.turns[0].talk.length
    passage.seen = []
    for turn in passage.ask.turns:
        talk, turn.prompt = turn.talk, kept.shape[3]
        turn.cached = before if turn is passage.ask.turns[0] else turn.prompt
        talk.kept, talk.length, talk.position = kept, kept.shape[3], passage.following
        talk.turns += sum(message.role == "assistant" for message in talk.unread)
        talk.unread, talk.carry = [], []

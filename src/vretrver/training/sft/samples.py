"""Trajectories as training samples: the ids of the whole conversation, and which of them the assistant wrote.

A sample is a view of a trajectory. Turns keep the ids that were sampled where there are any; texts that data or tools
wrote, pictures and tags of the wire form never count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...agent.messages import Message, ShownPicture
from ...agent.trajectory import MessageRecord, PictureShown, Trajectory
from ...errors import DataError
from ...images import Picture
from ...models.conversation import Encoded, encode
from ...models.patches import PatchGeometry
from ...models.vocabulary import Vocabulary
from ...records import Address
from ...traces import trajectories_from_json
from .weights import Weigh, Weights, even


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One conversation to learn from."""

    ids: npt.NDArray[np.int32]
    """[length] token ids."""
    written: npt.NDArray[np.bool_]
    """[length] whether the assistant wrote the id: where the loss is."""
    weights: Weights
    """[length] how much the id counts in the loss, where it is written."""
    grids: tuple[tuple[int, int], ...]
    """(rows, columns) of visual tokens per picture, in order."""
    pictures: tuple[str, ...]
    """Hash of each picture's bytes, in order."""
    sizes: tuple[tuple[int, int], ...]
    """(width, height) in pixels of each picture, in order."""
    shard: int
    """Which picture book holds them."""


def messages_of(trajectory: Trajectory) -> tuple[Message, ...]:
    """Return the conversation of a trajectory; its pictures have no bytes: those lie in a picture book."""
    messages = [_message(record, trajectory) for record in trajectory.prompt]
    for turn in trajectory.turns:
        messages.append(Message(role="assistant", pieces=(turn.text,)))
        if turn.reply is not None:
            messages.append(_message(turn.reply, trajectory))
    return tuple(messages)


def sample_of(
    trajectory: Trajectory,
    vocabulary: Vocabulary,
    geometry: PatchGeometry,
    *,
    shard: int = 0,
    weigh: Weigh = even,
) -> Sample:
    """Return the sample of a trajectory."""
    messages = messages_of(trajectory)
    turns = (place for place, message in enumerate(messages) if message.role == "assistant")
    sampled = {
        place: turn.token_ids
        for place, turn in zip(turns, trajectory.turns, strict=True)
        if turn.token_ids is not None
    }
    encoded = encode(messages, vocabulary, geometry, ask=False, sampled=sampled)
    return Sample(
        ids=np.array(encoded.ids, dtype=np.int32),
        written=np.array(encoded.written, dtype=np.bool_),
        weights=weigh(_texts(encoded, vocabulary)),
        grids=tuple(encoded.grids),
        pictures=tuple(shown.picture.sha256 for shown in encoded.pictures),
        sizes=tuple((shown.picture.width, shown.picture.height) for shown in encoded.pictures),
        shard=shard,
    )


def _texts(encoded: Encoded, vocabulary: Vocabulary) -> list[str]:
    """Return the text of each id; what others wrote is a line end, which separates the assistant's texts."""
    return [
        _text_of(vocabulary, one) if mine else "\n" for one, mine in zip(encoded.ids, encoded.written, strict=True)
    ]


@lru_cache(maxsize=200_000)
def _text_of(vocabulary: Vocabulary, one: int) -> str:
    return vocabulary.decode([one])


def read_samples(
    shards: Sequence[Path], vocabulary: Vocabulary, geometry: PatchGeometry, *, weigh: Weigh = even
) -> Iterator[Sample]:
    """Yield the samples of trajectory files or traces, in order; raises DataError naming path:line."""
    for number, path in enumerate(shards):
        for trajectory in read_trajectories(path):
            yield sample_of(trajectory, vocabulary, geometry, shard=number, weigh=weigh)


def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """Yield the trajectories of a file, or of the queries of a trace, in order; raises DataError naming path:line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{path}: the trajectories cannot be read ({error.strerror})") from error
    for place, line in enumerate(lines, start=1):
        try:
            yield from trajectories_from_json(line)
        except DataError as error:
            raise DataError(f"{path}:{place}: {error}") from error


def first_trajectory(path: Path) -> Trajectory:
    """Return the first trajectory of a file; raises DataError where there is none, or it cannot be read."""
    first = next(read_trajectories(path), None)
    if first is None:
        raise DataError(f"{path}: no trajectory in it; write some with `vretrver train expert`")
    return first


def _message(record: MessageRecord, trajectory: Trajectory) -> Message:
    pieces = tuple(piece if isinstance(piece, str) else _picture(piece, trajectory) for piece in record.pieces)
    return Message(role="system" if record.role == "system" else "user", pieces=pieces)


def _picture(place: int, trajectory: Trajectory) -> ShownPicture:
    shown = trajectory.shown[place] if 0 <= place < len(trajectory.shown) else None
    if not isinstance(shown, PictureShown) or shown.sha256 is None:
        raise DataError(f"session {trajectory.session}: a message shows picture {place}, which is not recorded")
    address = shown.cuts[0].address
    return ShownPicture(
        address=Address.from_wire(address if isinstance(address, int) else [*address]),
        picture=Picture(data=b"", width=shown.width, height=shown.height, sha256=shown.sha256),
        tokens=shown.tokens,
    )

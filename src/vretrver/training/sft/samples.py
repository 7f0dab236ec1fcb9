"""Trajectories as training samples: the ids of the whole conversation, and which of them the policy chose.

A sample is a view of a trajectory. Turns keep the ids that were sampled where there are any; texts that data or tools
wrote, pictures, tags of the wire form, and ids that a prefix or a grammar decided never count. A turn that ended
otherwise than by itself or at its length (cancelled, too late, failed) is left out, as it is by the conversations of
policies. `_T` is the length of a conversation in ids. What a sample looks like, id by id, is drawn in
`tests/unit/training/sft/test_packing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...agent.messages import Message, ShownPicture
from ...agent.trajectory import MessageRecord, PictureShown, Trajectory, Turn
from ...errors import DataError, ParityError
from ...images import Picture
from ...models.conversation import Encoded, encode
from ...models.patches import PatchGeometry
from ...models.vocabulary import Vocabulary
from ...policies.conversations import TURNS
from ...records import Address
from ...traces import trajectories_from_json
from .weights import Weigh, even


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One conversation to learn from."""

    ids_T: npt.NDArray[np.int32]
    """Token ids."""
    chosen_T: npt.NDArray[np.bool_]
    """True where the policy chose the id: where the loss is."""
    weight_T: npt.NDArray[np.float32]
    """How much the id counts; 0 where it was not chosen. An advantage may be put in its place."""
    logprobs_T: npt.NDArray[np.float32] | None
    """The sampler's log-probability of each chosen id, 0 elsewhere; None where one of them has none: it was not
    sampled, or its sampler told no log-probabilities."""
    grids: tuple[tuple[int, int], ...]
    """(rows, columns) of visual tokens per picture, in order."""
    pictures: tuple[str, ...]
    """Hash of each picture's bytes, in order."""
    sizes: tuple[tuple[int, int], ...]
    """(width, height) in pixels of each picture, in order."""
    revision: int
    """Revision of the weights that sampled it."""


def messages_of(trajectory: Trajectory) -> tuple[Message, ...]:
    """Return the conversation of a trajectory; its pictures have no bytes: those are in a picture book."""
    messages = [_message(record, trajectory) for record in trajectory.prompt]
    for turn in _written(trajectory):
        messages.append(Message(role="assistant", pieces=(turn.text,)))
        if turn.reply is not None:
            messages.append(_message(turn.reply, trajectory))
    return tuple(messages)


def sample_of(
    trajectory: Trajectory,
    vocabulary: Vocabulary,
    geometry: PatchGeometry,
    *,
    weigh: Weigh = even,
    text_of: Callable[[int], str] | None = None,
) -> Sample:
    """Return the sample of a trajectory.

    Args:
        trajectory: the record.
        vocabulary: the model's tokenizer.
        geometry: how the model cuts pictures.
        weigh: how much each chosen id counts.
        text_of: the text of one id, of a caller that makes many samples and remembers them; None decodes each anew.

    Raises:
        ParityError: a turn's ids do not begin where the policy says that it began to write.
        DataError: a text cannot be tokenised, or a message shows a picture that is not recorded.
    """
    messages = messages_of(trajectory)
    places = [place for place, message in enumerate(messages) if message.role == "assistant"]
    sampled = {
        place: turn.token_ids
        for place, turn in zip(places, _written(trajectory), strict=True)
        if turn.token_ids is not None
    }
    encoded = encode(messages, vocabulary, geometry, ask=False, sampled=sampled)
    _check_parity(trajectory, encoded)
    chosen_T = _chosen(trajectory, encoded)
    return Sample(
        ids_T=np.array(encoded.ids, dtype=np.int32),
        chosen_T=chosen_T,
        weight_T=np.where(chosen_T, weigh(_texts(encoded, text_of or _decoder(vocabulary))), np.float32(0)),
        logprobs_T=_logprobs(trajectory, encoded, chosen_T),
        grids=tuple(encoded.grids),
        pictures=tuple(shown.picture.sha256 for shown in encoded.pictures),
        sizes=tuple((shown.picture.width, shown.picture.height) for shown in encoded.pictures),
        revision=trajectory.revision,
    )


def _written(trajectory: Trajectory) -> list[Turn]:
    """Return the turns that were written to their end; what was cut short is in no policy's conversation."""
    return [turn for turn in trajectory.turns if turn.finish in TURNS]


def _check_parity(trajectory: Trajectory, encoded: Encoded) -> None:
    """Compare what the policy read before each sampled turn with the ids that are before it here."""
    for number, (turn, start) in enumerate(zip(_written(trajectory), encoded.starts, strict=True)):
        read = turn.usage.prompt_tokens
        if turn.token_ids is not None and not turn.usage.estimated and read != start:
            raise ParityError(
                f"session {trajectory.session}, turn {number + 1}: the policy read {read} tokens and {start} are "
                "before the turn here; train with the tokenizer and the picture sizes that it was sampled with"
            )


def _spans(trajectory: Trajectory, encoded: Encoded) -> Iterator[tuple[Turn, int, int]]:
    """Yield each sampled turn with the range of its ids; an end of turn that was not sampled is outside."""
    for turn, start in zip(_written(trajectory), encoded.starts, strict=True):
        if turn.token_ids is not None:
            yield turn, start, start + len(turn.token_ids)


def _chosen(trajectory: Trajectory, encoded: Encoded) -> npt.NDArray[np.bool_]:
    chosen_T = np.array(encoded.written, dtype=np.bool_)
    for turn, start, stop in _spans(trajectory, encoded):
        if stop < len(chosen_T) and encoded.written[stop]:
            chosen_T[stop] = False  # an end of turn that was appended: a stop string or a grammar ended the turn
        for first, end in turn.held:
            chosen_T[start + first : start + end] = False
    return chosen_T


def _logprobs(
    trajectory: Trajectory, encoded: Encoded, chosen_T: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32] | None:
    logprobs_T = np.full(len(encoded.ids), np.nan, dtype=np.float32)
    for turn, start, stop in _spans(trajectory, encoded):
        if turn.logprobs is not None:
            logprobs_T[start:stop] = turn.logprobs
    if not chosen_T.any() or np.isnan(logprobs_T[chosen_T]).any():
        return None
    return np.where(chosen_T, logprobs_T, np.float32(0))


def _texts(encoded: Encoded, text_of: Callable[[int], str]) -> list[str]:
    """Return the text of each id; what others wrote is a line end, which separates the assistant's texts."""
    return [text_of(one) if mine else "\n" for one, mine in zip(encoded.ids, encoded.written, strict=True)]


def _decoder(vocabulary: Vocabulary) -> Callable[[int], str]:
    return lambda one: vocabulary.decode([one])


def read_samples(
    shards: Sequence[Path], vocabulary: Vocabulary, geometry: PatchGeometry, *, weigh: Weigh = even
) -> Iterator[Sample]:
    """Yield the samples of trajectory files or traces, in order; raises DataError naming path:line.

    Trajectories without a chosen id are passed over: no turn was written to its end, or a grammar decided it all.
    """
    text_of = cache(_decoder(vocabulary))  # kept as long as this reader, and the tokenizer with it
    for path in shards:
        for trajectory in read_trajectories(path):
            sample = sample_of(trajectory, vocabulary, geometry, weigh=weigh, text_of=text_of)
            if sample.chosen_T.any():
                yield sample


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
        raise DataError(f"session {trajectory.session}: a message shows picture {place}, which is not in the record")
    address = shown.cuts[0].address
    return ShownPicture(
        address=Address.from_wire(address if isinstance(address, int) else [*address]),
        picture=Picture(data=b"", width=shown.width, height=shown.height, sha256=shown.sha256),
        tokens=shown.tokens,
    )

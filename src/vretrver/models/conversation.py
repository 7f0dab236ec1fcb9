"""Messages as token ids, append-only: the ids of a longer conversation begin with those of the shorter one.

The ids are those of `agent.wire.render`, with one picture mark per visual token. A turn of the assistant is tokenised
by itself, or given as the ids that were sampled, so that what was sampled is what is trained on. Sampling and
training both use this module; it needs a tokenizer and no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..agent.messages import Message, ShownPicture
from ..errors import PictureError
from .patches import PatchGeometry
from .vocabulary import Vocabulary


@dataclass(slots=True, kw_only=True)
class Encoded:
    """A conversation, or its new messages, as ids."""

    ids: list[int] = field(default_factory=list)
    """Token ids; a picture is a run of `picture_pad`, one a visual token."""
    written: list[bool] = field(default_factory=list)
    """For each id, whether the assistant wrote it: the text of its turns and the `<|im_end|>` that ends them."""
    starts: list[int] = field(default_factory=list)
    """Per turn of the assistant, the place of its first id."""
    pictures: list[ShownPicture] = field(default_factory=list)
    """Pictures in order of their runs."""
    grids: list[tuple[int, int]] = field(default_factory=list)
    """Per picture (rows, columns) of visual tokens."""

    def add(self, ids: Sequence[int], *, written: bool = False) -> None:
        """Append ids."""
        self.ids += ids
        self.written += [written] * len(ids)


def encode(
    messages: Sequence[Message],
    vocabulary: Vocabulary,
    geometry: PatchGeometry,
    *,
    ask: bool = True,
    after_turn: bool = False,
    ended: bool = True,
    sampled: Mapping[int, Sequence[int]] | None = None,
) -> Encoded:
    """Return messages as ids.

    Args:
        messages: the conversation, or its new messages.
        vocabulary: the model's.
        geometry: how the model cuts pictures.
        ask: whether the assistant's header follows, so that a turn can be sampled.
        after_turn: whether these messages follow a turn that was sampled: its end is written first.
        ended: whether that turn's last sampled id was `<|im_end|>`; a turn that was cut off has none yet.
        sampled: number of a message -> the ids the assistant sampled for it, with or without the `<|im_end|>` at
            their end; turns not named are tokenised from their text.

    Raises:
        PictureError: a picture's size is not a multiple of the model's visual cell.
        DataError: a text cannot be tokenised.
    """
    out = Encoded()
    if after_turn:
        out.add([] if ended else [vocabulary.turn_end])
        out.add(vocabulary.newline)
    for number, message in enumerate(messages):
        if message.role == "assistant":
            _add_turn(out, message, vocabulary, (sampled or {}).get(number))
        else:
            _add_message(out, message, vocabulary, geometry)
        out.add(vocabulary.newline)
    if ask:
        _add_header(out, vocabulary)
    return out


def grid_of(shown: ShownPicture, geometry: PatchGeometry) -> tuple[int, int]:
    """Return (rows, columns) of visual tokens; raises PictureError unless the size is a multiple of the cell."""
    picture = shown.picture
    try:
        _, rows, columns = geometry.grid(picture.width, picture.height)
    except ValueError as error:
        raise PictureError(
            shown.address,
            f"it is shown at {picture.width} x {picture.height}, not a multiple of the model's "
            f"cell of {geometry.cell} pixels; give the dialect views with cell={geometry.cell}",
        ) from error
    return rows // geometry.merge, columns // geometry.merge


def turn_header(vocabulary: Vocabulary) -> list[int]:
    """Return the ids that a turn of the assistant begins behind."""
    return [vocabulary.turn_start, *vocabulary.text("assistant\n")]


def _add_header(out: Encoded, vocabulary: Vocabulary) -> None:
    out.add(turn_header(vocabulary))


def _add_turn(out: Encoded, message: Message, vocabulary: Vocabulary, sampled: Sequence[int] | None) -> None:
    """Add a turn of the assistant; its text is a run of its own, as it is when it is sampled."""
    _add_header(out, vocabulary)
    ids = vocabulary.text(message.text) if sampled is None else list(sampled)
    if not ids or ids[-1] != vocabulary.turn_end:
        ids = [*ids, vocabulary.turn_end]
    out.starts.append(len(out.ids))
    out.add(ids, written=True)


def _add_message(out: Encoded, message: Message, vocabulary: Vocabulary, geometry: PatchGeometry) -> None:
    """Add a message of the system or the user; its role and first text are one run, as in the rendered string."""
    out.add([vocabulary.turn_start])
    run = f"{message.role}\n"
    for piece in message.pieces:
        if isinstance(piece, str):
            run += piece
            continue
        rows, columns = grid_of(piece, geometry)
        pads = [vocabulary.picture_pad] * (rows * columns)
        out.add([*vocabulary.text(run), vocabulary.picture_start, *pads, vocabulary.picture_end])
        out.pictures.append(piece)
        out.grids.append((rows, columns))
        run = ""
    out.add([*vocabulary.text(run), vocabulary.turn_end])

"""The opening messages of a session and the record of every picture in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..records import Address, ImagePart, Part
from .bench import Bench, Refused
from .dialect import Dialect
from .messages import Message, Piece, ShownPicture, plain
from .trajectory import MessageRecord, PictureRecord

UNAVAILABLE = "[picture not available]"
"""Stands in the prompt where a picture could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The opening of a session."""

    messages: tuple[Message, ...]
    """System and user message."""
    pictures: tuple[PictureRecord, ...]
    """Every picture, in order, those that could not be shown included."""


def open_prompt(dialect: Dialect, bench: Bench) -> Prompt:
    """Return the opening messages over a bench's task; a picture that cannot be read is named, never dropped."""
    task, wording = bench.task, dialect.wording
    records: list[PictureRecord] = []
    query = _pieces(0, task.query.parts, bench, records)
    candidates: list[Piece] = []
    for number, candidate in enumerate(task.candidates, start=1):
        candidates += wording.item(number, _pieces(number, candidate.parts, bench, records))
    system = Message(role="system", pieces=(wording.system(dialect.tools),))
    user = Message(role="user", pieces=joined(wording.user(task, query, candidates)))
    return Prompt(messages=(system, user), pictures=tuple(records))


def _pieces(item: int, parts: Sequence[Part], bench: Bench, records: list[PictureRecord]) -> list[Piece]:
    pieces: list[Piece] = []
    pictures = 0
    for part in parts:
        if isinstance(part, ImagePart):
            pictures += 1
            pieces.append(_picture(Address(item=item, picture=pictures), part, bench, records))
        else:
            text = (
                part.text
                if len(part.text) <= bench.views.text_chars
                else part.text[: bench.views.text_chars] + " ..."
            )
            pieces.append(f" {plain(text)}" if pieces else plain(text))
    return pieces


def _picture(address: Address, part: ImagePart, bench: Bench, records: list[PictureRecord]) -> Piece:
    wire, did = address.to_wire(), bench.did_of(address)
    try:
        look = bench.thumbnail(address)
    except Refused as refusal:
        records.append(PictureRecord(address=wire, did=did, image=part.image, refused=str(refusal)))
        return UNAVAILABLE
    picture = look.shown.picture
    records.append(
        PictureRecord(
            address=wire,
            did=did,
            image=look.image,
            width=picture.width,
            height=picture.height,
            tokens=look.shown.tokens,
            sha256=picture.sha256,
        )
    )
    return look.shown


def joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return pieces with neighbouring texts joined and empty ones left out."""
    out: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        elif piece:
            out.append(piece)
    return tuple(out)


def recorded(message: Message) -> MessageRecord:
    """Return a message with its pictures replaced by their addresses."""
    pieces = [piece.address.to_wire() if isinstance(piece, ShownPicture) else piece for piece in message.pieces]
    return MessageRecord(role=message.role, pieces=pieces)

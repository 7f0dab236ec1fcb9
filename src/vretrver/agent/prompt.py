"""The opening messages of a session and the record of every picture in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..records import Address, ImagePart, Part
from .bench import Bench
from .dialect import Dialect
from .messages import Message, Piece
from .observations import Cut
from .recording import ShownList, cut_record
from .refusals import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The opening of a session."""

    messages: tuple[Message, ...]
    """System and user message."""
    shown: ShownList
    """Every picture, in order, those that could not be shown included."""


def open_prompt(dialect: Dialect, bench: Bench, *, at_once: bool = False) -> Prompt:
    """Return the opening messages over a bench's task; a picture that cannot be read is named, never dropped.

    Args:
        dialect: texts, tools and rules.
        bench: the window's pictures.
        at_once: whether the answer is asked for at once, as it is for a task of no turns.
    """
    task, wording = bench.task, dialect.wording
    opening = _Opening(dialect, bench)
    query = opening.pieces(0, task.query.parts)
    candidates: list[Piece] = []
    for number, candidate in enumerate(task.candidates, start=1):
        candidates += wording.item(number, opening.pieces(number, candidate.parts))
    system = Message(role="system", pieces=(wording.system(dialect.tools, dialect.form),))
    pieces = wording.user(task, query, candidates)
    if at_once or task.turns == 0:
        pieces = wording.forced(pieces, len(task.candidates), dialect.form)
    user = Message(role="user", pieces=joined(pieces))
    return Prompt(messages=(system, user), shown=opening.shown)


class _Opening:
    """Lays items out and notes what is shown of them."""

    def __init__(self, dialect: Dialect, bench: Bench) -> None:
        self.dialect, self.bench = dialect, bench
        self.shown = ShownList()

    def pieces(self, item: int, parts: Sequence[Part]) -> list[Piece]:
        """Return the pictures and texts of one item."""
        pieces: list[Piece] = []
        pictures = 0
        for part in parts:
            if isinstance(part, ImagePart):
                pictures += 1
                pieces.append(self._picture(Address(item=item, picture=pictures), part))
            else:
                limit = self.bench.views.text_chars
                pieces.append(self.dialect.wording.text(part.text, limit=limit, first=not pieces))
        return pieces

    def _picture(self, address: Address, part: ImagePart) -> Piece:
        try:
            seen = self.bench.thumbnail(address)
        except Refused as refused:
            cut = cut_record(Cut(address=address, image=part.image), self.bench)
            self.shown.note_refused(cut, refused.refusal.worded(self.dialect.wording.refusals))
            return self.dialect.wording.unavailable
        self.shown.note(seen, self.bench)
        return seen.shown


def joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return pieces with neighbouring texts joined and empty ones left out."""
    out: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        elif piece:
            out.append(piece)
    return tuple(out)

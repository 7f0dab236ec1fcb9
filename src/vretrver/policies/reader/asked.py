"""What a conversation has shown so far, read from its messages alone: the query, the items, and what was read.

A record holds the same messages, so that verdicts are found again from a trajectory as from a running session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ...agent.answers import RankingOrNoneForm
from ...agent.messages import Message
from ...agent.parsing import parse_turn
from ...agent.trajectory import PictureShown, Trajectory
from ...records import Address

_QUERY = "Query:\n"
_CANDIDATES = "\nCandidates:\n"
_COUNT = re.compile(r"Rank (?:all (\d{1,4}) candidates, best first|the candidate)\.$")
_HEAD = re.compile(r"Text of picture (\d{1,4}|\[\d{1,4}, \d{1,4}\])(?:, region \[(\d+), (\d+), (\d+), (\d+)\])?: $")
_LINE = re.compile(r"\[(\d{1,4}), (\d{1,4}), (\d{1,4}), (\d{1,4})(?:, (\d{1,3})%)?\] (.*)$")
_NOT_AVAILABLE = "[picture not available]"

Edges = tuple[int, int, int, int]
"""Left, top, right, bottom in thousandths of a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that was read."""

    text: str
    """As told."""
    picture: int = 0
    """Which of the candidate's pictures, from 1; 0 is the candidate's own text."""
    edges: Edges | None = None
    """Where it stands; None in the candidate's own text."""
    sure: float = 1.0
    """How sure its reader was, from 0 to 1."""
    again: bool = False
    """Whether it comes from a region that was enlarged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCandidate:
    """One candidate as far as it is known."""

    number: int
    """Its number, from 1."""
    pictures: tuple[int, ...]
    """Its pictures that are shown, from 1."""
    unread: tuple[int, ...]
    """Those of them that were not read yet."""
    refused: bool
    """Whether a picture of it is not available, or could not be read."""
    lines: tuple[Line, ...]
    """What was read of it, its own text first."""

    @property
    def unreadable(self) -> bool:
        """Whether nothing of it could be read, however often it is asked."""
        return self.refused and not self.lines and not self.unread

    @property
    def unopened(self) -> bool:
        """Whether none of its pictures could be opened, and it has no text."""
        return self.unreadable and not self.pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said: the messages to the policy, pictures as their addresses, and its own turns."""

    opening: tuple[str | Address, ...]
    """The user message."""
    replies: tuple[str, ...]
    """The text of every message after it."""
    said: tuple[str, ...]
    """The policy's turns."""

    @classmethod
    def of_messages(cls, messages: Sequence[Message], said: Sequence[str]) -> Transcript:
        """Return a running session's conversation; `messages` are all but the policy's own."""
        user = messages[1].pieces if len(messages) > 1 else ()
        opening = tuple(piece if isinstance(piece, str) else piece.address for piece in user)
        return cls(opening=opening, replies=tuple(message.text for message in messages[2:]), said=tuple(said))

    @classmethod
    def of_record(cls, record: Trajectory) -> Transcript:
        """Return a finished session's conversation."""
        user = record.prompt[1].pieces if len(record.prompt) > 1 else ()  # none where nothing could be opened in time
        opening = tuple(piece if isinstance(piece, str) else _address(record, piece) for piece in user)
        replies = [turn.reply for turn in record.turns if turn.reply is not None]
        texts = tuple("".join(p for p in reply.pieces if isinstance(p, str)) for reply in replies)
        return cls(opening=opening, replies=texts, said=tuple(turn.text for turn in record.turns))

    @property
    def query(self) -> str:
        """The query's words, its instruction included."""
        text = "".join(piece for piece in self.opening if isinstance(piece, str))
        return text.removeprefix(_QUERY).partition(_CANDIDATES)[0]

    def items(self) -> tuple[KnownCandidate, ...]:
        """Return the candidates with what was read of them, in order."""
        shown = _shown(self.opening)
        asked = [address for said in self.said for address in _asked(said)]
        read = [pair for reply in self.replies for pair in _read(reply)]
        items = []
        for number, (text, pictures) in enumerate(shown, start=1):
            mine = [(where, lines) for where, lines in read if where.item == number]
            done = {where.picture for where, _ in mine} | {one.picture for one in asked if one.item == number}
            own = tuple(Line(text=line) for line in text.splitlines() if line.strip() and line != _NOT_AVAILABLE)
            known = {where.picture for where, _ in mine}
            items.append(
                KnownCandidate(
                    number=number,
                    pictures=pictures,
                    unread=tuple(picture for picture in pictures if picture not in done),
                    refused=_NOT_AVAILABLE in text or bool(done - known),
                    lines=(*own, *_latest(lines for _, lines in mine)),
                )
            )
        return tuple(items)


def _address(record: Trajectory, place: int) -> Address:
    shown = record.shown[place]
    if not isinstance(shown, PictureShown):
        raise ValueError(f"place {place} of the record is no picture")
    written = shown.cuts[0].address
    return Address.from_wire(written if isinstance(written, int) else list(written))


def _shown(opening: Sequence[str | Address]) -> list[tuple[str, tuple[int, ...]]]:
    """Return text and pictures of the candidates, in order. Pictures carry their number and are never mistaken."""
    last = opening[-1] if opening and isinstance(opening[-1], str) else ""
    counted = _COUNT.search(last)
    if counted is None:
        return []
    count = int(counted[1] or 1)
    pieces = [*opening[:-1], last[: counted.start()]]
    texts: list[str] = [""] * count
    pictures: list[tuple[int, ...]] = [()] * count
    current, begun = 0, False
    for piece in pieces:
        if isinstance(piece, Address):
            if 1 <= piece.item <= count:
                current = piece.item
                pictures[current - 1] = (*pictures[current - 1], piece.picture)
            continue
        if not begun:
            _, mark, piece = piece.partition(_CANDIDATES)
            begun = bool(mark)
        for line in piece.split("\n") if begun else ():
            head = f"({current + 1}) "
            begins = current < count and line.startswith(head)
            current += begins
            if current:
                texts[current - 1] += f"{line.removeprefix(head) if begins else line}\n"
    return list(zip(texts, pictures, strict=True))


def _asked(said: str) -> list[Address]:
    """Return the pictures that a turn asked to read."""
    addresses = []
    for call in parse_turn(said, RankingOrNoneForm()).calls:
        if call.name == "read_text" and call.arguments is not None:
            target = call.arguments.get("target_image")
            with suppress(ValueError):
                addresses.append(Address.from_wire(target))  # type: ignore[arg-type]  # it says so where it is none
    return addresses


def _read(reply: str) -> list[tuple[Address, list[Line]]]:
    """Return what each call of a turn brought back.

    Every line of a picture begins with its box, so that none can be taken for the head of another picture.
    """
    found: list[tuple[Address, list[Line]]] = []
    again = False
    for text in reply.split("\n"):
        head, line = _HEAD.match(text), _LINE.match(text)
        if head is not None:
            found.append((_named(head[1]), []))
            again = head[2] is not None
        elif line is not None and found:
            left, top, right, bottom = (int(edge) for edge in line.groups()[:4])
            found[-1][1].append(
                Line(
                    text=line[6],
                    picture=found[-1][0].picture,
                    edges=(left, top, right, bottom),
                    sure=1.0 if line[5] is None else int(line[5]) / 100,
                    again=again,
                )
            )
    return found


def _named(written: str) -> Address:
    return Address.from_wire(int(written) if written.isdigit() else [int(n) for n in written[1:-1].split(", ")])


def _latest(readings: Iterable[Sequence[Line]]) -> list[Line]:
    """Return the lines of several readings; what a later one read anew takes the place of what was there."""
    kept: list[Line] = []
    for lines in readings:
        kept = [*(one for one in kept if not any(_same_place(one, new) for new in lines)), *lines]
    return kept


def _same_place(one: Line, new: Line) -> bool:
    if one.edges is None or new.edges is None or one.picture != new.picture:
        return False
    (a, b, c, d), (e, f, g, h) = one.edges, new.edges
    middle = (b + d) / 2
    return f <= middle <= h and min(c, g) - max(a, e) > 0.5 * (c - a)

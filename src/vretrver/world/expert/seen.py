"""What a session has shown so far, read from its observations: of which item, and whether its label was in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...agent.messages import Message, Piece
from ..draw.pose import FRAME
from ..draw.render import label_place
from ..draw.world import Shot

_REGION = re.compile(r"region \[(\d+), (\d+), (\d+), (\d+)\]: $")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One picture of an observation."""

    item: int
    """0 for the query, k for candidate k."""
    region: tuple[int, int, int, int] | None
    """Left, top, right, bottom in thousandths; None for a whole picture."""

    def holds_label(self, shot: Shot) -> bool:
        """True when a region shows the whole label of a shot."""
        if self.region is None:
            return False
        left, top, right, bottom = (edge * FRAME / 1000 for edge in self.region)
        box = label_place(shot).box
        slack = 4  # the label's box is drawn outward, and thousandths are rounded
        return (
            left <= box[0] + slack and top <= box[1] + slack and right >= box[2] - slack and bottom >= box[3] - slack
        )


def sights(message: Message) -> list[Sight]:
    """Return the pictures of one observation, in order."""
    pieces = message.pieces
    return [_sight(piece, pieces[place - 1] if place else "") for place, piece in _pictures(pieces)]


def _pictures(pieces: Sequence[Piece]) -> list[tuple[int, Piece]]:
    return [(place, piece) for place, piece in enumerate(pieces) if not isinstance(piece, str)]


def _sight(piece: Piece, before: Piece) -> Sight:
    found = _REGION.search(before) if isinstance(before, str) else None
    left, top, right, bottom = (int(edge) for edge in found.groups()) if found else (0, 0, 0, 0)
    item = 0 if isinstance(piece, str) else piece.address.item
    return Sight(item=item, region=(left, top, right, bottom) if found else None)

"""The expert as a policy: it names what it sees, lists what is undecided, looks, reads, looks again, and ranks.

It makes rare deliberate mistakes, a look that misses or a call with an error in it, so that recovery is demonstrated:
it asks for the picture larger, or writes the call again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...policies.scripted import Moment, ScriptedPolicy, answer_text
from ...prng import Stream
from ..draw.pose import FRAME
from ..draw.render import label_place
from ..draw.world import Detail, Shot
from .seen import Sight, sights
from .speech import agreement, reading, select_call, trait_line, want_line, zoom_call
from .wanted import trait_of
from .windows import Practice

GRID = 20
"""Thousandths of a picture between two box edges the expert writes.

46 distinct edges instead of 901: each number then occurs often enough to be learned, and being 10 thousandths (8
native pixels) off the middle still leaves the whole label in a region of 128 pixels."""

BOX = 100
"""Width and height of a box in thousandths; the region shown is 128 native pixels around its middle."""

CALLS = 4
"""Calls in a turn."""

LOOKING = 3
"""Turns in which it looks; in the next it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaws:
    """How often the expert errs on purpose, in thousandths."""

    missed_zoom: int = 30
    """Zooms that show another place."""
    wrong_call: int = 15
    """Looking turns whose first call has a mistake in it."""


def expert(
    practices: Mapping[str, Practice], *, seed: int, flaws: Flaws | None = None, whole: bool = False
) -> ScriptedPolicy:
    """Return the expert. Without tools and whole pictures it guesses among what is undecided, in order.

    Args:
        practices: session name -> the window and what is true of it.
        seed: of the flaws.
        flaws: how often it errs; None is the usual rate.
        whole: whether pictures are shown so large from the start that it reads them at once.
    """
    used = flaws or Flaws()

    def script(moment: Moment) -> str:
        return _Turn(practices[moment.session], moment, seed, used, whole).text()

    return ScriptedPolicy(script, name="catalogue-expert")


class _Turn:
    """One turn: what is known from all observations before it, and what follows.

    `unread` is True when the labels of candidates are in thumbnails, so that looks have to show them.
    """

    def __init__(self, practice: Practice, moment: Moment, seed: int, flaws: Flaws, whole: bool) -> None:
        self.practice, self.wanted, self.moment, self.flaws = practice, practice.wanted, moment, flaws
        self.stream = Stream(seed, "flaws", moment.session, len(moment.said))
        self.first = not moment.said
        self.whole = whole
        self.unread = practice.shape.pool in ("pictures", "pages") and not whole
        self.undecided = [k for k in range(1, len(practice.items) + 1) if self._agrees(k)]
        seen = [sights(message) for message in moment.messages[2:]]
        self.last: list[Sight] = seen[-1] if seen else []
        self.before = {s.item for turn in seen[:-1] for s in turn if s.holds_label(self._shot(s.item))}
        now = {s.item for s in self.last if s.holds_label(self._shot(s.item))}
        self.read = self.before | now | ({0} if whole else set())
        self.zoomed = {s.item for turn in seen for s in turn if s.region is not None}
        self.enlarged = {s.item for turn in seen for s in turn if s.region is None}

    def text(self) -> str:
        """Return the turn."""
        if self.moment.forced:
            return answer_text(self._order())
        think = self._description() if self.first else self._readings()
        calls = self._calls() if self.moment.has_tools and len(self.moment.said) < LOOKING else []
        if calls:
            return f"<think>{think}</think>{''.join(calls)}"
        return answer_text(self._order(), f"{think}{self._verdict()}")

    def _agrees(self, number: int) -> bool:
        item = self.practice.items[number - 1]
        return all(trait_of(item, trait) == value for trait, value in self.wanted.traits)

    def _shot(self, number: int) -> Shot:
        if number:
            return self.practice.items[number - 1].shot(0)
        return self.practice.query_shot

    def _detail(self, number: int) -> Detail:
        return self._shot(number).printed

    def _asked(self) -> Detail | None:
        """Return the detail asked for, once it is known."""
        if self.wanted.detail is None and 0 in self.read:
            return self.wanted.seen
        return self.wanted.detail

    def _description(self) -> str:
        lines = [want_line(self.wanted)]
        for number, item in enumerate(self.practice.items, start=1):
            values = [trait_of(item, trait) for trait, _ in self.wanted.traits]
            lines.append(trait_line(number, values, self.wanted))
        lines.append(f"Undecided {', '.join(map(str, self.undecided))}.\n")
        if self.whole or (not self.unread and self.wanted.detail is not None):
            there = [0] if self.wanted.detail is None else []
            lines += [self._reading(k) for k in (*there, *self.undecided)]
        return "".join(lines)

    def _readings(self) -> str:
        """Say what the last observation shows, and compare what was read before the query's picture was."""
        lines = []
        for sight in self.last:
            if sight.region is None:
                continue
            name = str(sight.item) if sight.item else "Query"
            lines.append(self._reading(sight.item) if sight.item in self.read else f"{name} nothing\n")
        if self.wanted.detail is None and 0 in self.read - self.before:
            there = self.before - {0} if self.unread else set(self.undecided)
            lines += [self._reading(k) for k in self.undecided if k in there]
        return "".join(lines)

    def _reading(self, number: int) -> str:
        if number == 0:
            return reading("Query", self._detail(0), None)
        return reading(str(number), self._detail(number), self._asked())

    def _calls(self) -> list[str]:
        """Return the looks that come next; none when nothing is undecided any more."""
        if len(self.undecided) < 2 or self._matched():
            return []
        needed = [*([0] if self.wanted.detail is None else []), *(self.undecided if self.unread else [])]
        pending = [k for k in needed if k not in self.read]
        missed = [k for k in pending if k in self.zoomed and k not in self.enlarged][:CALLS]
        calls = [select_call(missed)] if missed else []
        calls += [self._zoom(k) for k in pending if k not in missed][: CALLS - len(calls)]
        if calls and self.stream.below(1000) < self.flaws.wrong_call:
            calls[0] = self._wrong()
        return calls

    def _zoom(self, number: int) -> str:
        place = label_place(self._shot(number))
        middle = (place.x / 16, place.y / 16)
        if number not in self.zoomed and self.stream.below(1000) < self.flaws.missed_zoom:
            middle = (float(self.stream.below(FRAME)), float(self.stream.below(FRAME)))
        x, y = (_edge(side) for side in middle)
        return zoom_call(number, (x, y, x + BOX, y + BOX))

    def _wrong(self) -> str:
        """Return a call that is refused."""
        x, y = GRID * self.stream.below(45), GRID * self.stream.below(45)
        if self.stream.below(2):
            return zoom_call(len(self.practice.items) + 1 + self.stream.below(3), (x, y, x + BOX, y + BOX))
        return zoom_call(self.stream.choice(self.undecided), (x + BOX, y, x, y + BOX))

    def _scores(self) -> dict[int, float]:
        """Return how well each undecided candidate fits; an unread one ranks below a label with one wrong mark."""
        asked = self._asked()
        known = self.read if self.unread else set(self.undecided)
        return {
            k: agreement(self._detail(k), asked)
            if asked and k in known
            else (len(asked.values) if asked else 2) - 1.5
            for k in self.undecided
        }

    def _matched(self) -> bool:
        asked = self._asked()
        return asked is not None and any(score == len(asked.values) for score in self._scores().values())

    def _order(self) -> list[int]:
        scores = self._scores()
        best = sorted(self.undecided, key=lambda k: (-scores[k], k))
        return [*best, *(k for k in range(1, len(self.practice.items) + 1) if k not in scores)]

    def _verdict(self) -> str:
        return f"{self._order()[0]} {'match' if self._matched() else 'fits best'}.\n"


def _edge(middle: float) -> int:
    """Return the edge of a box around a native pixel, on the grid."""
    edge = round((middle * 1000 / FRAME - BOX / 2) / GRID) * GRID
    return min(max(edge, 0), 1000 - BOX)

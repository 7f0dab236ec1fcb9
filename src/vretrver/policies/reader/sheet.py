"""What stands on one candidate: its lines, the facts in them, and which value stands beside which label."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...text.facts import Fact, facts_in
from ...text.months import folded
from .asked import Edges, KnownCandidate, Line
from .near import repaired
from .wanted import tokens_of

_SLOPES = [step / 400 for step in range(-20, 21)]
"""Slopes of a page that is turned a little: up to 50 thousandths down over its whole width."""

_REACH = 0.8
"""How far off a label's middle a value of its row may be, in heights of the label's line."""

_GAP = 60
"""Most thousandths of the width between two parts of one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetValue:
    """A fact at its place."""

    fact: Fact
    """Its forms."""
    text: str
    """As it was read."""
    line: Line
    """The line it stands in, or the first of two that hold it together."""
    mended: bool = False
    """Whether letters had to be taken for digits."""


class Sheet:
    """A candidate's lines, looked through once.

    Args:
        item: the candidate.
    """

    def __init__(self, item: KnownCandidate) -> None:
        self.item = item
        self.lines = item.lines

    @cached_property
    def values(self) -> tuple[SheetValue, ...]:
        """Every fact: of lines, of two neighbours read as one line, of lines with letters taken for digits."""
        found = [_value(fact, line, line.text) for line in self.lines for fact in facts_in(line.text)]
        for line, text in self._joined():
            known = {fact.forms for fact in (*facts_in(line.text), *facts_in(text[len(line.text) :]))}
            found += [_value(fact, line, text) for fact in facts_in(text) if fact.forms not in known]
        for line in self.lines:
            mended = repaired(line.text)
            if mended != line.text:
                found += [_value(fact, line, mended, mended=True) for fact in facts_in(mended)]
        return tuple(found)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words and numbers, without case and accents."""
        return frozenset(token for line in self.lines for token in tokens_of(line.text))

    @cached_property
    def closed(self) -> tuple[tuple[Line, str], ...]:
        """Every line with its letters and digits alone, folded: readers of pictures drop spaces."""
        return tuple((line, closed_up(line.text)) for line in self.lines)

    def labels(self, words: Collection[str]) -> list[Line]:
        """Return the lines that hold one of some words, folded."""
        return [line for line in self.lines if any(_place_of(word, line.text) is not None for word in words)]

    def beside(self, label: str, values: Sequence[SheetValue]) -> list[SheetValue]:
        """Return the values that stand beside a label: behind it in its line, or else next to it in its row.

        Args:
            label: a word, folded.
            values: those that count.
        """
        found: list[SheetValue] = []
        for line in self.lines:
            at = _place_of(label, line.text)
            if at is None:
                continue
            behind = [one for one in values if one.line is line and one.fact.span[0] >= at]
            found += behind or self._next_to(line, values)
        return found

    def _next_to(self, label: Line, values: Sequence[SheetValue]) -> list[SheetValue]:
        if label.edges is None:
            return []
        left, _, right, _ = label.edges
        row: list[tuple[float, int, SheetValue]] = []
        height = max(_height(label.edges), 1)
        for one in values:
            edges = one.line.edges
            if edges is None or one.line.picture != label.picture or edges[0] < (left + right) / 2:
                continue
            off = _level(edges, self._slope(label.picture)) - _level(label.edges, self._slope(label.picture))
            if abs(off) <= _REACH * height:
                row.append((abs(off), edges[0], one))
        level = min((off for off, _, _ in row), default=0.0) + 0.3 * height
        nearest = min((x for off, x, _ in row if off <= level), default=0)
        return [one for off, x, one in row if off <= level and x <= nearest + 5]

    def _joined(self) -> Iterator[tuple[Line, str]]:
        """Yield lines together with the text of the neighbour that may go on with them."""
        for line in self.lines:
            for other in self.lines:
                if other is line or line.edges is None or other.edges is None or other.picture != line.picture:
                    continue
                gap, height = other.edges[0] - line.edges[2], max(_height(line.edges), 1)
                middle = (other.edges[1] + other.edges[3] - line.edges[1] - line.edges[3]) / 2
                if -5 <= gap <= _GAP and abs(middle) < 0.5 * height:
                    yield line, f"{line.text} {other.text}"

    def _slope(self, picture: int) -> float:
        """Return how far a picture's rows go down per thousandth of its width: what lets most lines stand in rows."""
        if picture not in self._slopes:
            boxes = [line.edges for line in self.lines if line.picture == picture and line.edges is not None]
            self._slopes[picture] = max(_SLOPES, key=lambda slope: (_rows(boxes, slope), -abs(slope)))
        return self._slopes[picture]

    @cached_property
    def _slopes(self) -> dict[int, float]:
        return {}


def closed_up(text: str) -> str:
    """Return the letters and digits of a text alone, without case and accents."""
    return "".join(char for char in folded(text) if char.isalnum())


def _value(fact: Fact, line: Line, text: str, *, mended: bool = False) -> SheetValue:
    return SheetValue(fact=fact, text=text[fact.span[0] : fact.span[1]], line=line, mended=mended)


def _place_of(label: str, text: str) -> int | None:
    """Return where a label ends in a text, None where it is not there; `Total466.17` has its label too."""
    found = re.search(rf"(?<![^\W\d_]){re.escape(label)}(?![^\W\d_])", folded(text))
    return None if found is None else found.end()


def _rows(boxes: Sequence[Edges], slope: float) -> float:
    """Return how well boxes stand in rows when the page is turned back by a slope."""
    score = 0.0
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            if abs(one[0] - other[0]) < _GAP:
                continue
            off = (_level(one, slope) - _level(other, slope)) / (0.3 * max(_height(one), 1))
            score += math.exp(-off * off)
    return round(score, 6)


def _level(edges: Edges, slope: float) -> float:
    return (edges[1] + edges[3]) / 2 - slope * (edges[0] + edges[2]) / 2


def _height(edges: Edges) -> int:
    return edges[3] - edges[1]

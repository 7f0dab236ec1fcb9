"""The table of facts and candidates: how the reader ranks, what it holds of a window, and the same of a record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from ...agent.trajectory import Trajectory
from .asked import KnownCandidate, Transcript
from .judging import FactFinding, FactVerdict, judge
from .sheet import Sheet
from .wanted import Wanted, wanted_in


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One candidate."""

    item: KnownCandidate
    """What is known of it."""
    verdicts: tuple[FactVerdict, ...]
    """One for each thing wanted, in order."""
    closeness: float
    """Share of the wanted words that it shows, rare ones counting more, from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class FactTable:
    """What a query asks for, and what became of it on every candidate of a window."""

    wanted: tuple[Wanted, ...]
    """What is asked for."""
    rows: tuple[FactRow, ...]
    """The candidates in the order given."""

    def count(self, row: FactRow, finding: FactFinding) -> int:
        """Return how many of the facts, words left out, have a finding on a candidate."""
        return sum(one.finding is finding and wanted.hard for wanted, one in self._pairs(row))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The candidates' numbers, best first: most facts found, fewest contradicted, closest words, as given.

        Those of which nothing could be read come last, unless nothing is asked for.
        """

        def key(row: FactRow) -> tuple[float, ...]:
            return (
                bool(self.wanted) and row.item.unreadable,
                -self.count(row, FactFinding.YES),
                self.count(row, FactFinding.NO),
                -row.closeness,
                row.item.number,
            )

        return tuple(row.item.number for row in sorted(self.rows, key=key))

    @property
    def none_fits(self) -> bool:
        """Whether every candidate was read, and lacks or contradicts a fact that is asked for.

        Where no fact is asked for, whether no candidate shows any of the words. A candidate whose missing facts all
        stand on readings in doubt may still fit, and one that could not be read beside others that were. Where none
        could be opened, none fits.
        """
        if all(row.item.unopened for row in self.rows):
            return bool(self.wanted)
        return bool(self.wanted) and not any(self._may_fit(row) for row in self.rows)

    def _may_fit(self, row: FactRow) -> bool:
        if row.item.refused or row.item.unread:
            return True
        missing = [one for wanted, one in self._pairs(row) if wanted.hard and one.finding is not FactFinding.YES]
        if not any(wanted.hard for wanted in self.wanted):
            return row.closeness > 0
        return all(one.unsure for one in missing)

    def _pairs(self, row: FactRow) -> zip[tuple[Wanted, FactVerdict]]:
        return zip(self.wanted, row.verdicts, strict=True)


def table_of(conversation: Transcript) -> FactTable:
    """Return the table of what was said so far."""
    wanted = wanted_in(conversation.query)
    items = conversation.items()
    sheets = [Sheet(item) for item in items]
    verdicts = [tuple(judge(one, sheet) for one in wanted) for sheet in sheets]
    weights = [
        _weight(sum(row[place].finding is FactFinding.YES for row in verdicts), len(items))
        for place in range(len(wanted))
    ]
    rows = []
    for item, row in zip(items, verdicts, strict=True):
        seen = sum(weight for weight, one in zip(weights, row, strict=True) if one.finding is FactFinding.YES)
        rows.append(FactRow(item=item, verdicts=row, closeness=seen / sum(weights) if wanted else 0.0))
    return FactTable(wanted=wanted, rows=tuple(rows))


def verdicts_of(record: Trajectory) -> FactTable:
    """Return the table of a finished session of any policy whose calls read text; it is the one the reader used."""
    return table_of(Transcript.of_record(record))


def as_data(table: FactTable, record: Trajectory) -> dict[str, object]:
    """Return a session's table for JSON: the facts, and for each candidate its verdicts with boxes in pixels."""
    facts = [{"kind": one.kind, "text": one.text, "form": one.form, "label": one.label} for one in table.wanted]
    rows = [
        {
            "did": record.candidates[row.item.number - 1],
            "verdicts": [_told(one, row.item.number, record) for one in row.verdicts],
        }
        for row in table.rows
    ]
    return {"facts": facts, "candidates": rows, "none_fits": table.none_fits}


def _told(one: FactVerdict, number: int, record: Trajectory) -> dict[str, object]:
    box = None if one.edges is None else _pixels(one, number, record)
    return {"finding": one.finding.value, "text": one.text, "picture": one.picture, "box": box, "unsure": one.unsure}


def _pixels(one: FactVerdict, number: int, record: Trajectory) -> list[int] | None:
    """Return the box of a verdict in pixels of the upright original."""
    wanted = {number, (number, one.picture)} if one.picture == 1 else {(number, one.picture)}
    for shown in record.shown:
        for cut in shown.cuts:
            if cut.address in wanted and one.edges is not None and cut.image.width and cut.image.height:
                left, top, right, bottom = one.edges
                width, height = cut.image.width, cut.image.height
                return [
                    left * width // 1000,
                    top * height // 1000,
                    -(-right * width // 1000),
                    -(-bottom * height // 1000),
                ]
    return None


def _weight(seen: int, count: int) -> float:
    return math.log((count + 1) / (seen + 0.5))

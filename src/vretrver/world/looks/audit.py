"""Where errors come from: protocol, ruling out, finding the place, reading, comparing. Computed from trajectories."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from ...agent.trajectory import CutRecord, Trajectory
from ...geometry import Box
from ..draw.world import Detail

Cause = Literal["protocol", "ruled-out", "not-shown", "misread", "compared"]
"""Why the right candidate is not first: no answer; its thumbnail was misjudged; its label (or the query's) was
never wholly in a look; a label in a look was misread; everything was read correctly and the order is still wrong."""

CAUSES: tuple[Cause, ...] = ("protocol", "ruled-out", "not-shown", "misread", "compared")
"""All causes, in the order in which they are looked for."""

_READ = re.compile(r"^(?:<think>)?(Query|\d+) (code .*|.* badge|patch with .*|nothing)$", re.MULTILINE)
_JUDGED = re.compile(r"^(?:<think>)?(\d+) .* (yes|no)$", re.MULTILINE)
_SEEN = re.compile(r"([^\s=+-]+)[+-]")
_SLACK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One region that showed a whole label, and what the next turn said of it."""

    name: str
    """`Query`, or the candidate's number."""
    right: bool
    """True when every mark was named correctly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Counts over one session."""

    calls: int
    """Calls written, refused ones included."""
    refused: int
    """Calls that were not carried out."""
    zooms: int
    """Regions shown."""
    selects: int
    """Whole pictures shown again."""
    readings: int
    """Regions that show the whole label."""
    right: int
    """Those of them that were read as they are."""


class TrajectoryAuditor:
    """Judges trajectories by what is true of the catalogue's pictures.

    Args:
        labels: picture path -> where the label is.
        details: picture path -> what it says.
    """

    def __init__(self, labels: Mapping[str, Box], details: Mapping[str, Detail]) -> None:
        self.labels, self.details = labels, details

    def readings(self, trajectory: Trajectory) -> Iterator[Reading]:
        """Yield every region that showed a whole label."""
        for turn, after in enumerate([*trajectory.turns[1:], None]):
            said = dict(_READ.findall(after.text)) if after is not None else {}
            for cut in _cuts(trajectory, turn):
                if self._holds(cut):
                    name = "Query" if cut.did is None else str(cut.address)
                    yield Reading(name=name, right=_says(said.get(name, ""), self.details[cut.image.path]))

    def audit(self, trajectory: Trajectory) -> Audit:
        """Count calls, looks and readings of one session."""
        calls = [call for turn in trajectory.turns for call in turn.calls]
        seen = [cut for turn in range(len(trajectory.turns)) for cut in _cuts(trajectory, turn)]
        readings = list(self.readings(trajectory))
        return Audit(
            calls=len(calls),
            refused=sum(call.outcome == "refused" for call in calls),
            zooms=sum(cut.box is not None for cut in seen),
            selects=sum(cut.box is None for cut in seen),
            readings=len(readings),
            right=sum(reading.right for reading in readings),
        )

    def cause(self, trajectory: Trajectory, did: str, *, asks_picture: bool, pictured: bool) -> Cause:
        """Return why the right candidate is not first.

        Args:
            trajectory: the session.
            did: the right candidate.
            asks_picture: the detail asked for is in the query's picture.
            pictured: the details of candidates are in pictures.
        """
        if trajectory.ranking is None:
            return "protocol"
        number = str(trajectory.candidates.index(did) + 1)
        if dict(_JUDGED.findall(trajectory.turns[0].text)).get(number) == "no":
            return "ruled-out"
        needed = {*(["Query"] if asks_picture else []), *([number] if pictured else [])}
        readings = {reading.name: reading.right for reading in self.readings(trajectory)}
        if not needed <= set(readings):
            return "not-shown"
        return "compared" if all(readings[name] for name in needed) else "misread"

    def _holds(self, cut: CutRecord) -> bool:
        if cut.box is None or cut.image.path not in self.labels:
            return False
        left, top, right, bottom = cut.box
        shown = Box(left=left - _SLACK, top=top - _SLACK, right=right + _SLACK, bottom=bottom + _SLACK)
        return shown.covers(self.labels[cut.image.path])


def totals(audits: Sequence[Audit]) -> dict[str, float]:
    """Return shares over sessions: calls carried out, regions that show the label, labels read right."""
    count = {field.name: sum(getattr(one, field.name) for one in audits) for field in fields(Audit)}
    return {
        "call_valid": _share(count["calls"] - count["refused"], count["calls"]),
        "zoom_holds_label": _share(count["readings"], count["zooms"]),
        "label_read": _share(count["right"], count["readings"]),
        "zooms": round(count["zooms"] / len(audits), 3),
        "selects": round(count["selects"] / len(audits), 3),
    }


def _says(said: str, detail: Detail) -> bool:
    """True when a sentence names every mark of a detail: the marks followed by a sign, where there are signs."""
    seen = _SEEN.findall(said)
    return tuple(seen) == detail.values if seen else said == detail.words()


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def _cuts(trajectory: Trajectory, turn: int) -> list[CutRecord]:
    """Return what the calls of a turn showed."""
    return [cut for shown in trajectory.observations(turn) for cut in shown.cuts]

"""Verdicts: whether a candidate shows a fact, shows another in its place, or shows nothing of the kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...agent.texts import SURE
from ...text.facts import agree
from .asked import Edges, Line
from .near import distance, skeleton
from .sheet import Sheet, SheetValue, closed_up
from .wanted import Wanted

_MONEY = ("amount", "number")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_DAY_LABELS = ("date", "dated", "datum", "fecha", "data")


class FactFinding(StrEnum):
    """What became of a fact on a candidate."""

    YES = "yes"
    """It stands there."""
    NO = "no"
    """Another one of its kind stands in its place."""
    UNSEEN = "unseen"
    """Nothing of its kind stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactVerdict:
    """What became of one fact on one candidate."""

    finding: FactFinding
    """What was found."""
    text: str = ""
    """What stands there; empty where nothing does."""
    picture: int = 0
    """Which of the candidate's pictures, from 1; 0 is its own text, or none."""
    edges: Edges | None = None
    """Where, in thousandths of the picture."""
    unsure: bool = False
    """Whether another reading of the place may change it."""


def judge(wanted: Wanted, sheet: Sheet) -> FactVerdict:
    """Return the verdict on one fact."""
    if wanted.fact is not None:
        return _judge_value(wanted, sheet)
    if wanted.kind == "word":
        seen = closed_up(wanted.text)
        found = seen in sheet.words or (len(seen) > 4 and any(seen in text for _, text in sheet.closed))
        return FactVerdict(finding=FactFinding.YES if found else FactFinding.UNSEEN)
    return _judge_words(wanted, sheet)


def _judge_value(wanted: Wanted, sheet: Sheet) -> FactVerdict:
    fact = wanted.fact
    if fact is None:
        raise ValueError("a value is judged by its fact")
    alike = [one for one in sheet.values if _comparable(wanted, one)]
    agreeing = [one for one in alike if agree(fact, one.fact) or _in_year(wanted, one)]
    labelled = sheet.beside(wanted.label, alike) if wanted.label else []
    if agreeing:
        beside = [one for one in agreeing if one in labelled] if labelled else agreeing
        if beside:
            best = max(beside, key=lambda one: (not one.mended, one.line.sure))
            return _found(FactFinding.YES, best, unsure=_unsure(best.line) or (best.mended and not best.line.again))
        return _found(FactFinding.NO, labelled[0], unsure=_unsure(labelled[0].line))
    near = _nearest(wanted, alike)
    if near is not None and not near.line.again:
        return _found(FactFinding.NO, near, unsure=True)
    other = labelled[0] if labelled else near or (alike[0] if alike and _speaks(wanted) else None)
    if other is not None:
        return _found(FactFinding.NO, other, unsure=_unsure(other.line))
    return _doubtful(sheet)


def _judge_words(wanted: Wanted, sheet: Sheet) -> FactVerdict:
    """Judge a name or quoted words: they stand in a line, however it is spaced and accented."""
    seen = closed_up(wanted.text)
    lines = [line for line, text in sheet.closed if seen and seen in text]
    if lines:
        best = max(lines, key=lambda line: line.sure)
        return _line(FactFinding.YES, best, unsure=False)
    bones, most = skeleton(wanted.text), 1 + (len(seen) > 9)
    for line, text in sheet.closed:
        if bones and len(bones) > 3 and bones in skeleton(text):
            return _line(FactFinding.YES, line, unsure=not line.again)
    for line, text in sheet.closed:
        if len(bones) > 4 and distance(bones, skeleton(text), most) <= most:
            return _line(FactFinding.UNSEEN, line, unsure=True)
    return FactVerdict(finding=FactFinding.UNSEEN)


def _comparable(wanted: Wanted, value: SheetValue) -> bool:
    """Say whether a value is of the kind of a fact: money with money, codes of the same make."""
    if _in_year(wanted, value):
        return True
    kinds = {wanted.kind, value.fact.kind}
    if kinds <= set(_MONEY):
        return "." not in wanted.form or "." in value.fact.forms[0]
    if wanted.fact is not None and "code" in kinds and agree(wanted.fact, value.fact):
        return True
    return len(kinds) == 1 and (wanted.kind != "code" or _make(wanted.text) == _make(value.text))


def _in_year(wanted: Wanted, value: SheetValue) -> bool:
    """Say whether a number may be a year, as in `letters from 1987`, and a value is a date of that year."""
    year = _YEAR.fullmatch(wanted.text) is not None and (not wanted.label or wanted.label in _DAY_LABELS)
    return year and value.fact.kind == "date" and any(form[:4] == wanted.text for form in value.fact.forms)


def _make(code: str) -> str:
    """Return how a code is made: letters as a, digits as 0, as `aa-0000-0000`."""
    return "".join("a" if char.isalpha() else "0" if char.isdecimal() else char for char in code)


def _speaks(wanted: Wanted) -> bool:
    """Say whether any other value of a kind speaks against one: a day, a sum and a code, not a bare number."""
    return wanted.kind != "number" or "." in wanted.form


def _nearest(wanted: Wanted, alike: Sequence[SheetValue]) -> SheetValue | None:
    """Return the value that one sign of a reading away would be the one wanted, or None."""
    best: tuple[int, SheetValue] | None = None
    for one in alike:
        for form in wanted.fact.forms if wanted.fact else ():
            for other in one.fact.forms:
                apart = distance(form, other, 1)
                if apart <= 1 and (best is None or apart < best[0]):
                    best = apart, one
    return None if best is None else best[1]


def _doubtful(sheet: Sheet) -> FactVerdict:
    """Return UNSEEN with a line that was read so badly that a value may stand in it, where there is one."""
    for line in sheet.lines:
        if _unsure(line) and any(char.isdecimal() for char in line.text):
            return _line(FactFinding.UNSEEN, line, unsure=not line.again)
    return FactVerdict(finding=FactFinding.UNSEEN)


def _unsure(line: Line) -> bool:
    return line.sure < SURE


def _found(finding: FactFinding, value: SheetValue, *, unsure: bool) -> FactVerdict:
    line = value.line
    return FactVerdict(finding=finding, text=value.text, picture=line.picture, edges=line.edges, unsure=unsure)


def _line(finding: FactFinding, line: Line, *, unsure: bool) -> FactVerdict:
    return FactVerdict(finding=finding, text=line.text, picture=line.picture, edges=line.edges, unsure=unsure)

"""The reader: it reads every candidate, reads again where the reading was in doubt, and ranks by the facts found.

It knows nothing but what the protocol shows it: query and candidates from the prompt, text from `read_text`.

    <think>Wanted: date 2024-03-12; number 118.40 (total); name Schmidt.</think> read_text 1, read_text 2, ...
    <think>In doubt: 2 number.</think> read_text 2 [610, 480, 760, 510]
    <think>1: date no 10 March 2024 [..]; ... 2: date yes [..]; ...</think> [2, 1]
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ...agent.texts import unmarked
from ...errors import PolicyError
from ...records import Address
from ..scripted import Moment, ScriptedPolicy, answer_text
from .asked import Edges, Transcript
from .judging import FactFinding, FactVerdict
from .sheet import Sheet
from .table import FactRow, FactTable, table_of

VERSION = 2
"""Grows when the same window may come to another order."""

READING_TURNS = 4
"""Turns in which pictures are read for the first time."""

AGAIN = 3
"""Places of one candidate that are read again."""

_CALLS = re.compile(r"at most (\d{1,3}) calls? in a turn")
_SHOWN_CHARS = 60


def reader() -> ScriptedPolicy:
    """Return the policy."""
    return ScriptedPolicy(_turn, name=f"reader/{VERSION}")


def _turn(moment: Moment) -> str:
    table = table_of(Transcript.of_messages(moment.messages, moment.said))
    if not table.rows:
        raise PolicyError(
            f"session {moment.session}: the reader finds no candidates; give it --dialect vretrver/reading"
        )
    system = moment.messages[0].text
    if moment.forced:
        return _answer(table, system, think="")
    calls = _calls(table, moment.said, system) if '"name": "read_text"' in system else []
    if calls:
        return f"<think>{_before(table, first=not moment.said)}</think>{''.join(calls)}"
    return _answer(table, system, think=_told(table))


def _answer(table: FactTable, system: str, *, think: str) -> str:
    may_say_none = "<answer>none [" in system
    return answer_text(table.order, think, none_fits=may_say_none and table.none_fits)


def _calls(table: FactTable, said: Sequence[str], system: str) -> list[str]:
    """Return the calls of a turn: pictures that were not read, then places in doubt, each once."""
    found = _CALLS.search(system)
    most = int(found[1]) if found else 1
    again = sum('"bbox_2d"' in turn for turn in said)
    unread = _unread(table)
    if unread and len(said) < READING_TURNS and not again:
        return [_call(address) for address in unread[:most]]
    if again or not said:
        return []
    places = _in_doubt(table)
    if table.none_fits:  # before it says so, it looks once more where the missing facts should stand
        places = list(dict.fromkeys((*places, *_beside_labels(table))))
    return [_call(address, edges) for address, edges in places[:most]]


def _unread(table: FactTable) -> list[Address]:
    """Return the pictures to read, the first ones of all candidates before any second one."""
    left = [(picture, row.item.number) for row in table.rows for picture in row.item.unread]
    return [Address(item=number, picture=picture) for picture, number in sorted(left)]


def _in_doubt(table: FactTable) -> list[tuple[Address, Edges]]:
    """Return the places to read again, of candidates that may come out first; the best candidate's come first."""
    best = max((table.count(row, FactFinding.YES) for row in table.rows), default=0)
    by_number = {row.item.number: row for row in table.rows}
    places: dict[tuple[Address, Edges], None] = {}
    for number in table.order:
        row = by_number[number]
        doubtful = [one for wanted, one in zip(table.wanted, row.verdicts, strict=True) if wanted.hard and one.unsure]
        open_ones = sum(one.finding is not FactFinding.YES for one in doubtful)
        if table.count(row, FactFinding.YES) + open_ones < best:
            continue
        for one in doubtful[:AGAIN]:
            if one.edges is not None and one.picture:
                places[Address(item=number, picture=one.picture), _around(one.edges)] = None
    return list(places)


def _beside_labels(table: FactTable) -> list[tuple[Address, Edges]]:
    """Return the places beside the labels of what the best candidates lack: a reader may have passed a line over."""
    best = max(table.count(row, FactFinding.YES) for row in table.rows)
    places: dict[tuple[Address, Edges], None] = {}
    for row in table.rows:
        if not best or table.count(row, FactFinding.YES) < best:
            continue
        for wanted, one in zip(table.wanted, row.verdicts, strict=True):
            lines = Sheet(row.item).labels(wanted.labels) if one.finding is not FactFinding.YES else []
            for line in lines[:AGAIN]:
                if line.edges is not None:
                    left, top, right, bottom = line.edges
                    room = (bottom - top) * 3 // 2
                    edges = min((left + right) // 2, 990), max(top - room, 0), 1000, min(bottom + room, 1000)
                    places[Address(item=row.item.number, picture=line.picture), edges] = None
    return list(places)


def _around(edges: Edges) -> Edges:
    """Return a place with room around it, so that no sign at its rim is lost."""
    left, top, right, bottom = edges
    room = max((bottom - top) // 2, 4)
    return max(left - 2 * room, 0), max(top - room, 0), min(right + 2 * room, 1000), min(bottom + room, 1000)


def _call(address: Address, edges: Edges | None = None) -> str:
    arguments: dict[str, object] = {"target_image": address.to_wire()}
    if edges is not None:
        arguments["bbox_2d"] = list(edges)
    return f"<tool_call>{json.dumps({'name': 'read_text', 'arguments': arguments})}</tool_call>"


def _before(table: FactTable, *, first: bool) -> str:
    """Say what is wanted, or what is in doubt."""
    if first:
        facts = [f"{one.kind} {unmarked(one.form)}{f' ({one.label})' if one.label else ''}" for one in table.wanted]
        return f"Wanted: {'; '.join(facts) or 'nothing that can be read'}."
    lines = []
    for row in table.rows:
        kinds = [one.kind for one, verdict in zip(table.wanted, row.verdicts, strict=True) if verdict.unsure]
        if kinds:
            lines.append(f"{row.item.number} {', '.join(kinds)}")
    if lines:
        return f"In doubt: {'; '.join(lines)}."
    return (
        "There is more to read."
        if _unread(table)
        else "None seems to fit; what is missing may have been passed over."
    )


def _told(table: FactTable) -> str:
    """Say every verdict, a line a candidate, in the order they come out."""
    by_number = {row.item.number: row for row in table.rows}
    lines = [_row(table, by_number[number]) for number in table.order]
    closing = "None fits." if table.none_fits else ""
    return "\n".join([*lines, closing] if closing else lines)


def _row(table: FactTable, row: FactRow) -> str:
    told = [_verdict(wanted.kind, one) for wanted, one in zip(table.wanted, row.verdicts, strict=True)]
    unread = " (not all of it could be read)" if row.item.refused or row.item.unread else ""
    return f"{row.item.number}: {'; '.join(told)}{unread}"


def _verdict(kind: str, one: FactVerdict) -> str:
    text = unmarked(one.text)[:_SHOWN_CHARS]
    place = "" if one.edges is None else f" {list(one.edges)}"
    page = f" of picture {one.picture}" if one.picture > 1 else ""
    doubt = ", in doubt" if one.unsure else ""
    return f"{kind} {one.finding}{f' {text}' if text else ''}{place}{page}{doubt}"

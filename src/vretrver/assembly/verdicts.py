"""What the policy `reader` found of a query's facts on each candidate, for tables and programs."""

from __future__ import annotations

from typing import Any

from ..agent.reranked import Reranked

_READER = "scripted:reader/"
_SHOWN = 30


def verdicts_by_did(reranked: Reranked) -> dict[str, list[dict[str, Any]]]:
    """Return did -> a verdict for each thing the query asks for, from the last window that showed the candidate.

    Each holds `kind` and `wanted` of the query, `finding` (yes, no, unseen), the `text` that stands there, and where:
    `picture` from 1 and `box` in pixels of the upright original, 0 and None in the candidate's own text, for the kind
    `word` and where nothing stands. Empty for records of other policies.
    """
    records = [one for one in reranked.trajectories if one.policy.startswith(_READER)]
    if not records:
        return {}
    from ..policies.reader.table import as_data, verdicts_of

    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        table: dict[str, Any] = as_data(verdicts_of(record), record)
        for row in table["candidates"]:
            found[row["did"]] = [
                {"kind": fact["kind"], "wanted": fact["text"], **verdict}
                for fact, verdict in zip(table["facts"], row["verdicts"], strict=True)
            ]
    return found


def verdicts_in_short(verdicts: list[dict[str, Any]]) -> str:
    """Return verdicts as people read them: `14.07.2022 yes, 699.76 no: EUR 779.76`, without mere words."""
    return ", ".join(_in_short(one) for one in verdicts if one["kind"] != "word")


def _in_short(one: dict[str, Any]) -> str:
    """Return one verdict; what stands in the place of a fact is told where it contradicts it."""
    other = f": {one['text'][:_SHOWN]}" if one["finding"] == "no" and one["text"] else ""
    return f"{one['wanted'][:_SHOWN]} {one['finding']}{other}"

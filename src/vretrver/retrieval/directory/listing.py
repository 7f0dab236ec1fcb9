"""What passes a filter, listed without a query: newest first where the items have days, else as indexed."""

from __future__ import annotations

from dataclasses import dataclass

from ...records import Candidate
from .database import ItemDatabase
from .filters import parse_filter
from .manifest import Manifest

DAY = "taken"
"""Field of dates that a listing is ordered by, as photos have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredItems:
    """Items that pass a filter."""

    items: tuple[Candidate, ...]
    """In their order."""
    newest_first: bool
    """Whether they are ordered by `DAY`, newest first, those without it last; else as they came into the index."""


def listing(database: ItemDatabase, manifest: Manifest, where: str, most: int) -> FilteredItems:
    """Return the items that pass a filter.

    Args:
        database: rows of a commit.
        manifest: of the same commit.
        where: the filter.
        most: how many at most; at least 1.

    Raises:
        ConfigError: the filter is wrong; see `filters`.
    """
    condition = parse_filter(where, manifest.fields)
    day = manifest.fields.get(DAY)
    newest = day.column if day is not None and day.kind == "date" else None
    dids = database.dids_where(condition.sql, condition.values, newest=newest, most=most)
    known = database.candidates(dids)
    return FilteredItems(items=tuple(known[did] for did in dids), newest_first=newest is not None)

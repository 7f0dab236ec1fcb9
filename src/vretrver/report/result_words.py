"""What a page of results says of a hit: its name, its date, where a line stands, and the link to its file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath

from ..records import Candidate, Citation, ImageRef

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

_WHERE = {
    "picture": "on the picture",
    "text": "in its text",
    "name": "in its name",
    "metadata": "in its metadata",
}


def name_of(candidate: Candidate) -> tuple[str, str | None]:
    """Return an item's whole name and, for a page of a document, `page 2 of 3`."""
    name, mark, number = candidate.did.rpartition("#page=")
    page, pages = candidate.metadata.get("page"), candidate.metadata.get("pages")
    if mark and number.isdecimal():
        of = f" of {pages}" if isinstance(pages, int) and page is not None else ""
        return name, f"page {int(number)}{of}"
    return candidate.did, None


def date_of(candidate: Candidate) -> tuple[str, str] | None:
    """Return the (ISO text, words) of an item's date, or None: of `taken`, else of the first field that is a date."""
    fields = [candidate.metadata.get("taken"), *candidate.metadata.values()]
    for value in fields:
        moment = _moment(value)
        if moment is not None and isinstance(value, str):
            day = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
            timed = len(value) > len("2019-06-01")
            return value, f"{day}, {moment:%H:%M}" if timed else day
    return None


def _moment(value: object) -> datetime | None:
    """Read a date that is written out, as in 2019-06-01; a number such as 20190601 may be anything."""
    if not isinstance(value, str) or value[4:5] != "-":
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def where_it_stands(citation: Citation, *, page: bool) -> str:
    """Return where a line stands, and how sure its reader is where it was read off pixels."""
    place = "on the page" if page and citation.source == "picture" else _WHERE[citation.source]
    sure = f", read with confidence {citation.confidence:.2f}" if citation.confidence < 1 else ""
    return f"{place}{sure}"


def link_of(ref: ImageRef, where: Mapping[str, Path]) -> str | None:
    """Return the `file:` address of a picture, or None where its folder is not known.

    Args:
        ref: the picture; a path that leaves its folder gets no link.
        where: root name -> folder; only absolute folders are linked to.
    """
    folder, inside = where.get(ref.root), PurePosixPath(ref.path)
    if folder is None or not folder.is_absolute() or inside.is_absolute() or ".." in inside.parts:
        return None
    try:
        address = (folder / inside).as_uri()
    except UnicodeEncodeError:  # a name that no file can have
        return None
    return f"{address}#page={ref.page + 1}" if is_page(ref) else address


def is_page(ref: ImageRef) -> bool:
    """Say whether a picture is a page of a document."""
    return ref.path.lower().endswith(".pdf")

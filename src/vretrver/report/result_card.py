"""One hit on a page of results: its picture, its name, its date, the line that matched, and what looks like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..geometry import Box
from ..records import Hit, ImageRef
from .alike import groups_alike
from .markup import Markup, breakable, element
from .result_pictures import PagePicture, ResultPictures
from .result_words import date_of, is_page, link_of, name_of, where_it_stands
from .tiles import picture, region, shortened
from .words import counted

TEXT_CHARS = 240
"""Most characters of an item's text; the rest can be opened where it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultContext:
    """What every part of a page of results is drawn with."""

    pictures: ResultPictures
    """The page's pictures."""
    where: Mapping[str, Path]
    """Root name -> folder that links lead to."""
    heading: str
    """Tag of an item's name: one below that of the query."""
    order: str | None = None
    """How hits that no score ranks are ordered; None where scores rank them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A hit at its place."""

    rank: int
    """Place, from 1."""
    hit: Hit
    """The hit."""
    seen: PagePicture | None
    """Its picture, the cited one where a line on a picture matched; None for a text."""


def places_of(hits: Sequence[Hit], page: ResultContext) -> list[Place]:
    """Return hits with their places and pictures, best first."""
    return [Place(rank=rank, hit=hit, seen=_seen(hit, page)) for rank, hit in enumerate(hits, start=1)]


def groups_of(places: Sequence[Place]) -> list[list[Place]]:
    """Return places that look the same together, in the order of their first.

    Items that differ in more than picture and name stay apart: pages, items with a text, and those whose text,
    picture or metadata matched.
    """
    alone = [_cites_more_than_its_name(place) or bool(place.hit.candidate.text) or _paged(place) for place in places]
    impressions = [
        None if apart or place.seen is None else place.seen.impression
        for place, apart in zip(places, alone, strict=True)
    ]
    return [[places[index] for index in group] for group in groups_alike(impressions)]


def result_card(group: Sequence[Place], page: ResultContext) -> Markup:
    """Return the first of a group as a card, with the others folded below it."""
    first = group[0]
    return element(
        "li",
        _frame(first),
        element("div", element("span", str(first.rank), class_="rank"), _title(first, page), class_="called"),
        _line(first),
        _text(first),
        _cited(first, page),
        _others(group[1:], page),
        _details(first, scored=page.order is None),
        class_="card",
    )


def _seen(hit: Hit, page: ResultContext) -> PagePicture | None:
    pictures, citation = hit.candidate.pictures, hit.citation
    if not pictures:
        return None
    number = citation.picture if citation is not None and 1 <= citation.picture <= len(pictures) else 1
    return page.pictures.whole(pictures[number - 1])


def _cites_more_than_its_name(place: Place) -> bool:
    return place.hit.citation is not None and place.hit.citation.source != "name"


def _paged(place: Place) -> bool:
    return place.seen is not None and is_page(place.seen.ref)


def _frame(place: Place) -> Markup:
    candidate = place.hit.candidate
    if place.seen is None:
        return element("div", element("p", shortened(candidate.text, TEXT_CHARS), dir="auto"), class_="frame words")
    further = len(candidate.pictures) - 1
    return element(
        "div",
        picture(place.seen.shown, f"Picture of {_called(place)}", *_outline(place)),
        element("span", f"+{counted(further, 'picture')}", class_="further") if further else None,
        class_="frame",
    )


def _outline(place: Place) -> list[Markup]:
    citation, seen = place.hit.citation, place.seen
    if citation is None or citation.box is None or citation.picture < 1 or seen is None:
        return []
    left, top, right, bottom = citation.box.to_list()
    drawn = region((left, top, right, bottom), seen.ref)
    return [] if drawn is None else [drawn]


def _called(place: Place) -> str:
    return ", ".join(filter(None, name_of(place.hit.candidate)))


def _title(place: Place, page: ResultContext) -> Markup:
    name = breakable(name_of(place.hit.candidate)[0])
    link = _link(place, page)
    return element(page.heading, name if link is None else element("a", name, href=link), class_="item", dir="auto")


def _link(place: Place, page: ResultContext) -> str | None:
    """Return the address of a hit's file; a file that cannot be read gets none."""
    seen = place.seen
    return None if seen is None or seen.impression is None else link_of(seen.ref, page.where)


def _line(place: Place) -> Markup | None:
    """Return the date and the page in one line."""
    _, numbered = name_of(place.hit.candidate)
    date = date_of(place.hit.candidate)
    parts = [
        None if numbered is None else element("span", numbered),
        None if date is None else element("time", date[1], datetime=date[0]),
    ]
    return element("p", parts, class_="facts-line") if any(parts) else None


def _text(place: Place) -> Markup | None:
    text = place.hit.candidate.text
    if place.seen is None or not text:
        return None
    return element("p", shortened(text, TEXT_CHARS), class_="excerpt", dir="auto")


def _cited(place: Place, page: ResultContext) -> Markup | None:
    """Return the line that matched; None where it is the name that the card has said already."""
    citation = place.hit.citation
    if citation is None or (citation.source == "name" and citation.text == name_of(place.hit.candidate)[0]):
        return None
    ref = None if place.seen is None else place.seen.ref
    cut = None if citation.box is None or ref is None else _cut(citation.box, ref, citation.text, page)
    paged = ref is not None and is_page(ref)
    return element(
        "figure",
        cut,
        element("blockquote", shortened(citation.text, TEXT_CHARS), dir="auto"),
        element("figcaption", where_it_stands(citation, page=paged)),
        class_="cited",
    )


def _cut(box: Box, ref: ImageRef, text: str, page: ResultContext) -> Markup | None:
    around = page.pictures.around(ref, box)
    if around is None:
        return None
    shown, whole = around
    inside = (box.left - whole.left, box.top - whole.top, box.right - whole.left, box.bottom - whole.top)
    drawn = region(inside, ImageRef(path=ref.path, width=whole.width, height=whole.height))
    return picture(shown, f"The line: {shortened(text, TEXT_CHARS)}", *([] if drawn is None else [drawn]))


def _others(places: Sequence[Place], page: ResultContext) -> Markup | None:
    if not places:
        return None
    rows = [
        element(
            "li",
            None if place.seen is None else picture(place.seen.shown, f"Picture of {_called(place)}"),
            element("span", element("span", str(place.rank), class_="rank"), _name(place, page), class_="called"),
        )
        for place in places
    ]
    return element(
        "details",
        element("summary", f"{len(places)} more like this"),
        element("ol", rows, class_="others"),
        class_="more",
    )


def _name(place: Place, page: ResultContext) -> Markup:
    link = _link(place, page)
    called = breakable(_called(place))
    return element("span", called, dir="auto") if link is None else element("a", called, href=link, dir="auto")


def _details(place: Place, *, scored: bool) -> Markup:
    candidate = place.hit.candidate
    rows = [("id", candidate.did), *([("score", f"{place.hit.score:.4g}")] if scored else [])]
    rows += [(key, str(value)) for key, value in candidate.metadata.items() if value is not None]
    facts = [
        (element("dt", key, dir="auto"), element("dd", shortened(value, TEXT_CHARS), dir="auto"))
        for key, value in rows
    ]
    return element(
        "details",
        element("summary", "Details"),
        element("dl", [part for row in facts for part in row], class_="facts"),
        class_="more",
    )

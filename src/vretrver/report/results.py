"""Writing a page of search results: pictures, names, dates and the lines that matched, without an agent.

One HTML file that needs nothing else. What looks the same is folded, what is linked to lies on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..images import Pictures
from ..records import Hit, Query
from .document import write_document
from .embedded import EmbeddedPictures
from .markup import Markup, element, joined
from .result_card import Place, ResultContext, groups_of, places_of, result_card
from .result_pictures import ResultPictures
from .tiles import picture, shortened
from .words import counted

QUERY_CHARS = 300
"""Most characters of a query's text in a heading."""


def write_results(
    path: Path,
    found: Sequence[tuple[Query, Sequence[Hit]]],
    images: Pictures,
    *,
    where: Mapping[str, Path] | None = None,
    notes: Sequence[str] = (),
    order: str | None = None,
) -> None:
    """Write the results of some searches as one HTML file; the file appears whole or not at all.

    Args:
        path: the file; its folder must exist.
        found: queries with their hits, best first.
        images: where the originals are read.
        where: root name -> folder on this machine, for links to the files; names without a folder get none.
        notes: sentences on the search for a person, shown at the top: what encoded, why there is nothing.
        order: how hits that no score ranks are ordered, as `newest first`; None where scores rank them.

    Raises:
        DataError: the file cannot be written.
    """
    embedded = EmbeddedPictures()
    single = len(found) == 1
    page = ResultContext(
        pictures=ResultPictures(images, embedded), where=where or {}, heading="h2" if single else "h3", order=order
    )
    searches = [_search(query, hits, page, number, single=single) for number, (query, hits) in enumerate(found, 1)]
    title = _title(found[0][0]) if single else f"{len(found):,} searches"
    body = joined(
        element(
            "header",
            element("p", "Search results", class_="eyebrow"),
            None if single else element("h1", title),
            [element("p", note, class_="notice", dir="auto") for note in notes],
            class_="top",
        ),
        element("main", None if single else _contents(found, page), searches),
    )
    write_document(path, body, title=title, sheet="results.css", pictures=embedded.css())


def _title(query: Query) -> str:
    return (
        shortened(query.text, QUERY_CHARS)
        if query.text.strip()
        else f"Like {counted(len(query.pictures), 'picture')}"
    )


def _search(query: Query, hits: Sequence[Hit], page: ResultContext, number: int, *, single: bool) -> Markup:
    groups = groups_of(places_of(hits, page))
    asked = [picture(page.pictures.whole(ref).shown, "Picture of the query") for ref in query.pictures]
    return element(
        "section",
        element(
            "div",
            element("div", asked, class_="asked") if asked else None,
            element(
                "div",
                None if single else element("p", f"Query {query.qid}", class_="eyebrow", dir="auto"),
                element("h1" if single else "h2", _title(query), dir="auto"),
                element("p", _count(hits, groups, page.order or "best first"), class_="aside"),
            ),
            class_="query",
        ),
        element("ol", [result_card(group, page) for group in groups], class_=_grid(groups)) if groups else None,
        class_="search",
        id=f"q{number}",
    )


def _count(hits: Sequence[Hit], groups: Sequence[Sequence[Place]], order: str) -> str:
    if not hits:
        return "Nothing was found."
    folded = len(hits) - len(groups)
    said = f", {folded} of them folded under pictures that look the same" if folded else ""
    return f"{len(hits):,} found, {order}{said}"


def _grid(groups: Sequence[Sequence[Place]]) -> str:
    """Return the classes of the list: frames stand upright where most pictures do."""
    tall = sum(group[0].seen is not None and group[0].seen.tall for group in groups)
    return "grid tall" if 2 * tall > len(groups) else "grid"


def _contents(found: Sequence[tuple[Query, Sequence[Hit]]], page: ResultContext) -> Markup:
    rows = [
        element(
            "li",
            element("span", str(number), class_="number"),
            [picture(page.pictures.whole(ref).shown, "Picture of the query") for ref in query.pictures[:1]],
            element("a", _title(query), href=f"#q{number}", dir="auto"),
            element("span", f"{len(hits):,} found" if hits else "nothing found", class_="aside"),
        )
        for number, (query, hits) in enumerate(found, start=1)
    ]
    return element("nav", element("ol", rows), class_="contents", aria_label="Queries")

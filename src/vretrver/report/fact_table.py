"""The facts of a query on its candidates: the table of all verdicts, and the cut of the line that decided."""

from __future__ import annotations

from ..agent.reranked import Reranked
from ..geometry import Box
from ..records import ImageRef
from .facts import DecidingFact, FactShown, deciding_fact, facts_that_count
from .markup import Markup, breakable, element
from .order import SHOWN
from .tiles import PageContext, picture, region, shortened

_TEXT_CHARS = 80
"""Most characters of a line in a cell or a caption."""


def fact_table(reranked: Reranked, page: PageContext) -> Markup | None:
    """Return the verdicts, a row for each candidate, best first, and a column for each fact; None without any."""
    facts = page.facts.get(reranked.query.qid, {})
    places = facts_that_count(facts)
    rows = [ranked for ranked in reranked.ranking if ranked.did in facts]
    if not rows or not places:
        return None
    wanted = [facts[rows[0].did][place] for place in places]
    left = len(rows) - SHOWN
    return element(
        "section",
        element("h3", "Facts"),
        element(
            "div",
            element(
                "table",
                element("thead", element("tr", element("th", "Candidate", scope="col"), map(_wanted, wanted))),
                element(
                    "tbody",
                    [
                        element(
                            "tr", _row_head(row.rank, row.did, page), [_cell(facts[row.did][at]) for at in places]
                        )
                        for row in rows[:SHOWN]
                    ],
                ),
                class_="verdicts",
            ),
            class_="wide",
        ),
        element("p", f"{left} more candidates were compared; the trace has them.", class_="aside")
        if left > 0
        else None,
    )


def deciding_figure(reranked: Reranked, page: PageContext) -> Markup | None:
    """Return the line that decided, cut from its picture, and what stands in its place on the next candidate."""
    facts = page.facts.get(reranked.query.qid, {})
    found = deciding_fact(reranked, facts)
    if found is None:
        return None
    return element("div", _first(found, page), _other(found, page), class_="finding cuts")


def deciding_cut(reranked: Reranked, page: PageContext) -> Markup | None:
    """Return the same cut alone, for a list of queries."""
    found = deciding_fact(reranked, page.facts.get(reranked.query.qid, {}))
    return None if found is None else _cut(found.fact, page)


def _first(found: DecidingFact, page: PageContext) -> Markup:
    fact = found.fact
    said = "stands here" if fact.finding == "yes" else "is asked for, and this stands in its place"
    return _figure(
        fact, f"First place: {page.names.full(found.did)}. {shortened(fact.wanted, _TEXT_CHARS)} {said}.", page
    )


def _other(found: DecidingFact, page: PageContext) -> Markup | None:
    if found.other is None or found.instead is None:
        return None
    name = page.names.full(found.other)
    if found.instead.finding == "no" and found.instead.text:
        return _figure(found.instead, f"On {name} this stands in its place.", page)
    return element("p", breakable(f"On {name} nothing of the kind was found."), class_="aside", dir="auto")


def _figure(fact: FactShown, caption: str, page: PageContext) -> Markup:
    shown = _cut(fact, page) or element("blockquote", shortened(fact.text or fact.wanted, _TEXT_CHARS), dir="auto")
    doubt = " The reading is in doubt." if fact.unsure else ""
    return element("figure", shown, element("figcaption", breakable(f"{caption}{doubt}"), dir="auto"))


def _cut(fact: FactShown, page: PageContext) -> Markup | None:
    """Return the region round a line with the line marked; None where it stands on no picture."""
    if fact.image is None or fact.box is None:
        return None
    left, top, right, bottom = fact.box
    if not (left < right and top < bottom):
        return None
    around = page.pictures.around(fact.image, Box(left=left, top=top, right=right, bottom=bottom))
    if around is None:
        return None
    shown, whole = around
    inside = left - whole.left, top - whole.top, right - whole.left, bottom - whole.top
    drawn = region(inside, ImageRef(path=fact.image.path, width=whole.width, height=whole.height))
    label = f"The line: {shortened(fact.text, _TEXT_CHARS)}"
    return picture(shown, label, *([] if drawn is None else [drawn]))


def _wanted(fact: FactShown) -> Markup:
    return element(
        "th", shortened(fact.wanted, _TEXT_CHARS), element("span", fact.kind, class_="aside"), scope="col", dir="auto"
    )


def _row_head(rank: int, did: str, page: PageContext) -> Markup:
    return element(
        "th", element("span", str(rank), class_="number"), breakable(page.names.short(did)), scope="row", dir="auto"
    )


def _cell(fact: FactShown) -> Markup:
    told = fact.text if fact.finding != "unseen" and fact.text != fact.wanted else ""
    return element(
        "td",
        element("span", fact.finding, class_=f"verdict {fact.finding}"),
        element("span", shortened(told, _TEXT_CHARS), class_="there", dir="auto") if told else None,
        element("span", "in doubt", class_="aside") if fact.unsure else None,
    )

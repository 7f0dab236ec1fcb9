"""The order before and after, side by side, with the moves drawn between them and what was not confirmed marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..agent.reranked import Ranked, Reranked
from ..records import Candidate
from .markup import Markup, breakable, element, joined
from .tiles import PageContext, tile
from .words import Standing, standings

SHOWN = 10
"""Places shown with a picture; later ones are listed by name."""


def order_section(reranked: Reranked, page: PageContext) -> Markup:
    """Return the best places before and after, and the later ones as a list that can be opened."""
    standing = standings(reranked)
    candidates = {hit.candidate.did: hit.candidate for hit in reranked.hits}
    before = [hit.candidate for hit in reranked.hits[:SHOWN]]
    after = reranked.ranking[:SHOWN]
    right = page.wanted.get(reranked.query.qid, ())
    columns = f"--n:{max(len(before), 1)}"
    return element(
        "section",
        element("h3", "Order"),
        element(
            "div",
            element("h4", "Before", element("span", "by the coarse score", class_="aside")),
            element("ol", [_before(rank, c, page, right) for rank, c in enumerate(before, start=1)], class_="strip"),
            _moves(after, len(before)),
            element("h4", "After", element("span", _legend(after, standing), class_="aside")),
            element(
                "ol", [_after(r, candidates[r.did], standing[r.did], page, right) for r in after], class_="strip"
            ),
            class_="order",
            style=columns,
        ),
        _rest(reranked.ranking[SHOWN:], standing, page),
    )


def _before(rank: int, candidate: Candidate, page: PageContext, right: Collection[str]) -> Markup:
    return _cell(rank, candidate, None, page, kind=None, right=candidate.did in right)


def _after(
    ranked: Ranked, candidate: Candidate, standing: Standing, page: PageContext, right: Collection[str]
) -> Markup:
    doubt = None if standing is Standing.CONFIRMED else element("span", standing.value, class_="doubt")
    moved = "moved" if ranked.rank < ranked.coarse_rank else None
    kind = {Standing.UNCONFIRMED: "unconfirmed", Standing.UNREAD: "unread"}.get(standing, moved)
    return _cell(ranked.rank, candidate, joined(_move(ranked), doubt), page, kind=kind, right=ranked.did in right)


def _cell(
    rank: int, candidate: Candidate, note: Markup | None, page: PageContext, *, kind: str | None, right: bool
) -> Markup:
    return element(
        "li",
        element("span", str(rank), class_="rank"),
        tile(candidate, page),
        element("span", breakable(page.names.short(candidate.did)), class_="name", dir="auto"),
        element("span", "asked for", class_="wanted") if right else None,
        note,
        class_=kind,
    )


def _move(ranked: Ranked) -> Markup:
    rise = ranked.coarse_rank - ranked.rank
    if rise == 0:
        return element("span", "kept", class_="move")
    arrow, kind = ("\N{UPWARDS ARROW}", "up") if rise > 0 else ("\N{DOWNWARDS ARROW}", "down")
    return element(
        "span", element("span", arrow, aria_hidden="true"), f" was {ranked.coarse_rank}", class_=f"move {kind}"
    )


def _moves(after: Sequence[Ranked], columns: int) -> Markup:
    """Return curves from the old place to the new one; a candidate from farther down comes in from the right edge."""
    lines = [
        element(
            "path",
            d=_curve(min(r.coarse_rank - 0.5, columns), r.rank - 0.5),
            class_="up" if r.rank < r.coarse_rank else None,
        )
        for r in sorted(after, key=lambda r: r.coarse_rank - r.rank)
    ]
    view = f"0 0 {max(columns, 1)} 1"
    return element("svg", lines, viewBox=view, preserveAspectRatio="none", aria_hidden="true", class_="moves")


def _curve(start: float, end: float) -> str:
    return f"M{start:g} 0C{start:g} .55 {end:g} .45 {end:g} 1"


def _legend(after: Sequence[Ranked], standing: Mapping[str, Standing]) -> str:
    doubted = sum(standing[ranked.did] is not Standing.CONFIRMED for ranked in after)
    if doubted == 0:
        return "by the agent"
    return "not confirmed by the agent" if doubted == len(after) else "by the agent where not marked"


def _rest(ranking: Sequence[Ranked], standing: Mapping[str, Standing], page: PageContext) -> Markup | None:
    if not ranking:
        return None
    rows = [
        element(
            "li",
            element("span", page.names.short(ranked.did), dir="auto"),
            " ",
            _move(ranked),
            None
            if standing[ranked.did] is Standing.CONFIRMED
            else element("span", standing[ranked.did].value, class_="doubt"),
            value=ranked.rank,
        )
        for ranked in ranking
    ]
    first, last = ranking[0].rank, ranking[-1].rank
    title = f"Place {first}" if first == last else f"Places {first} to {last}"
    return element("details", element("summary", title), element("ol", rows, class_="rest"), class_="more")

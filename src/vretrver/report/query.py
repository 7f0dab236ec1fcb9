"""One query of the report: what was asked, what changed, the order before and after, and its windows."""

from __future__ import annotations

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from .fact_table import deciding_figure, fact_table
from .finding import asked, finding
from .known import Mark, mark_of, verdict_on
from .markup import Markup, breakable, element
from .order import order_section
from .tiles import PageContext, shortened
from .windows import window_section
from .words import OrderOutcome, counted, ending, failure, headline, nothing_fits, outcome

TITLE_CHARS = 160
"""Most characters of a query's text in a heading; longer ones are repeated in full below."""

KINDS = {
    OrderOutcome.CHANGED: "plain",
    OrderOutcome.KEPT: "plain",
    OrderOutcome.NOTHING_FITS: "plain",
    OrderOutcome.STOPPED: "bad",
    OrderOutcome.PARTLY_FAILED: "bad",
    OrderOutcome.FAILED: "bad",
}
"""CSS class of an outcome's badge; green is kept for what is known to be right."""

_SIGNS = {Mark.RIGHT: "\N{CHECK MARK}", Mark.WRONG: "\N{MULTIPLICATION X}"}


def query_title(reranked: Reranked, number: int) -> str:
    """Return the query's text on one line; its number where it has none, so that queries can be told apart."""
    query = reranked.query
    if query.text.strip():
        return shortened(query.text, TITLE_CHARS)
    return f"Query {number}: {counted(len(query.pictures), 'picture')}"


def outcome_badge(reranked: Reranked) -> Markup:
    """Return what became of the order, as a word."""
    result = outcome(reranked)
    return element("span", result.value, class_=f"badge {KINDS[result]}")


def mark_badge(mark: Mark) -> Markup:
    """Return `right` or `wrong`, with a sign."""
    sign = element("span", _SIGNS[mark], aria_hidden="true")
    return element("span", sign, f" {mark.value}", class_=f"badge {'good' if mark is Mark.RIGHT else 'bad'}")


def pin_shown(reranked: Reranked, page: PageContext) -> None:
    """Remember which files the query's model was shown: one that changed since is not shown."""
    pictures = [picture for trajectory in reranked.trajectories for picture in trajectory.pictures]
    page.pictures.pin(cut.image for picture in pictures for cut in picture.cuts)


def query_article(reranked: Reranked, number: int, page: PageContext) -> Markup:
    """Return query `number` (from 1)."""
    pin_shown(reranked, page)
    candidates = {hit.candidate.did: hit.candidate for hit in reranked.hits}
    windows, told = len(reranked.trajectories), reranked.query.qid in page.facts
    return element(
        "article",
        _head(reranked, number, page),
        fact_table(reranked, page),
        order_section(reranked, page),
        [
            window_section(trajectory, place, windows, candidates, page, explained=number == place == 1, folded=told)
            for place, trajectory in enumerate(reranked.trajectories, start=1)
        ],
        id=f"q{number}",
    )


def _head(reranked: Reranked, number: int, page: PageContext) -> Markup:
    shown = deciding_figure(reranked, page) or finding(reranked, page)
    return element(
        "header",
        element("div", _asked(reranked, number, page), _found(reranked, page), class_="told"),
        shown,
        class_="head" if shown is not None else None,
    )


def _asked(reranked: Reranked, number: int, page: PageContext) -> list[Markup | None]:
    query = reranked.query
    text = query.text.strip()
    pictures = asked(reranked, page)
    return [
        element("p", f"Query {query.qid}", class_="eyebrow", dir="auto"),
        element("h2", query_title(reranked, number), dir="auto"),
        element("p", query.instruction, class_="instruction", dir="auto") if query.instruction else None,
        element("p", text, class_="fulltext", dir="auto") if len(text) > TITLE_CHARS else None,
        element("div", pictures, class_="asked") if pictures else None,
    ]


def _found(reranked: Reranked, page: PageContext) -> list[Markup | None]:
    mark = mark_of(reranked, page.wanted)
    known = verdict_on(reranked, page.wanted, page.names)
    looks = sum(trajectory.looks for trajectory in reranked.trajectories)
    spent = f"{counted(len(reranked.trajectories), 'window')}, {counted(looks, 'look')}"
    ended = ending(reranked)
    return [
        element("p", breakable(headline(reranked, page.names)), class_="headline", dir="auto"),
        element("p", breakable(known), class_=f"known {mark}", dir="auto") if known else None,
        element("p", outcome_badge(reranked), element("span", spent, class_="aside"), class_="badges"),
        element("p", ended, class_="alert") if ended else None,
        *_verdicts(reranked),
    ]


def _verdicts(reranked: Reranked) -> list[Markup]:
    """Return a sentence on every window that failed, and on those in which nothing fits where others differ."""
    windows = len(reranked.trajectories)
    out = []
    for place, trajectory in enumerate(reranked.trajectories, start=1):
        if trajectory.verdict is Verdict.FAILED:
            out.append(element("p", failure(trajectory, window=place, windows=windows), class_="alert"))
        elif trajectory.verdict is Verdict.NOTHING_FITS and reranked.verdict is not Verdict.NOTHING_FITS:
            out.append(element("p", nothing_fits(trajectory, window=place, windows=windows), class_="problem"))
    return out

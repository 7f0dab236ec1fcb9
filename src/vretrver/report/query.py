"""One query of the report: what was asked, what changed, the order before and after, and its windows."""

from __future__ import annotations

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from .markup import Markup, element
from .order import order_section
from .page_pictures import LARGE
from .tiles import PageContext, query_pictures, shortened
from .windows import window_section
from .words import OrderOutcome, counted, ending, failure, headline, nothing_fits, outcome

TITLE_CHARS = 160
"""Most characters of a query's text in a heading; longer ones are repeated in full below."""

KINDS = {
    OrderOutcome.CHANGED: "good",
    OrderOutcome.KEPT: "plain",
    OrderOutcome.NOTHING_FITS: "plain",
    OrderOutcome.STOPPED: "bad",
    OrderOutcome.PARTLY_FAILED: "bad",
    OrderOutcome.FAILED: "bad",
}
"""CSS class of an outcome's badge."""


def query_title(reranked: Reranked) -> str:
    """Return the query's text on one line, or what it consists of when it has none."""
    query = reranked.query
    if query.text.strip():
        return shortened(query.text, TITLE_CHARS)
    return f"Query of {counted(len(query.pictures), 'picture')}"


def query_article(reranked: Reranked, number: int, page: PageContext) -> Markup:
    """Return query `number` (from 1)."""
    shown = [picture for trajectory in reranked.trajectories for picture in trajectory.pictures]
    page.pictures.pin(cut.image for picture in shown for cut in picture.cuts)
    candidates = {hit.candidate.did: hit.candidate for hit in reranked.hits}
    windows = len(reranked.trajectories)
    return element(
        "article",
        _head(reranked, page),
        order_section(reranked, page),
        [
            window_section(trajectory, place, windows, candidates, page)
            for place, trajectory in enumerate(reranked.trajectories, start=1)
        ],
        id=f"q{number}",
    )


def _head(reranked: Reranked, page: PageContext) -> Markup:
    query, result = reranked.query, outcome(reranked)
    text = query.text.strip()
    long = element("p", text, class_="fulltext", dir="auto") if len(text) > TITLE_CHARS else None
    pictures = query_pictures(query, page, LARGE)
    windows = len(reranked.trajectories)
    ended = ending(reranked)
    looks = sum(trajectory.looks for trajectory in reranked.trajectories)
    spent = [counted(windows, "window"), counted(looks, "look"), f"{reranked.seconds:.1f} s"]
    return element(
        "header",
        element("p", f"Query {query.qid}", class_="eyebrow", dir="auto"),
        element("h2", query_title(reranked), dir="auto"),
        element("p", query.instruction, class_="instruction", dir="auto") if query.instruction else None,
        long,
        element("div", pictures, class_="asked") if pictures else None,
        element("p", headline(reranked, page.names), class_="headline", dir="auto"),
        element(
            "p",
            element("span", result.value, class_=f"badge {KINDS[result]}"),
            element("span", ", ".join(spent), class_="aside spent"),
        ),
        element("p", ended, class_="alert") if ended else None,
        _verdicts(reranked),
    )


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

"""The top of an evidence report: what it is of, how many are right, the queries as links, the facts of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from ..agent.trajectory import STOPS
from .fact_table import deciding_cut
from .finding import close_up, last_look
from .known import Mark, mark_of
from .markup import Markup, element
from .page_pictures import SMALL
from .query import KINDS, mark_badge, outcome_badge, pin_shown, query_title
from .tiles import PageContext, picture
from .words import about_policy, counted, outcome

OPEN = 12
"""Queries listed at once; later ones can be opened."""


def page_header(
    queries: Sequence[Reranked],
    page: PageContext,
    *,
    title: str,
    lead: Sequence[str],
    summary: Sequence[tuple[str, str]],
) -> Markup:
    """Return the heading, the sentences on the page, and the facts of the run, folded."""
    policies = dict.fromkeys(t.policy for query in queries for t in query.trajectories)
    scripts = [element("p", about, class_="notice") for policy in policies if (about := about_policy(policy))]
    failed = _failed(queries)
    facts = [*summary, *_totals(queries, page)]
    rows = [(element("dt", name), element("dd", value, dir="auto")) for name, value in facts]
    return element(
        "header",
        element("p", "Evidence report", class_="eyebrow"),
        element("h1", title, dir="auto"),
        [element("p", sentence, class_="lead", dir="auto") for sentence in lead or _in_short(queries, page)],
        element("p", failed, class_="alert") if failed else None,
        scripts,
        element(
            "details",
            element("summary", "About this run"),
            element("dl", [part for row in rows for part in row], class_="facts"),
            class_="more",
        ),
        class_="top",
    )


def contents(queries: Sequence[Reranked], page: PageContext) -> Markup:
    """Return the queries as links, each with its picture, the last close view of its first place, and its marks."""
    rows = [_row(query, number, page) for number, query in enumerate(queries, start=1)]
    later = rows[OPEN:]
    return element(
        "nav",
        element("ol", rows[:OPEN]),
        element("details", element("summary", f"{len(later)} more"), element("ol", later), class_="more")
        if later
        else None,
        class_="contents",
        aria_label="Queries",
    )


def _row(query: Reranked, number: int, page: PageContext) -> Markup:
    pin_shown(query, page)
    first = query.ranking[0].did
    ranked = query.verdict is Verdict.RANKED
    decided = deciding_cut(query, page)
    look = last_look(query, lambda cut: cut.did == first) if ranked and decided is None else None
    pictures = [
        picture(page.pictures.thumbnail(ref, SMALL), "Picture of the query") for ref in query.query.pictures[:1]
    ]
    seen = decided if look is None else close_up(look, page)
    return element(
        "li",
        element("span", str(number), class_="number"),
        pictures,
        element("a", query_title(query, number), href=f"#q{number}", dir="auto"),
        seen,
        element("span", _badges(query, page), class_="badges"),
    )


def _badges(query: Reranked, page: PageContext) -> list[Markup]:
    """Return whether a result is right, where that is known; else, and where it failed, what became of the order."""
    mark = mark_of(query, page.wanted)
    known = [] if mark is None else [mark_badge(mark)]
    return known if known and KINDS[outcome(query)] != "bad" else [*known, outcome_badge(query)]


def _failed(queries: Sequence[Reranked]) -> str | None:
    """Return the sentence on windows that failed, with their stop reasons, or None."""
    windows = [trajectory for query in queries for trajectory in query.trajectories]
    reasons = Counter(STOPS[one.stop].rstrip(".") for one in windows if one.ranking is None)
    if not reasons:
        return None
    told = " ".join(f"{reason} ({count:,})." for reason, count in reasons.most_common())
    return f"{reasons.total():,} of {counted(len(windows), 'window')} failed. {told}"


def _in_short(queries: Sequence[Reranked], page: PageContext) -> list[str]:
    """Return what became of the queries in a sentence, and how many are right where it is known."""
    if len(queries) < 2:
        return []
    became = Counter(outcome(query).value for query in queries)
    said = f"{len(queries):,} queries: {', '.join(f'{name} in {count:,}' for name, count in became.most_common())}."
    marks = Counter(mark for query in queries if (mark := mark_of(query, page.wanted)) is not None)
    known = f" {marks[Mark.RIGHT]:,} of the {marks.total():,} that can be checked are right." if marks else ""
    return [said + known]


def _totals(queries: Sequence[Reranked], page: PageContext) -> list[tuple[str, str]]:
    windows = [trajectory for query in queries for trajectory in query.trajectories]
    failed = sum(trajectory.ranking is None for trajectory in windows)
    calls = [call for trajectory in windows for turn in trajectory.turns for call in turn.calls]
    looks = sum(call.outcome == "executed" for call in calls)
    refused = sum(call.outcome == "refused" for call in calls)
    matching, shown = page.pictures.matching, page.pictures.matching + page.pictures.missing
    waited = sorted(query.seconds for query in queries)
    return [
        ("queries shown", f"{len(queries):,}"),
        ("windows", f"{len(windows):,}, {failed:,} failed" if failed else f"{len(windows):,}, none failed"),
        ("looks", f"{looks:,}, {refused:,} refused" if refused else f"{looks:,}, none refused"),
        ("pictures from looks", f"{matching:,} of {shown:,} match the record" if shown else "none"),
        *([("seconds of a query", f"{waited[0]:.1f} to {waited[-1]:.1f}")] if waited else []),
    ]

"""Writing the evidence report: one HTML file that needs nothing else, no script, no network, no font.

It is a view of traces: the same input gives the same bytes. It says what was looked at and what followed; that a look
decided is shown by replaying the trajectory without it, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..agent.reranked import Reranked
from ..images import ImageStore
from .document import write_document
from .markup import Markup, element, joined
from .page_pictures import PagePictures
from .query import KINDS, query_article, query_title
from .tiles import PageContext
from .words import Names, about_policy, counted, outcome

_READING = """Every look was cut again from the original picture when this page was written, and its bytes were \
compared with the hash in the record; here pictures have other sizes than the agent saw them at. A look that \
came before a change has not been shown to have caused it: that takes a replay without the look."""


def write_report(
    path: Path,
    reranked: Iterable[Reranked],
    images: ImageStore,
    *,
    title: str,
    summary: Sequence[tuple[str, str]] = (),
    names: Mapping[str, str] = {},
) -> None:
    """Write the report of some queries as one HTML file; the file appears whole or not at all.

    Args:
        path: the file; its folder must exist.
        reranked: the queries, in the order of the page.
        images: where the originals are; looks are cut from them again and checked against the recorded hashes.
        title: heading of the page.
        summary: (name, value) pairs shown at the top.
        names: did -> name shown instead of the did.

    Raises:
        DataError: the file cannot be written.
    """
    pictures = PagePictures(images)
    context = PageContext(pictures=pictures, names=Names(given=names))
    queries = list(reranked)
    articles = [query_article(query, number, context) for number, query in enumerate(queries, start=1)]
    body = joined(
        _header(queries, pictures, title=title, summary=summary),
        element("main", _contents(queries) if len(queries) > 1 else None, articles),
        _footer(),
    )
    write_document(path, body, title=title, sheet="report.css", pictures=pictures.css())


def _header(
    queries: Sequence[Reranked], pictures: PagePictures, *, title: str, summary: Sequence[tuple[str, str]]
) -> Markup:
    facts = [*summary, *_totals(queries, pictures)]
    rows = [(element("dt", name), element("dd", value, dir="auto")) for name, value in facts]
    policies = dict.fromkeys(t.policy for query in queries for t in query.trajectories)
    scripts = [element("p", about, class_="notice") for policy in policies if (about := about_policy(policy))]
    return element(
        "header",
        element("p", "Evidence report", class_="eyebrow"),
        element("h1", title, dir="auto"),
        element("dl", [element("div", row) for row in rows], class_="totals"),
        scripts,
        class_="top",
    )


def _totals(queries: Sequence[Reranked], pictures: PagePictures) -> list[tuple[str, str]]:
    windows = [trajectory for query in queries for trajectory in query.trajectories]
    failed = sum(trajectory.ranking is None for trajectory in windows)
    calls = [call for trajectory in windows for turn in trajectory.turns for call in turn.calls]
    looks = sum(call.outcome == "executed" for call in calls)
    refused = sum(call.outcome == "refused" for call in calls)
    shown = pictures.matching + pictures.missing
    return [
        ("queries shown", f"{len(queries):,}"),
        ("windows", f"{len(windows):,}, {failed:,} failed" if failed else f"{len(windows):,}, none failed"),
        ("looks", f"{looks:,}, {refused:,} refused" if refused else f"{looks:,}, none refused"),
        ("pictures from looks", f"{pictures.matching:,} of {shown:,} match the record" if shown else "none"),
    ]


def _contents(queries: Sequence[Reranked]) -> Markup:
    rows = []
    for number, query in enumerate(queries, start=1):
        result = outcome(query)
        looks = sum(trajectory.looks for trajectory in query.trajectories)
        rows.append(
            element(
                "li",
                element("a", query_title(query), href=f"#q{number}", dir="auto"),
                element("span", counted(looks, "look"), class_="aside"),
                element("span", result.value, class_=f"badge {KINDS[result]}"),
            )
        )
    return element("nav", element("h2", "Queries"), element("ol", rows), class_="contents")


def _footer() -> Markup:
    return element(
        "footer",
        element("h2", "How to read this page"),
        element(
            "p",
            _READING,
        ),
    )

"""Writing the evidence report: one HTML file that needs nothing else, no script, no network, no font.

It is a view of traces: the same input gives the same bytes. It says what was looked at and what followed; that a look
decided is shown by replaying the trajectory without it, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..agent.reranked import Reranked
from ..images import ImageStore
from .contents import contents, page_header
from .document import write_document
from .facts import FactsByDid
from .known import NOTHING_KNOWN, WantedIds
from .markup import Markup, element, joined
from .page_pictures import PagePictures
from .query import query_article
from .tiles import PageContext
from .words import Names

_READING = """Every look was cut again from the original picture when this page was written, and its bytes were \
compared with the hash in the record; here pictures have other sizes than the agent saw them at. A look that \
came before a change has not been shown to have caused it: that takes a replay without the look."""


def write_report(
    path: Path,
    reranked: Iterable[Reranked],
    images: ImageStore,
    *,
    title: str,
    lead: Sequence[str] = (),
    summary: Sequence[tuple[str, str]] = (),
    names: Mapping[str, str] = {},
    wanted: WantedIds = NOTHING_KNOWN,
    facts: Mapping[str, FactsByDid] = {},
) -> None:
    """Write the report of some queries as one HTML file; the file appears whole or not at all.

    Args:
        path: the file; its folder must exist.
        reranked: the queries, in the order of the page.
        images: where the originals are; looks are cut from them again and checked against the recorded hashes.
        title: heading of the page.
        lead: sentences below the heading: how many are right, how the queries were chosen; by default what became
            of them.
        summary: (name, value) pairs among the facts of the run, which are folded away.
        names: did -> name shown instead of the did.
        wanted: qid -> dids that are right, to mark what is right and wrong; queries without an entry are not marked.
        facts: qid -> what became of its facts on each candidate, shown as a table with the line that decided.

    Raises:
        DataError: the file cannot be written.
    """
    pictures = PagePictures(images)
    context = PageContext(pictures=pictures, names=Names(given=names), wanted=wanted, facts=facts)
    queries = list(reranked)
    articles = [query_article(query, number, context) for number, query in enumerate(queries, start=1)]
    body = joined(
        page_header(queries, context, title=title, lead=lead, summary=summary),
        element("main", contents(queries, context) if len(queries) > 1 else None, articles),
        _footer(),
    )
    write_document(path, body, title=title, sheet="report.css", pictures=pictures.css())


def _footer() -> Markup:
    return element("footer", element("h2", "How to read this page"), element("p", _READING))

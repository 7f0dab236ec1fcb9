"""`vretrver search INDEX --filter ...` without a query: what passes, in a stated order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .output import note
from .pages import write_page

if TYPE_CHECKING:
    from ..assembly.corpus import Corpus
    from ..records import Query
    from .formats import Printer


def show_listed(query: Query, corpus: Corpus, top: int, printer: Printer, report: Path | None) -> None:
    """Print what passes the filter of a corpus, and write the page of it where one is named.

    Args:
        query: what stands for the filter.
        corpus: an index opened with it.
        top: how many are printed, and on the page.
        printer: prints them.
        report: file of the page.
    """
    from ..assembly.listing import listed
    from ..assembly.results import found
    from ..retrieval.searched import Searched

    passing = listed(corpus, top)
    reason = "" if passing.hits else "nothing was found: no item passes --filter"
    printer.check([(query, passing.hits)])
    counted = "1 item passes" if passing.passed == 1 else f"{passing.passed:,} items pass"
    shown = f", {len(passing.hits)} of them shown" if len(passing.hits) < passing.passed else ""
    note(reason or f"{counted} --filter, {passing.order}{shown}")
    facts = {"filter": corpus.where, "order": passing.order, "passed": passing.passed}
    printer.show(found(query, passing.hits, corpus.images.roots, facts=facts, reason=reason or None, scored=False))
    printer.close()
    if report is not None:
        searched = Searched(hits=passing.hits, reason=reason or None)
        write_page(report, [query], [searched], corpus, [reason], order=passing.order)

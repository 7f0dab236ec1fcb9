"""The page of results that `vretrver search --report` writes where no agent ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .output import note

if TYPE_CHECKING:
    from ..assembly.corpus import Corpus
    from ..records import Query
    from ..retrieval.searched import Searched


def write_page(
    file: Path,
    queries: Sequence[Query],
    searched: Sequence[Searched],
    corpus: Corpus,
    reasons: Sequence[str],
    *,
    order: str | None = None,
) -> None:
    """Write the page.

    Args:
        file: what is written.
        queries: what was asked.
        searched: what was found for each.
        corpus: where it was found; its folders are linked to.
        reasons: why each query that found nothing did; empty for the others.
        order: how what was found is ordered, where it was only listed and scores say nothing.

    Raises:
        DataError: the file cannot be written.
    """
    from ..report.results import write_results

    folders = {name: root for name, root in corpus.images.roots.items() if isinstance(root, Path)}
    found = [(query, one.hits) for query, one in zip(queries, searched, strict=True)]
    unknown = [f"No item holds {', '.join(one.unknown)}." for one in searched if one.unknown and one.hits]
    said = dict.fromkeys([*unknown, *(reason for reason in reasons if reason)])
    write_results(file, found, corpus.images, where=folders, notes=tuple(said), order=order)
    note(f"the page of results is {file}")

"""What of a source could not become items of a corpus, in sentences: the first by name, the rest as a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..data.folder import left_out_by_name
from ..data.sources.source import Source, linked_folders
from ..errors import DataError
from ..retrieval.retriever import RefusedCandidate

NAMED = 20
"""Most things left out of a source that are named one by one."""


def left_out(source: Source) -> Iterator[str]:
    """Yield what of a source was left out and why: the first by name, the rest as a count."""
    for refused in source.refused[:NAMED]:
        yield f"left out: {refused.path}: {refused.reason}"
    if len(source.refused) > NAMED:
        yield f"left out: {len(source.refused) - NAMED} more, {len(source.refused)} in all"
    for counted in left_out_by_name(source.others, source.links):
        yield f"left out: {counted}"


def not_encoded(refused: Sequence[RefusedCandidate]) -> Iterator[str]:
    """Yield which candidates could not be encoded and why: the first by name, the rest as a count."""
    for item in refused[:NAMED]:
        yield f"left out: {item.did}: {item.reason}"
    if len(refused) > NAMED:
        yield f"left out: {len(refused) - NAMED} more, {len(refused)} in all"


def nothing_encoded(source: Source, refused: Sequence[RefusedCandidate]) -> DataError:
    """Return the error for a source of which no candidate could be encoded."""
    cause = f"the first, {refused[0].did}: {refused[0].reason}"
    if linked := linked_folders(source):
        cause = f"{linked[0]} is a link, which rows are not followed through: name it with --root {linked[0]}=FOLDER"
    return DataError(f"{source.path}: none of {len(refused)} items could be encoded; {cause}")

"""Several folders and documents as one corpus: the ids of each begin with its key, so that they stay unique."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...errors import DataError
from ...images import ImageLimits, ImageStore
from ...records import Candidate
from ..folder import LeftOut
from .source import Progress, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """One of several sources."""

    key: str
    """What its ids begin with; empty leaves them as they are."""
    source: Source
    """The source, its root called `key/`, or without a name where there is no key."""
    folder: bool = True
    """Whether it is a folder; the id of a document is its key, not a path below it."""

    def named(self, path: str) -> str:
        """Return an id, or the path of something refused, as it is called among the others."""
        if not self.key:
            return path
        return f"{self.key}/{path}" if self.folder else self.key + path.removeprefix(self.source.path.name)


def joined(parts: Sequence[Keyed], *, limits: ImageLimits | None = None) -> Source:
    """Return several sources as one, in their order.

    One that holds nothing, as a disk that is not mounted, is left out by name; when all are, that is the error.

    Args:
        parts: the sources, at least one; keys unique.
        limits: what one picture may cost.
    """
    images = ImageStore({name: root for part in parts for name, root in part.source.roots.items()}, limits=limits)
    for part in parts:
        part.source.images = images

    def read(whole: Source, progress: Progress) -> Iterator[Candidate]:
        return _candidates(parts, whole, progress)

    return Source(path=parts[0].source.path, images=images, _read=read)


def _candidates(parts: Sequence[Keyed], whole: Source, progress: Progress) -> Iterator[Candidate]:
    others: Counter[str] = Counter()
    whole.links = 0
    before = 0
    for part in parts:
        counted = _Counted(progress, before)
        empty = True
        try:
            for candidate in part.source.candidates(progress=counted):
                empty = False
                yield replace(candidate, did=part.named(candidate.did))
        except DataError as error:
            if not empty:
                raise
            whole.refused.append(LeftOut(path=part.key or str(part.source.path), reason=str(error)))
        whole.refused += [replace(one, path=part.named(one.path)) for one in part.source.refused]
        others.update(part.source.others)
        whole.links += part.source.links
        before += counted.total
    whole.others = dict(others)


class _Counted:
    """Tells progress within one source as progress within all."""

    def __init__(self, progress: Progress, before: int) -> None:
        self._progress, self._before = progress, before
        self.total = 0

    def __call__(self, done: int, total: int) -> None:
        self.total = total
        self._progress(self._before + done, self._before + total)

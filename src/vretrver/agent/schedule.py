"""Schedules order the windows of one query. The paper's back-to-front schedule is the reference.

A schedule is a generator: it yields a slice of the current order and is sent, once that window was ranked, the
permutation of the slice (0-based) or None when the window failed; so a schedule may stop early or change its mind.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import ConfigError

Windows = Generator[slice, Sequence[int] | None, None]
"""What a schedule gives for one query."""


class Schedule(Protocol):
    """Orders the windows of a query."""

    @property
    def name(self) -> str:
        """Name with parameters, as it stands in trajectories."""
        ...

    def windows(self, count: int) -> Windows:
        """Plan the windows over `count` candidates; yields nothing for none."""
        ...


def spans(count: int, size: int, stride: int) -> Generator[slice, object, None]:
    """Yield window slices over `count` ranked items, back to front.

    Every item is covered, every window has `size` items (fewer only when there are fewer), the last one starts at 0,
    and no window reaches past the end. The front window is full rather than cut, which costs nothing and lets it
    overlap its neighbour by more than size - stride.
    """
    if not 0 < stride <= size:
        raise ConfigError(f"a schedule needs 0 < stride <= size, got stride {stride} and size {size}")
    stop = count
    while stop > size:
        yield slice(stop - size, stop)
        stop -= stride
    if count > 0:
        yield slice(0, min(size, count))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSchedule:
    """The paper's schedule: the best `depth` candidates, windows of `size` moved by `stride`, back to front (1.3)."""

    depth: int = 50
    """Candidates reranked; later ones keep their place."""
    size: int = 20
    """Candidates in a window."""
    stride: int = 10
    """Places a window moves; a candidate must be among the best size - stride of a window to be carried on."""

    def __post_init__(self) -> None:
        """Refuse impossible schedules with ConfigError."""
        if self.depth < 1 or not 0 < self.stride <= self.size:
            raise ConfigError(f"a schedule needs depth >= 1 and 0 < stride <= size, got {self.name}")

    @property
    def name(self) -> str:
        """As in `reference(50,20,10)`."""
        return f"reference({self.depth},{self.size},{self.stride})"

    def windows(self, count: int) -> Windows:
        """Plan the windows over the best `depth` of `count` candidates; outcomes are not needed."""
        yield from spans(min(count, self.depth), self.size, self.stride)


def rank_scores(count: int) -> list[float]:
    """Return the uncalibrated score per rank, best first: 1 / rank, strictly decreasing."""
    return [1.0 / rank for rank in range(1, count + 1)]

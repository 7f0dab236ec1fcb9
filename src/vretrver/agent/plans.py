"""Plans order the windows of one query. The paper's back-to-front schedule is the reference.

A planner is configuration; the plan it makes for one query owns the order. The plan says which windows are due, any
places and several at once, is told what became of them, and says how much of the head no further window can change.
The order after all outcomes of a round were told does not depend on which was told first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import ConfigError
from .answers import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Candidates that are ranked together."""

    index: int
    """Number of the window in its plan, from 0."""
    round: int
    """Windows of one round do not depend on one another; from 0."""
    candidates: tuple[int, ...]
    """Coarse places, from 0, of the candidates in the order shown."""
    places: tuple[int, ...]
    """Places in the order, from 0, that the window had when it became due; the same length."""
    turns: int | None = None
    """Most turns before the answer is forced, at most the dialect's; 0 asks for it at once, None is the dialect's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a window."""

    verdict: Verdict
    """What it came to."""
    order: tuple[int, ...] | None = None
    """Its candidates, best first, as places in the window from 0; None when it failed."""


class Plan(Protocol):
    """The windows of one query and the order they lead to."""

    @property
    def order(self) -> Sequence[int]:
        """The best order known now, as coarse places from 0: all candidates, also those below the depth."""
        ...

    @property
    def settled(self) -> int:
        """Places of the head that no further window of the plan can change.

        No further window is started once the places that are wanted are settled.
        """
        ...

    def due(self) -> Sequence[Window]:
        """Return the windows that can start now and were not returned before; none while outcomes are missing."""
        ...

    def told(self, window: Window, outcome: Outcome) -> None:
        """Take in what became of a window; one that failed leaves its candidates in the order they had."""
        ...


class Planner(Protocol):
    """Makes a plan for each query."""

    @property
    def name(self) -> str:
        """Name with parameters, as in trajectories: `reference(50,20,10)`."""
        ...

    def plan(self, count: int) -> Plan:
        """Return the plan over `count` candidates in coarse order."""
        ...


def spans(count: int, size: int, stride: int) -> Iterator[range]:
    """Yield the places of windows over `count` ranked items, back to front.

    Every item is covered, every window has `size` items (fewer only when there are fewer), the last one starts at 0,
    and no window reaches past the end. The front window is full rather than cut, which costs nothing and lets it
    overlap its neighbour by more than size - stride.
    """
    stop = count
    while stop > size:
        yield range(stop - size, stop)
        stop -= stride
    if count > 0:
        yield range(min(size, count))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePlanner:
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
            raise ConfigError(f"a plan needs depth >= 1 and 0 < stride <= size, got {self.name}")

    @property
    def name(self) -> str:
        """As in `reference(50,20,10)`."""
        return f"reference({self.depth},{self.size},{self.stride})"

    def plan(self, count: int) -> Plan:
        """Return the windows over the best `depth` of `count` candidates, one after another."""
        return _ReferencePlan(count, spans(min(count, self.depth), self.size, self.stride))


class _ReferencePlan:
    """Ranks one span of the current order after another."""

    def __init__(self, count: int, places: Iterator[range]) -> None:
        self.order = list(range(count))
        self._places = deque(places)
        self._windows = len(self._places)
        self._running = False

    @property
    def settled(self) -> int:
        """All places after the front window, which comes last; none before, because it may change all of the head.

        So this plan runs to its end however few places are wanted.
        """
        return len(self.order) if not self._places and not self._running else 0

    def due(self) -> Sequence[Window]:
        """Return the next span, once the one before it was told."""
        if self._running or not self._places:
            return ()
        self._running = True
        places = tuple(self._places.popleft())
        index = self._windows - len(self._places) - 1
        candidates = tuple(self.order[place] for place in places)
        return (Window(index=index, round=index, candidates=candidates, places=places),)

    def told(self, window: Window, outcome: Outcome) -> None:
        """Put the span into the window's order."""
        self._running = False
        if outcome.order is not None:
            for place, ranked in zip(window.places, outcome.order, strict=True):
                self.order[place] = window.candidates[ranked]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocksPlanner:
    """Blocks side by side, and one last window in which the best of each meet: two rounds whatever the depth.

    With `turns=0` the blocks are only screened: each is ranked in one turn from what its candidates show at first,
    and all looking is kept for the last window.
    """

    depth: int = 50
    """Candidates reranked; later ones keep their place."""
    size: int = 20
    """Most candidates in a window; also of the last one."""
    keep: int | None = None
    """Candidates of each block that reach the last window; None takes as many as it holds."""
    turns: int | None = None
    """Most turns of a block before its answer is forced; None is the dialect's. The last window has all of them."""

    def __post_init__(self) -> None:
        """Refuse impossible plans with ConfigError: each block must reach the last window with a candidate."""
        if self.depth < 1 or self.size < 2 or (self.keep is not None and self.keep < 1) or (self.turns or 0) < 0:
            raise ConfigError(f"a plan needs depth >= 1, size >= 2, keep >= 1 and turns >= 0, got {self.name}")
        blocks = -(-self.depth // self.size)
        if blocks * (self.keep or 1) > self.size:
            raise ConfigError(
                f"the best {self.keep or 1} of {blocks} blocks do not fit a window of {self.size}; "
                f"lower depth or keep, or raise size, in {self.name}"
            )

    @property
    def name(self) -> str:
        """As in `blocks(50,20,6,turns=0)`; what is not given is left out."""
        keep = "" if self.keep is None else f",{self.keep}"
        turns = "" if self.turns is None else f",turns={self.turns}"
        return f"blocks({self.depth},{self.size}{keep}{turns})"

    def plan(self, count: int) -> Plan:
        """Return the blocks over the best `depth` of `count` candidates, of equal length as far as that goes."""
        depth = min(count, self.depth)
        blocks = max(1, -(-depth // self.size))
        keep = self.keep or self.size // blocks
        return _BlocksPlan(count, depth, blocks, keep, self.turns if blocks > 1 else None)


class _BlocksPlan:
    """Ranks interleaved blocks side by side, then their best together.

    Block b of n takes places b, b + n, b + 2 n, ...: the head of the coarse order, where the right candidate most
    often is, is spread over all blocks instead of crowding the first.
    """

    def __init__(self, count: int, depth: int, blocks: int, keep: int, turns: int | None) -> None:
        self.order = list(range(count))
        self._depth, self._keep, self._turns = depth, keep, turns
        self._blocks = [tuple(range(block, depth, blocks)) for block in range(blocks)] if depth else []
        self._ranked: dict[int, tuple[int, ...]] = {}
        self._due = 0
        self._over = not self._blocks

    @property
    def settled(self) -> int:
        """All places after the last window, in which the best of every block meet at the head; none before.

        So this plan runs to its end however few places are wanted.
        """
        return len(self.order) if self._over else 0

    def due(self) -> Sequence[Window]:
        """Return all blocks, then the last window once all were told."""
        if not self._due:
            self._due = len(self._blocks)
            return tuple(
                Window(index=index, round=0, candidates=block, places=block, turns=self._turns)
                for index, block in enumerate(self._blocks)
            )
        if self._over or len(self._ranked) < len(self._blocks) or self._due > len(self._blocks):
            return ()
        self._due += 1
        places = tuple(range(min(self._keep * len(self._blocks), self._depth)))
        return (Window(index=len(self._blocks), round=1, candidates=tuple(self.order[: len(places)]), places=places),)

    def told(self, window: Window, outcome: Outcome) -> None:
        """Merge the blocks by rank, and put the head into the last window's order."""
        ranked = window.candidates
        if outcome.order is not None:
            ranked = tuple(window.candidates[place] for place in outcome.order)
        if window.round == 1:
            self.order[: len(ranked)] = ranked
            self._over = True
            return
        self._ranked[window.index] = ranked
        self._over = len(self._blocks) == 1
        self.order[: self._depth] = self._merged()

    def _merged(self) -> list[int]:
        """Return the best of every block, then the second best, and so on; equal ranks keep the coarse order."""
        blocks = [self._ranked.get(index, block) for index, block in enumerate(self._blocks)]
        placed = [(rank, candidate) for block in blocks for rank, candidate in enumerate(block)]
        return [candidate for _, candidate in sorted(placed)]

"""The catalogue that is searched, the shortlists of the coarse stage, and the windows that are ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry import Box
from ...records import Candidate, Hit, Query
from ...retrieval.encoders import encoder_named
from ...retrieval.exact import exact_search, longest_row
from ..draw.plan import Item
from ..draw.render import label_place
from ..draw.tasks import SHAPES
from ..drawn import DrawnStore
from ..embed.pairs import TrainingPairs
from ..expert.wanted import criteria_of, trait_of
from ..gallery import Gallery
from .audit import TrajectoryAuditor
from .config import LooksConfig

_BATCH = 256
_DEPTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuery:
    """A query with what the coarse stage found for it."""

    query: Query
    """The query."""
    item: int
    """Number of the right item."""
    shortlist: tuple[int, ...]
    """Numbers of the items found, best first."""

    @property
    def coarse_rank(self) -> int | None:
        """Place of the right item from 1; None when it is not among those found."""
        return self.shortlist.index(self.item) + 1 if self.item in self.shortlist else None

    def window(self, size: int) -> tuple[int, ...]:
        """Return the best `size` items; the last makes room for the right one where that is missing."""
        best = self.shortlist[:size]
        return best if self.item in best else (*best[: size - 1], self.item)


class LooksWorld:
    """The catalogue of an experiment.

    Args:
        config: the experiment.
    """

    def __init__(self, config: LooksConfig) -> None:
        gallery = Gallery(config.gallery)
        self.pairs = TrainingPairs(seed=gallery.seed, items=gallery.items, tasks=config.shapes)
        self.plan: list[Item] = self.pairs.plan
        self.images = DrawnStore(self.pairs.shots(), gallery=gallery)
        shots = self.pairs.shots()
        self.labels = {path: _box(label_place(shot).box) for path, shot in shots.items()}
        self.auditor = TrajectoryAuditor(self.labels, {path: shot.printed for path, shot in shots.items()})
        self._encoder = encoder_named(config.encoder, self.images)
        self._queries = config.queries

    def asked(self, task: int) -> list[AskedQuery]:
        """Return the queries of a task shape with their shortlists, spread over the items."""
        places = np.unique(
            np.linspace(0, len(self.plan) - 1, min(self._queries, len(self.plan))).astype(int)
        ).tolist()
        queries = [self.pairs.query(task, place, 0) for place in places]
        pool = self.pairs.asked[task].candidates
        vectors = np.concatenate(
            [self._encoder.encode_candidates(pool[at : at + _BATCH]) for at in range(0, len(pool), _BATCH)]
        )
        found = exact_search(
            vectors, self._encoder.encode_queries(queries), min(_DEPTH, len(pool)), longest=longest_row(vectors)
        )
        return [
            AskedQuery(query=query, item=place, shortlist=tuple(slots.tolist()))
            for query, place, (slots, _) in zip(queries, places, found, strict=True)
        ]

    def guess(self, task: int, item: int, window: Sequence[int]) -> float:
        """Return how often a guess is right that sees all a thumbnail shows and nothing of a label.

        It guesses among the items of the window that show what is asked for, as the expert names it.
        """
        shape = next(shape for shape in SHAPES if shape.task == task)
        traits = criteria_of(shape, self.plan[item]).traits
        alike = [
            other for other in window if all(trait_of(self.plan[other], trait) == value for trait, value in traits)
        ]
        return 1 / len(alike)

    def hits(self, task: int, items: Sequence[int]) -> list[Hit]:
        """Return items as hits, best first."""
        pool: tuple[Candidate, ...] = self.pairs.asked[task].candidates
        return [Hit(candidate=pool[item], score=1.0 / rank) for rank, item in enumerate(items, start=1)]


def _box(edges: tuple[int, int, int, int]) -> Box:
    return Box(left=edges[0], top=edges[1], right=edges[2], bottom=edges[3])

"""Which pairs each step sees: sampled from seed and step alone, so that any step can be reproduced.

A batch is of one task shape and never holds two pairs that are alike at thumbnail size, twins among them: the others
of a batch are the wrong answers, and the coarse stage must not be trained to separate what it cannot see. Part of a
batch shares product and colour with another pair of it, so that the encoder learns to tell families apart and not
only kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...errors import ConfigError
from ...prng import Stream
from ..draw.plan import Item
from ..draw.world import TWINS
from .pairs import alike_key

_TRIES = 50
"""Samples per pair after which a batch counts as impossible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPair:
    """One query with its answer."""

    task: int
    """Task shape."""
    item: int
    """Place of the item in the plan."""
    wording: int
    """Which of the sentences says what is wanted."""


class Schedule:
    """The batches of a run.

    Args:
        plan: the items of the catalogue.
        tasks: task shapes, one named twice is drawn twice as often.
        steps: number of batches.
        batch_size: pairs of each.
        hard: share of a batch that has product and colour of another pair.
        seed: of the random stream.
    """

    def __init__(
        self, plan: Sequence[Item], *, tasks: Sequence[int], steps: int, batch_size: int, hard: float, seed: int
    ) -> None:
        self.plan = plan
        self.tasks = tasks
        self.steps = steps
        self.batch_size = batch_size
        self.hard = hard
        self.seed = seed
        self._kin: dict[tuple[str, str], list[int]] = {}
        for place in range(0, len(plan), TWINS):
            self._kin.setdefault(_kind(plan[place]), []).append(place // TWINS)

    def __iter__(self) -> Iterator[list[TrainingPair]]:
        """Yield the batches in order."""
        return (self.batch(step) for step in range(self.steps))

    def batch(self, step: int) -> list[TrainingPair]:
        """Return the pairs of a step, from 0.

        Raises:
            ConfigError: the catalogue has too few items that are not alike.
        """
        stream = Stream(self.seed, "embed", step)
        task = stream.choice(self.tasks)
        taken: dict[tuple[str, ...], int] = {}
        for _ in range(_TRIES * self.batch_size):
            if len(taken) == self.batch_size:
                break
            family = stream.below(len(self.plan) // TWINS)
            if taken and stream.below(1000) < 1000 * self.hard:
                other = stream.choice(list(taken.values()))
                family = stream.choice(self._kin[_kind(self.plan[other * TWINS])])
            taken.setdefault(alike_key(self.plan[family * TWINS], task), family)
        else:
            raise ConfigError(
                f"a batch of {self.batch_size} pairs of task {task} cannot be drawn: too few items differ at "
                "thumbnail size; make batch_size smaller or data.items larger"
            )
        return [
            TrainingPair(task=task, item=family * TWINS + stream.below(TWINS), wording=stream.below(2))
            for family in taken.values()
        ]


def _kind(item: Item) -> tuple[str, str]:
    return item.family.product, item.family.colour

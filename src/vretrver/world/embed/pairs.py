"""Queries and their answers of a catalogue in memory, for every task shape, and what a thumbnail tells apart.

Two items are alike when nothing that query and picture share at thumbnail size separates them: a query that says the
ground is answered by looks and ground, any other by looks alone. Twins are always alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from ...errors import ConfigError
from ...records import Candidate, ImagePart, ImageRef, Modality, Part, Query, TextPart, modality_of, parts_of
from ..draw.plan import Item, make_plan, shots_of
from ..draw.tasks import (
    INSTRUCTIONS,
    SHAPES,
    Shape,
    TaskRow,
    World,
    candidate_rows,
    did_of,
    make_world,
    query_rows,
)
from ..draw.world import Shot

GROUND_IS_SAID = frozenset({0, 2, 9})
"""Task shapes whose query names or shows the ground of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPairs:
    """One task shape over a whole catalogue."""

    task: int
    """M-BEIR's task id."""
    queries: tuple[Query, ...]
    """The query of each item, in the order of the plan."""
    candidates: tuple[Candidate, ...]
    """The answer of each item, in the same order."""
    wordings: tuple[str, ...]
    """Sentences that say what is wanted."""


class TrainingPairs:
    """All pairs of a catalogue.

    Args:
        seed: seed of the catalogue.
        items: its products; a multiple of 5.
        tasks: task shapes.

    Raises:
        ConfigError: a task is unknown.
        DataError: the number of items is impossible.
    """

    def __init__(self, *, seed: int, items: int, tasks: tuple[int, ...]) -> None:
        known = {shape.task: shape for shape in SHAPES}
        unknown = sorted(set(tasks) - set(known))
        if unknown:
            raise ConfigError(f"the catalogue has no task {unknown[0]}; its tasks are {sorted(known)}")
        self.plan = make_plan(seed, items)
        world = make_world(seed, self.plan)
        self.asked: Mapping[int, TaskPairs] = {task: _asked(world, known[task]) for task in sorted(set(tasks))}

    def shots(self) -> dict[str, Shot]:
        """Return what every picture of the catalogue shows, by path."""
        return shots_of(self.plan)

    def query(self, task: int, item: int, wording: int) -> Query:
        """Return the query of an item in a task shape, with one of its instructions."""
        asked = self.asked[task]
        return replace(asked.queries[item], instruction=asked.wordings[wording])

    def candidate(self, task: int, item: int) -> Candidate:
        """Return the answer of an item in a task shape."""
        return self.asked[task].candidates[item]


def alike_key(item: Item, task: int) -> tuple[str, ...]:
    """Return what tells an item apart at thumbnail size in a task shape: items with one key are alike."""
    family = item.family
    looks = (family.product, family.colour, family.pattern)
    return (*looks, family.ground) if task in GROUND_IS_SAID else looks


def _asked(world: World, shape: Shape) -> TaskPairs:
    """Return a shape's queries and answers in the order of the items."""
    queries = {_answer_of(row): row for row in query_rows(world, shape, first=1)}
    candidates = {str(row["did"]): row for row in candidate_rows(world, shape.pool)}
    dids = [did_of(item, shape.pool) for item in world.items]
    found = tuple(_candidate(candidates[did]) for did in dids)
    asked = cast("Modality", queries[dids[0]]["query_modality"])
    wanted = modality_of(found[0].parts)
    return TaskPairs(
        task=shape.task,
        queries=tuple(_query(queries[did]) for did in dids),
        candidates=found,
        wordings=next(tuple(said) for query, answer, *said in INSTRUCTIONS if (query, answer) == (asked, wanted)),
    )


def _answer_of(row: TaskRow) -> str:
    return cast("list[str]", row["pos_cand_list"])[0]


def _query(row: TaskRow) -> Query:
    parts: tuple[Part, ...]
    if "query_parts" in row:
        parts = tuple(_part(part) for part in cast("list[dict[str, str]]", row["query_parts"]))
    else:
        parts = _parts(row["query_txt"], row["query_img_path"])
    return Query(qid=str(row["qid"]), parts=parts)


def _candidate(row: TaskRow) -> Candidate:
    return Candidate(did=str(row["did"]), parts=_parts(row["txt"], row["img_path"]))


def _part(part: Mapping[str, str]) -> Part:
    return TextPart(text=part["text"]) if "text" in part else ImagePart(image=ImageRef(path=part["image"]))


def _parts(text: object, picture: object) -> tuple[Part, ...]:
    pictures = [ImageRef(path=str(picture))] if picture else []
    return parts_of(text=str(text) if text else None, images=pictures)

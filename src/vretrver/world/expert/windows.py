"""Windows to practise on: a query of the catalogue and candidates in an order such as a coarse stage gives.

A coarse stage finds families: the twins of the one asked for, then families that share most of what a thumbnail
shows. The sampler draws such lists without an encoder, so that it can run before one is trained.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from ...agent.task import WindowStep, WindowTask
from ...data.instructions import TASKS
from ...errors import DataError
from ...prng import Stream
from ...records import Candidate, ImagePart, ImageRef, Part, Query, TextPart, parts_of
from ..draw.plan import Item
from ..draw.tasks import INSTRUCTIONS, SHAPES, QueryContent, Shape, World, candidate_rows, did_of
from ..draw.world import TWINS, Detail, Shot, all_details
from .wanted import Criteria, Trait, criteria_of, trait_of

_TRAITS: tuple[Trait, ...] = ("product", "colour", "pattern", "ground")
_SHARED = (("product", "colour", "pattern"), ("product", "colour"), ("product", "pattern"), ("colour", "pattern"))
"""What other families have in common with the right one, most alike first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A window with what the expert must know about it."""

    task: WindowTask
    """Query and candidates."""
    shape: Shape
    """The task shape."""
    wanted: Criteria
    """What is asked for."""
    items: tuple[Item, ...]
    """The candidates' items, in the order of the window."""
    target: int
    """Number of the right candidate, from 1."""
    query_shot: Shot
    """What the query's picture shows where it has to be looked at; else another picture of the right item."""


class WindowSampler:
    """Draws practice windows; window n depends on the seed and n only.

    Args:
        world: the catalogue.
        seed: of the random stream.
    """

    def __init__(self, world: World, *, seed: int) -> None:
        self.world, self.seed = world, seed
        self.families = [tuple(world.items[at : at + TWINS]) for at in range(0, len(world.items), TWINS)]
        self._alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, family in enumerate(self.families):
            for shared in _SHARED:
                self._alike[_key(family[0], shared)].append(number)
        self._candidates = {
            pool: {str(row["did"]): _candidate(row) for row in candidate_rows(world, pool)}
            for pool in sorted({shape.pool for shape in SHAPES})
        }

    def window(self, number: int, *, shape: Shape, size: int, misprinted: int = 7) -> Practice:
        """Draw a window of `size` candidates for one task shape; raises DataError in too small a catalogue.

        Of 100 queries whose text names a detail, `misprinted` name one mark that no candidate has.
        """
        stream = Stream(self.seed, "practice", number)
        item = stream.choice(self.world.items)
        wanted = criteria_of(shape, item)
        query = self._query(shape, item, stream, number)
        if wanted.detail is not None and stream.below(100) < misprinted:
            wanted, query = _misprinted(wanted, query, stream)
        items = self._listed(item, stream, size)
        pool = self._candidates[shape.pool]
        task = WindowTask(
            session=f"practice-{number}",
            query=query,
            candidates=tuple(pool[did_of(other, shape.pool)] for other in items),
            step=WindowStep(plan="practice", index=0, round=0, places=tuple(range(size))),
        )
        return Practice(
            task=task,
            shape=shape,
            wanted=wanted,
            items=tuple(items),
            target=items.index(item) + 1,
            query_shot=item.shot(1),
        )

    def _query(self, shape: Shape, item: Item, stream: Stream, number: int) -> Query:
        asked = shape.ask(item, self.world)
        return Query(qid=f"30:{number + 1}", parts=_parts(asked), instruction=stream.choice(_instructions(shape)))

    def _listed(self, item: Item, stream: Stream, size: int) -> list[Item]:
        """Return the window's items: some twins, then families from most to least alike; the order is noisy."""
        twins = self.world.twins(item)
        kept = 4 if stream.below(100) < 70 else stream.below(5)
        chosen = [item, *(twins[place] for place in stream.permutation(4)[: min(kept, size - 1)])]
        taken = {item.family.index}
        while len(chosen) < size:
            family = self._neighbour(item, stream, taken)
            taken.add(family[0].family.index)
            order = stream.permutation(TWINS)[: stream.between(1, TWINS)]
            chosen += [family[place] for place in order][: size - len(chosen)]
        noise = 100 if stream.below(4) == 0 else 2
        keys = [_likeness(other, item) * 4 + stream.below(4 * noise) for other in chosen]
        return [chosen[place] for place in sorted(range(size), key=lambda place: -keys[place])]

    def _neighbour(self, item: Item, stream: Stream, taken: set[int]) -> tuple[Item, ...]:
        for _ in range(8):
            shared = stream.choice((*_SHARED, None))
            among = range(len(self.families)) if shared is None else self._alike[_key(item, shared)]
            number = stream.choice(among)
            if number not in taken:
                return self.families[number]
        left = [n for n in stream.permutation(len(self.families)) if n not in taken]
        if not left:
            raise DataError(
                f"a catalogue of {len(self.families)} families is too small for the windows; draw a larger gallery"
            )
        return self.families[left[0]]


def _key(item: Item, traits: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{trait}={trait_of(item, cast(Trait, trait))}" for trait in traits)


def _likeness(one: Item, other: Item) -> int:
    same = sum(trait_of(one, trait) == trait_of(other, trait) for trait in _TRAITS)
    return same + (one.family.index == other.family.index)


def _instructions(shape: Shape) -> tuple[str, str]:
    asked, found = TASKS[shape.task]
    return next((one, two) for query, candidate, one, two in INSTRUCTIONS if (query, candidate) == (asked, found))


def _parts(asked: QueryContent) -> tuple[Part, ...]:
    if not asked.parts:
        return parts_of(text=asked.text, images=[ImageRef(path=asked.picture)] if asked.picture else [])
    return tuple(
        TextPart(text=str(row["text"])) if "text" in row else ImagePart(image=ImageRef(path=str(row["image"])))
        for row in asked.parts
    )


def _candidate(row: dict[str, object]) -> Candidate:
    images = [ImageRef(path=str(row["img_path"]))] if row["img_path"] else []
    return Candidate(did=str(row["did"]), parts=parts_of(text=cast("str | None", row["txt"]), images=images))


def _misprinted(wanted: Criteria, query: Query, stream: Stream) -> tuple[Criteria, Query]:
    """Ask for a detail with one mark changed, so that no candidate has it whole: the one most like it is right."""
    detail = wanted.detail
    if detail is None:
        raise ValueError("a query without a detail in its text cannot be misprinted")
    place = stream.below(len(detail.values))
    other = stream.choice(all_details(detail.kind)).values[place]
    changed = Detail(kind=detail.kind, values=(*detail.values[:place], other, *detail.values[place + 1 :]))
    parts = tuple(
        TextPart(text=part.text.replace(detail.words(), changed.words())) if isinstance(part, TextPart) else part
        for part in query.parts
    )
    return replace(wanted, detail=changed), replace(query, parts=parts)

"""The queries and candidates of a catalogue for M-BEIR's task shapes, and one interleaved shape of our own.

Each item is the one right answer to one query of every shape, and its four twins are that query's judged hard
negatives. A text says the detail only where the shape asks for it; a candidate's own text beside its picture never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...prng import Stream
from .plan import DATASET, Item
from .world import TWINS

NAME = "catalogue"
"""Name of the data set in file names."""

TaskRow = dict[str, object]
"""One line of a JSONL file."""

PoolName = Literal["pictures", "pages", "descriptions", "sheets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContent:
    """What a query holds besides its ids."""

    modality: Literal["text", "image", "image,text"]
    """Modality of the query."""
    text: str | None = None
    """Its text, if any."""
    picture: str | None = None
    """Path of its picture, if any; the first one of an interleaved query."""
    parts: tuple[TaskRow, ...] = ()
    """The ordered parts of an interleaved query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One task shape."""

    task: int
    """M-BEIR's task id; 9 is ours."""
    pool: PoolName
    """Which candidates are searched."""
    ask: Callable[[Item, World], QueryContent]
    """Makes the query to which an item is the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The items of a catalogue with what queries about several of them need."""

    seed: int
    """Seed of the catalogue."""
    items: Sequence[Item]
    """All items, twins next to each other."""
    on_ground: Mapping[str, Sequence[Item]]
    """Ground of the catalogue picture -> the items on it."""

    def twins(self, item: Item) -> list[Item]:
        """Return the other four of an item's family."""
        first = item.family.index * TWINS
        return [twin for twin in self.items[first : first + TWINS] if twin.twin != item.twin]

    def stream(self, item: Item, purpose: str) -> Stream:
        """Return the random numbers for one purpose at one item."""
        return Stream(self.seed, purpose, item.family.index, item.twin)

    def elsewhere(self, item: Item) -> Item:
        """Return an item of another family on the same ground, or a twin where no other family is on it."""
        stream, there = self.stream(item, "elsewhere"), self.on_ground[item.family.ground]
        if len(there) == TWINS:
            return stream.choice(self.twins(item))
        while True:
            other = stream.choice(there)
            if other.family.index != item.family.index:
                return other


def make_world(seed: int, items: Sequence[Item]) -> World:
    """Return the world of a plan's items."""
    on_ground: dict[str, list[Item]] = {}
    for item in items:
        on_ground.setdefault(item.family.ground, []).append(item)
    return World(seed=seed, items=items, on_ground=on_ground)


def _text_to_picture(item: Item, _: World) -> QueryContent:
    return QueryContent(modality="text", text=f"{item.family.words()}, {item.detail.words()}")


def _text_to_sheet(item: Item, _: World) -> QueryContent:
    return QueryContent(modality="text", text=f"price and care of the {item.looks}, {item.detail.words()}")


def _text_to_page(item: Item, _: World) -> QueryContent:
    return QueryContent(modality="text", text=f"catalogue page of the {item.family.words()}, {item.detail.words()}")


def _picture_alone(item: Item, _: World) -> QueryContent:
    return QueryContent(modality="image", picture=item.query_picture)


def _picture_to_sheet(item: Item, _: World) -> QueryContent:
    return QueryContent(modality="image,text", picture=item.query_picture, text="what does this very item cost?")


def _picture_to_page(item: Item, _: World) -> QueryContent:
    return QueryContent(modality="image,text", picture=item.query_picture, text="catalogue page of this very item")


def _changed_picture(item: Item, world: World) -> QueryContent:
    other = world.stream(item, "reference").choice(world.twins(item))
    return QueryContent(
        modality="image,text", picture=other.query_picture, text=f"the same product, but {item.detail.words()}"
    )


def _interleaved(item: Item, world: World) -> QueryContent:
    other = world.stream(item, "interleaved").choice(world.twins(item))
    parts: tuple[TaskRow, ...] = (
        {"text": "the product of"},
        {"image": other.query_picture},
        {"text": "on the ground of"},
        {"image": world.elsewhere(item).picture},
        {"text": f"with {item.detail.words()}"},
    )
    text = " ".join(str(part.get("text", "<image>")) for part in parts)
    return QueryContent(modality="image,text", picture=other.query_picture, text=text, parts=parts)


SHAPES: tuple[Shape, ...] = (
    Shape(task=0, pool="pictures", ask=_text_to_picture),
    Shape(task=1, pool="sheets", ask=_text_to_sheet),
    Shape(task=2, pool="pages", ask=_text_to_page),
    Shape(task=3, pool="descriptions", ask=_picture_alone),
    Shape(task=4, pool="pictures", ask=_picture_alone),
    Shape(task=6, pool="sheets", ask=_picture_to_sheet),
    Shape(task=7, pool="pictures", ask=_changed_picture),
    Shape(task=8, pool="pages", ask=_picture_to_page),
    Shape(task=9, pool="pictures", ask=_interleaved),
)
"""The task shapes that a catalogue has."""

INSTRUCTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("text", "image", "Find the picture of the product that is described.", "Which picture shows this product?"),
    ("text", "text", "Find the product sheet that answers the request.", "Retrieve the sheet of this product."),
    ("text", "image,text", "Find the catalogue page that is asked for.", "Which page shows this product?"),
    ("image", "text", "Find the description of exactly this item.", "Which description fits this item?"),
    ("image", "image", "Find another picture of exactly this item.", "Which picture shows the same item?"),
    ("image,text", "text", "Find the product sheet of the item shown.", "Which sheet answers the question?"),
    ("image,text", "image", "Find the picture that the request describes.", "Which picture fits the request?"),
    ("image,text", "image,text", "Find the catalogue page of the item shown.", "Which page is of this item?"),
)
"""Modalities of query and candidate, and two sentences that say what is wanted."""


def did_of(item: Item, pool: PoolName) -> str:
    """Return an item's id in a pool."""
    dids = {
        "pictures": item.picture_did,
        "pages": item.page_did,
        "descriptions": item.description_did,
        "sheets": item.sheet_did,
    }
    return dids[pool]


def candidate_rows(world: World, pool: PoolName) -> list[TaskRow]:
    """Return a pool's lines in the order of their ids."""
    rows = [_candidate(item, pool) for item in world.items]
    return sorted(rows, key=lambda row: _number(row["did"]))


def query_rows(world: World, shape: Shape, *, first: int) -> list[TaskRow]:
    """Return a shape's query lines in the order of their ids, which are drawn from `first` on."""
    numbers = Stream(world.seed, "qids", shape.task, len(world.items)).permutation(len(world.items))
    rows = [_query(item, world, shape, first + number) for item, number in zip(world.items, numbers, strict=True)]
    return sorted(rows, key=lambda row: _number(row["qid"]))


def _number(value: object) -> int:
    return int(str(value).partition(":")[2])


def _candidate(item: Item, pool: PoolName) -> TaskRow:
    text, picture = None, None
    if pool in ("pictures", "pages"):
        picture = item.picture
    if pool == "pages":
        text = f"{item.looks} with {item.family.trim} trim"
    elif pool == "descriptions":
        text = f"{item.looks}, {item.detail.words()}"
    elif pool == "sheets":
        text = f"{item.looks}, {item.detail.words()}: price {item.price}, {item.care}"
    modality = "image,text" if picture and text else "image" if picture else "text"
    return {
        "did": did_of(item, pool),
        "txt": text,
        "img_path": picture,
        "modality": modality,
        "src_content": None,
    }


def _query(item: Item, world: World, shape: Shape, number: int) -> TaskRow:
    asked = shape.ask(item, world)
    negatives = sorted((did_of(twin, shape.pool) for twin in world.twins(item)), key=_number)
    row: TaskRow = {
        "qid": f"{DATASET}:{number}",
        "query_txt": asked.text,
        "query_img_path": asked.picture,
        "query_modality": asked.modality,
        "query_src_content": None,
        "pos_cand_list": [did_of(item, shape.pool)],
        "neg_cand_list": negatives,
        "task_id": shape.task,
    }
    return {**row, "query_parts": list(asked.parts)} if asked.parts else row

"""What a query of the catalogue asks for, and what is true of a candidate, in the words the expert uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..draw.plan import Item
from ..draw.tasks import Shape
from ..draw.world import Detail

Trait = Literal["colour", "pattern", "product", "ground"]
"""Something a thumbnail shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What makes a candidate right."""

    traits: tuple[tuple[Trait, str], ...]
    """What the thumbnail or the text of a right candidate shows, in the order the expert checks it."""
    detail: Detail | None
    """The detail the query's text asks for; None when it is in the query's picture."""
    seen: Detail | None = None
    """The detail in the query's first picture, when that is the one asked for."""


def trait_of(item: Item, trait: Trait) -> str:
    """Return what an item's catalogue picture shows."""
    family = item.family
    return {
        "colour": family.colour,
        "pattern": family.pattern,
        "product": family.product,
        "ground": family.ground,
    }[trait]


def criteria_of(shape: Shape, item: Item) -> Criteria:
    """Return what the query to which `item` is the answer asks for.

    Only texts, and the second picture of an interleaved query, name the ground. The colour of lids and
    handles is not a trait: at the size of a thumbnail it is named wrongly too often, and a right item would be ruled
    out.
    """
    traits: list[Trait] = ["colour", "pattern", "product"]
    if shape.task in (0, 2, 9):
        traits.append("ground")
    from_text = shape.task in (0, 1, 2, 7, 9)
    return Criteria(
        traits=tuple((trait, trait_of(item, trait)) for trait in traits),
        detail=item.detail if from_text else None,
        seen=None if from_text else item.detail,
    )

"""Which items a catalogue has and what they are called: ids, picture paths and prices, all sampled.

Ids and paths are numbers drawn without replacement over the whole catalogue, so that neither a number nor an order
says which items are twins, which twin an item is, or whether a picture is a candidate's or a query's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...errors import DataError
from ...prng import Stream
from .world import COARSE, LABELS, TWINS, Detail, Family, Shot, draw_family

DATASET = 30
"""Number of the data set in ids, as M-BEIR numbers its sets 0 to 9."""

MOST_ITEMS = COARSE * len(LABELS) * TWINS
"""Items of one seed among which a detail and the product's looks name exactly one."""

_CARE = ("hand wash only", "machine wash at 30", "wipe with a damp cloth", "dry clean only", "keep out of the sun")
_PICTURES_PER_FOLDER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One product of the catalogue."""

    family: Family
    """The family it belongs to."""
    twin: int
    """Which of the five, 0 .. 4."""
    picture: str
    """Path of the catalogue picture (view 0), relative to the catalogue."""
    query_picture: str
    """Path of another picture of the item (view 1), on another ground; never a candidate."""
    picture_did: str
    """Id of the candidate that is the catalogue picture alone."""
    page_did: str
    """Id of the candidate that is the catalogue picture and a text without the detail."""
    description_did: str
    """Id of the candidate that is a text with the detail."""
    sheet_did: str
    """Id of the candidate that is a text with the detail, the price and the care."""
    price: str
    """Price, as printed on the sheet."""
    care: str
    """Care, as printed on the sheet."""

    @property
    def detail(self) -> Detail:
        """What its label says."""
        return self.family.details[self.twin]

    @property
    def looks(self) -> str:
        """What every picture of it shows at any size: `red striped mug`."""
        return f"{self.family.colour} {self.family.pattern} {self.family.product}"

    def shot(self, view: int) -> Shot:
        """Return the shot of its catalogue picture (0) or query picture (1)."""
        return Shot(family=self.family, twin=self.twin, view=view)


def make_plan(seed: int, items: int) -> list[Item]:
    """Return the items of a catalogue, twins next to each other.

    Raises:
        DataError: `items` is not a multiple of 5 from 5 to `MOST_ITEMS`.
    """
    if items < TWINS or items % TWINS or items > MOST_ITEMS:
        near = min(max(items - items % TWINS, TWINS), MOST_ITEMS)
        raise DataError(
            f"a catalogue of {items} items cannot be drawn: families have {TWINS} twins; "
            f"ask for a multiple of {TWINS} from {TWINS} to {MOST_ITEMS}, for example {near}"
        )
    numbers = Stream(seed, "dids", items).permutation(4 * items)
    pictures = Stream(seed, "paths", items).permutation(2 * items)
    plan: list[Item] = []
    for place in range(items):
        index, twin = divmod(place, TWINS)
        family = plan[-1].family if twin else draw_family(seed, index)
        stream = Stream(seed, "sheet", index, twin)
        dids = [f"{DATASET}:{number + 1}" for number in numbers[4 * place : 4 * place + 4]]
        plan.append(
            Item(
                family=family,
                twin=twin,
                picture=_path(pictures[2 * place]),
                query_picture=_path(pictures[2 * place + 1]),
                picture_did=dids[0],
                page_did=dids[1],
                description_did=dids[2],
                sheet_did=dids[3],
                price=f"{stream.between(4, 89)}.{stream.choice(('00', '25', '50', '75', '95'))}",
                care=stream.choice(_CARE),
            )
        )
    return plan


def shots_of(plan: Iterable[Item]) -> dict[str, Shot]:
    """Return what every picture of a catalogue shows, by path: of each item the catalogue's, then the query's."""
    return {path: item.shot(view) for item in plan for view, path in enumerate((item.picture, item.query_picture))}


def _path(number: int) -> str:
    return f"images/{number // _PICTURES_PER_FOLDER:03d}/{number:06d}.jpg"

"""The shop of the example files: a table of products with their pictures, and hits of a search to rerank.

The pictures are the drawn catalogue's. Five of the mugs are alike but for the code on their label, which the table
does not hold: what tells them apart is on the pictures only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...files import replace_file
from ...prng import Stream
from ..draw.world import TWINS, Shot, draw_family
from ..draw.write import encode_native

SEED = 5
"""Seed of the catalogue that the products are taken from."""

ALIKE = 1379
"""The family of the five mugs: red, striped, on tiles."""

FAMILIES = (1694, 77, 609, 3487, 5704, 359, 6210, 2791, 4860, 4610, 5475, 3943, 2370, 6171, 3705, 1984, 2573, 1157)
"""One product of each of these families stands beside the five: mugs and teapots first, then one or two of a kind."""

ASKED = 3
"""The mug that is asked for, of the five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Product:
    shot: Shot
    sku: str

    def row(self) -> dict[str, object]:
        """Return its row of the table; five that are alike have one price."""
        family = self.shot.family
        stream = Stream(SEED, "shop", family.index)
        return {
            "sku": self.sku,
            "title": f"{family.pattern.capitalize()} {family.product}, {family.colour}",
            "colour": family.colour,
            "price": stream.between(6, 39) + stream.choice((0.0, 0.5, 0.95)),
            "in_stock": Stream(SEED, "stock", self.sku).below(4) > 0,
            "photo": f"pictures/{self.sku}.jpg",
        }


def write_shop(folder: Path) -> str:
    """Write `products.jsonl`, `pictures/` and `hits.jsonl` below a folder, and return the text of the hits' query.

    `hits.jsonl` is what a search may have found for that text: ids, the one that is meant not being the first.
    """
    products = list(_products())
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    rows = []
    for product in products:
        row = product.row()
        replace_file(folder / str(row["photo"]), encode_native(product.shot)[0], sync=False)
        rows.append(row)
    _save_lines(folder / "products.jsonl", rows)
    asked = products[ASKED].shot
    text = f"{asked.family.words()}, {asked.printed.words()}"
    found = [product.sku for product in products[: TWINS + 1]]
    _save_lines(folder / "hits.jsonl", [{"qid": "mug", "text": text, "candidates": found}])
    return text


def _products() -> Iterator[_Product]:
    shots = [Shot(family=draw_family(SEED, ALIKE), twin=twin) for twin in range(TWINS)]
    shots += [Shot(family=draw_family(SEED, index), twin=0) for index in FAMILIES]
    for number, shot in enumerate(shots, start=1):
        yield _Product(shot=shot, sku=f"SKU-{number:03}")


def _save_lines(path: Path, rows: list[dict[str, object]]) -> None:
    replace_file(path, "".join(f"{json.dumps(row)}\n" for row in rows).encode())

"""Small pictures drawn in integer arithmetic, and items made of them: what tests of the agent look at.

Saved as PNG, so that the pixels read back are the pixels drawn on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vretrver.images import ImageStore
from vretrver.records import Candidate, Hit, ImageRef, Query, parts_of

SIZE = (96, 64)
"""Width and height of a drawn picture in pixels, unless told otherwise."""


def draw(number: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return an RGB picture that differs for every number below 256 and has no two equal regions."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    red = columns * 3 + number * 40
    green = rows * 5 + number * 70
    blue = (columns ^ rows) + number * 11
    return Image.fromarray((np.stack([red, green, blue], axis=-1) % 256).astype(np.uint8))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFolder:
    """A directory that pictures are drawn into when a test first names them."""

    path: Path
    """The directory; it is the default root of `store`."""
    store: ImageStore
    """Reads the pictures."""

    def ref(self, number: int, size: tuple[int, int] = SIZE) -> ImageRef:
        """Return picture `number`, drawn when it is not there."""
        name = f"{number}.png"
        if not (self.path / name).exists():
            draw(number, size).save(self.path / name, compress_level=1)
        return ImageRef(path=name)

    def candidate(self, number: int, *, pictures: Sequence[int] | None = None, text: str | None = None) -> Candidate:
        """Return candidate `1:<number>` with its own picture, or with the pictures named, and a text."""
        numbers = (number,) if pictures is None else pictures
        return Candidate(did=f"1:{number}", parts=parts_of(text=text, images=[self.ref(n) for n in numbers]))

    def candidates(self, count: int) -> tuple[Candidate, ...]:
        """Return candidates 1 to `count`, one picture each."""
        return tuple(self.candidate(number) for number in range(1, count + 1))

    def hits(self, count: int) -> list[Hit]:
        """Return candidates 1 to `count` as hits, best first."""
        return [
            Hit(candidate=candidate, score=-float(place)) for place, candidate in enumerate(self.candidates(count))
        ]

    def query(self, *, picture: int | None = None, text: str = "a cup", qid: str = "9:1") -> Query:
        """Return a query with a text and, where one is named, a picture."""
        return Query(qid=qid, parts=parts_of(text=text, images=[] if picture is None else [self.ref(picture)]))


def drawn_folder(path: Path) -> DrawnFolder:
    """Return a folder of drawn pictures at `path`, which must exist."""
    return DrawnFolder(path=path, store=ImageStore({"": path}))

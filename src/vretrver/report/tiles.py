"""The page's pictures as elements: a picture with its description, a region drawn on it, and square tiles of items.

A picture that is missing is replaced by the reason, never left blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..agent.trajectory import PictureShown, TextShown
from ..records import Candidate, ImageRef
from .embedded import EmbeddedPicture
from .facts import FactsByDid
from .known import WantedIds
from .markup import Markup, element
from .page_pictures import SMALL, PagePictures
from .recut import lies_on
from .words import Names

_WIDE = 2
"""A cut that is wider than so many times its height would leave no room for its picture beside it."""

TILE_CHARS = 60
"""Most characters of a text in a tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What every part of the page is drawn with."""

    pictures: PagePictures
    """The page's pictures."""
    names: Names
    """How items are called."""
    wanted: WantedIds
    """What is right, where it is known."""
    facts: Mapping[str, FactsByDid] = field(default_factory=dict)
    """qid -> what became of its facts, where a policy compared them."""


def picture(shown: EmbeddedPicture, description: str, *inside: Markup, kind: str = "") -> Markup:
    """Return a picture as an element with a description for those who do not see it, or the reason it is missing.

    Args:
        shown: the picture.
        description: what it is, for a screen reader.
        inside: what is drawn upon it.
        kind: further CSS classes.
    """
    if shown.name is None:
        return element("span", element("span", shown.problem), class_=f"gone {kind}".strip())
    classes = " ".join(word for word in ("pic", shown.name, kind) if word)
    return element("span", *inside, class_=classes, role="img", aria_label=description)


def region(box: tuple[int, int, int, int], ref: ImageRef) -> Markup | None:
    """Return the outline of a region [left, top, right, bottom] in percent; None when it is not on the picture."""
    if not lies_on(box, ref):
        return None
    (left, top, right, bottom), width, height = box, ref.width or 1, ref.height or 1
    edges = (left / width, top / height, (right - left) / width, (bottom - top) / height)
    style = ";".join(
        f"{side}:{100 * edge:.2f}%" for side, edge in zip(("left", "top", "width", "height"), edges, strict=True)
    )
    return element("span", class_="box", style=style)


def side_by_side(look: PictureShown | TextShown) -> str:
    """Return the classes of a whole picture with what a look showed of it: a wide cut lies below its picture."""
    wide = isinstance(look, TextShown) or look.width > _WIDE * look.height
    return "panes stacked" if wide else "panes"


def tile(candidate: Candidate, page: PageContext) -> Markup:
    """Return a candidate as a small square: the whole of its first picture, or the beginning of its text."""
    pictures, text = candidate.pictures, candidate.text
    if not pictures:
        return element("span", shortened(text, TILE_CHARS), class_="tile words", dir="auto")
    shown = page.pictures.thumbnail(pictures[0], SMALL)
    further = element("span", f"+{len(pictures) - 1}", class_="further") if len(pictures) > 1 else None
    if shown.name is None:
        return element("span", "picture not available", further, class_="tile words gone", title=shown.problem)
    label = f"Picture of {page.names.full(candidate.did)}"
    return element("span", picture(shown, label), further, class_="tile")


def shortened(text: str, most: int) -> str:
    """Return the text on one line, cut to a number of characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 4].rstrip() + " ..."

"""What a query came to, in one picture: its first place, and the last look at it before the answer."""

from __future__ import annotations

from collections.abc import Callable

from ..agent.answers import Verdict
from ..agent.reranked import Reranked
from ..agent.trajectory import CutRecord, PictureShown, TextShown
from ..records import Candidate
from .markup import Markup, breakable, element
from .page_pictures import LARGE
from .tiles import PageContext, picture, region, shortened, side_by_side

QUOTE_CHARS = 300
"""Most characters of a text beside the headline."""

Look = PictureShown | TextShown


def finding(reranked: Reranked, page: PageContext) -> Markup | None:
    """Return the first place with the last look at it; the last look of all where nothing is at the first place."""
    if reranked.verdict is not Verdict.RANKED:
        last = last_look(reranked)
        return None if last is None else _figure(_panes(last, page), "The last look before the end.")
    first = reranked.hits[reranked.ranking[0].coarse_rank - 1].candidate
    name = page.names.full(first.did)
    look = last_look(reranked, lambda cut: cut.did == first.did)
    if look is None:
        return _figure(_unseen(first, name, page), f"First place: {name}. It was not looked at more closely.")
    return _figure(_panes(look, page), f"First place: {name}, and the last look at it.")


def asked(reranked: Reranked, page: PageContext) -> list[Markup]:
    """Return the query's pictures in order, the last look at the query beside them."""
    pictures = reranked.query.pictures
    look = last_look(reranked, lambda cut: cut.did is None)
    if len(pictures) == 1 and look is not None:
        return [_panes(look, page)]
    return [
        picture(page.pictures.thumbnail(ref, LARGE), f"Picture {number} of the query")
        for number, ref in enumerate(pictures, start=1)
    ]


def last_look(reranked: Reranked, of: Callable[[CutRecord], bool] | None = None) -> Look | None:
    """Return the last look, in a window that was answered or else in any, whose first cut is of what is wanted."""
    windows = [one for one in reranked.trajectories if one.ranking is not None] or list(reranked.trajectories)
    looks = [
        one for window in windows for one in window.shown if one.turn is not None and (of is None or of(one.cuts[0]))
    ]
    return looks[-1] if looks else None


def close_up(look: Look, page: PageContext) -> Markup:
    """Return what a look showed: a picture, or the text that was read."""
    if isinstance(look, TextShown):
        return element("blockquote", shortened(look.text, QUOTE_CHARS) or "No text was read.", dir="auto")
    return picture(page.pictures.close_up(look), f"Close view of {_named(look, page)}", kind="seen")


def _panes(look: Look, page: PageContext) -> Markup:
    """Return the whole picture with the region drawn on it, and what was seen there."""
    cut = look.cuts[0]
    if isinstance(look, PictureShown) and cut.box is None and len(look.cuts) == 1:
        return element("div", close_up(look, page), class_="panes")
    outline = None if cut.box is None else region(cut.box, cut.image)
    whole = page.pictures.thumbnail(cut.image, LARGE)
    marked = ", the region of the last look marked" if outline else ""
    return element(
        "div",
        picture(whole, f"Picture of {_named(look, page)}{marked}", *([outline] if outline else [])),
        close_up(look, page),
        class_=side_by_side(look),
    )


def _named(look: Look, page: PageContext) -> str:
    did = look.cuts[0].did
    return "the query" if did is None else page.names.full(did)


def _unseen(candidate: Candidate, name: str, page: PageContext) -> Markup:
    if not candidate.pictures:
        return element("blockquote", shortened(candidate.text, QUOTE_CHARS), dir="auto")
    return picture(page.pictures.thumbnail(candidate.pictures[0], LARGE), f"Picture of {name}")


def _figure(shown: Markup, caption: str) -> Markup:
    return element("figure", shown, element("figcaption", breakable(caption), dir="auto"), class_="finding")

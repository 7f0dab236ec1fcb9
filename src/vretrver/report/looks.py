"""What a call brought back, as a figure: the pictures it is of with the regions drawn on them, and what was shown.

A text that a tool read is data: it is shown as text, cut at a length, and never as HTML.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..agent.observations import Layout
from ..agent.trajectory import CutRecord, PictureShown, TextShown, Turn
from .markup import Markup, breakable, element
from .page_pictures import LARGE
from .tiles import PageContext, picture, region, shortened, side_by_side
from .words import Names, cut

_TOGETHER = {Layout.ALONE: "", Layout.ROW: ", side by side", Layout.COLUMN: ", one below the other"}


def look_figure(turn: Turn, look: PictureShown | TextShown, page: PageContext) -> Markup:
    """Return one look of a turn."""
    tool = _tool(turn, look.call)
    return _text(tool, look, page) if isinstance(look, TextShown) else _picture(tool, look, page)


def address_of(one: CutRecord) -> str:
    """Return a picture's name as the model writes it: `k` or `[k, j]`."""
    return str(one.address if isinstance(one.address, int) else list(one.address))


def _picture(tool: str, look: PictureShown, page: PageContext) -> Markup:
    shown = page.pictures.look(look)
    items = " and ".join(dict.fromkeys(_item(one, page.names) for one in look.cuts))
    seen = picture(shown, f"What the agent was shown of {items}", kind="seen")
    alone = len(look.cuts) == 1
    whole = alone and look.cuts[0].box is None  # the look itself shows all there is
    facts = [f"{_asked(tool, one)}: {_where(one, alone=alone)}" for one in look.cuts]
    checked = (
        f"same bytes as the agent was shown (sha256 {str(look.sha256)[:12]})" if shown.name is not None else None
    )
    caption = element(
        "figcaption",
        _title(look.cuts, page.names, _TOGETHER[look.layout]),
        _folded([*facts, f"{look.width} x {look.height} px, {look.tokens} visual tokens", checked]),
    )
    panes = [*([] if whole else _outlined(look.cuts, page)), seen]
    return element(
        "figure", element("div", panes, class_=side_by_side(look)), caption, class_="look whole" if whole else "look"
    )


def _text(tool: str, look: TextShown, page: PageContext) -> Markup:
    alone = len(look.cuts) == 1
    facts = [f"{_asked(tool, one)}: {_where(one, alone=alone)}" for one in look.cuts]
    caption = element(
        "figcaption", _title(look.cuts, page.names, ""), _folded([*facts, f"read by {shortened(look.made_by, 80)}"])
    )
    panes = element("div", _outlined(look.cuts, page), class_="panes")
    if look.text.strip():
        said = element("blockquote", cut(look.text.strip()), dir="auto")
    else:
        said = element("p", "No text was read.", class_="aside")
    return element("figure", panes, said, caption, class_="look text")


def _folded(facts: Sequence[str | None]) -> Markup:
    """Return where a look came from and what it was checked by, as lines that can be opened."""
    lines = [element("li", fact, dir="auto") for fact in facts if fact is not None]
    return element("details", element("summary", "Region and size"), element("ul", lines), class_="more")


def _outlined(cuts: Sequence[CutRecord], page: PageContext) -> list[Markup]:
    """Return the whole pictures of cuts, each with its region drawn on it."""
    panes = []
    for one in cuts:
        outline = None if one.box is None else region(one.box, one.image)
        description = f"Picture of {_item(one, page.names)}{', the region marked' if outline else ''}"
        panes.append(picture(page.pictures.thumbnail(one.image, LARGE), description, *([outline] if outline else [])))
    return panes


def _title(cuts: Sequence[CutRecord], names: Names, together: str) -> Markup:
    pictures = " and ".join(dict.fromkeys(address_of(one) for one in cuts))
    items = " and ".join(dict.fromkeys(_item(one, names) for one in cuts))
    word = "Picture" if len(cuts) == 1 else "Pictures"
    return element("strong", breakable(f"{word} {pictures}{together} \N{MIDDLE DOT} {items}"), dir="auto")


def _item(one: CutRecord, names: Names) -> str:
    return "the query" if one.did is None else names.full(one.did)


def _tool(turn: Turn, call: int | None) -> str:
    name = turn.calls[call].name if call is not None and 0 <= call < len(turn.calls) else None
    return shortened(name or "look", 60)


def _asked(tool: str, one: CutRecord) -> str:
    return tool if one.asked is None else f"{tool} [{', '.join(f'{edge:g}' for edge in one.asked)}]"


def _where(one: CutRecord, *, alone: bool) -> str:
    """Return the region of a cut; several cuts are told apart by their pictures."""
    ref = one.image
    of = "" if alone else f" of picture {address_of(one)}"
    if one.box is None:
        return f"the whole of {ref.width} x {ref.height} px{of}"
    left, top, right, bottom = one.box
    padding = f", {'/'.join(map(str, one.padding))} px of it padding" if any(one.padding) else ""
    return f"region {left},{top} to {right},{bottom} of {ref.width} x {ref.height} px{padding}{of}"

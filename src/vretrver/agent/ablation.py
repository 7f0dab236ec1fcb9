"""Tools that only seem to look: they take the evidence away and leave everything else of a session as it is.

An agent that does as well with them did not use what its looks showed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from ..geometry import Box, visual_tokens
from ..images import LOOK_QUALITY, encode_picture, recut
from ..records import Address
from .bench import Bench, Look
from .dialect import Dialect
from .messages import ShownPicture
from .tools import SelectArguments, SelectImages, Tool, ZoomArguments, ZoomIn


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbnailZoom(ZoomIn):
    """Shows the region as the thumbnail has it, enlarged to the size the real look would have.

    The model has read those pixels before: address, region, size and cost are a real look's, and nothing is new.
    """

    def run(self, arguments: ZoomArguments, bench: Bench) -> Sequence[Look]:
        """Return the region cut from the thumbnail; raises Refused as a real look does."""
        address, asked = arguments.target_image, arguments.bbox_2d
        ref = bench.pinned(address)
        placed, size = bench.place(address, asked)
        shown = _enlarged(address, placed.box, size, bench.views.zoom.cell, bench)
        return [Look(address=address, image=ref, shown=shown, asked=tuple(asked), placed=placed)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbnailSelect(SelectImages):
    """Shows whole pictures again as their thumbnails have them, enlarged to the size the real looks would have."""

    def run(self, arguments: SelectArguments, bench: Bench) -> Sequence[Look]:
        """Return the enlarged thumbnails in the order asked, repeats included; raises Refused as a real look does."""
        looks = []
        for address in arguments.target_images:
            ref = bench.pinned(address)
            width, height = ref.width or 1, ref.height or 1
            everything = Box(left=0, top=0, right=width, bottom=height)
            size = bench.views.select.fit(width, height)
            shown = _enlarged(address, everything, size, bench.views.select.cell, bench)
            looks.append(Look(address=address, image=ref, shown=shown))
        return looks


def without_evidence(dialect: Dialect) -> Dialect:
    """Return a dialect that tells the model the same, and whose looks show nothing new."""
    return replace(dialect, tools=tuple(_blinded(tool) for tool in dialect.tools))


def _blinded(tool: Tool) -> Tool:
    if isinstance(tool, ZoomIn):
        return ThumbnailZoom(**{field.name: getattr(tool, field.name) for field in fields(tool)})
    if isinstance(tool, SelectImages):
        return ThumbnailSelect(**{field.name: getattr(tool, field.name) for field in fields(tool)})
    return tool


def _enlarged(address: Address, box: Box, size: tuple[int, int], cell: int, bench: Bench) -> ShownPicture:
    """Return a region of the original as the thumbnail shows it, at (width, height)."""
    ref, thumbnail = bench.pinned(address), bench.thumbnail(address).shown.picture
    small = _scaled(box, (ref.width or 1, ref.height or 1), (thumbnail.width, thumbnail.height))
    picture = encode_picture(recut(thumbnail, small, size), quality=LOOK_QUALITY)
    return ShownPicture(address=address, picture=picture, tokens=visual_tokens(size, cell))


def _scaled(box: Box, full: tuple[int, int], small: tuple[int, int]) -> Box:
    """Return a box of the original in pixels of the thumbnail: outward, at least one pixel a side."""
    left, top = (min(edge * s // f, s - 1) for edge, f, s in zip((box.left, box.top), full, small, strict=True))
    right, bottom = (-(-edge * s // f) for edge, f, s in zip((box.right, box.bottom), full, small, strict=True))
    return Box(left=left, top=top, right=max(right, left + 1), bottom=max(bottom, top + 1))

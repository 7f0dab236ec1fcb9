"""The gate's figure: learning curves and final shares of every kind, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from .settings import CONTROL_LIMIT, GUESS, KINDS, NATIVE_LIMIT, UPPER_LIMIT

WIDTH, ROW, TOP = 1500, 340, 84
"""Pixels: width of the figure, height of a kind's row, height of the title."""

INK, GREY, LINE = (30, 32, 38), (120, 124, 132), (222, 224, 228)
COLOURS = {"ink": (40, 98, 180), "relief": (196, 62, 48), "choice": (226, 150, 130), "native": (44, 132, 84)}
"""Colours of plain ink, relief on unseen families, relief on the choice set, and native crops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """A panel whose y axis is a share from 0 to 1."""

    left: int
    """First column, pixels."""
    top: int
    """First row, pixels."""
    width: int
    """Columns."""
    height: int
    """Rows."""
    most: float
    """Largest x value."""

    def at(self, x: float, share: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        return self.left + self.width * x / self.most, self.top + self.height * (1 - share)


def draw_figure(results: Mapping[str, Any], path: Path) -> None:
    """Write the figure of all results to a PNG file."""
    image = Image.new("RGB", (WIDTH, TOP + ROW * len(KINDS)), "white")
    draw = ImageDraw.Draw(image)
    title = "Five twins told apart: 96 px thumbnail against native picture (guess 0.20)"
    draw.text((40, 16), title, fill=INK, font=_font(26))
    _legend(draw)
    for number, kind in enumerate(KINDS):
        top = TOP + ROW * number
        _curves(draw, results, kind, top)
        _shares(draw, results, kind, top)
    image.save(path, optimize=True)


def _legend(draw: ImageDraw.ImageDraw) -> None:
    x = 40
    for name, text in (
        ("ink", "plain ink, choice and unseen families (positive control)"),
        ("choice", "relief, choice families"),
        ("relief", "relief, unseen families"),
        ("native", "native crop"),
    ):
        draw.line((x, 64, x + 30, 64), fill=COLOURS[name], width=4)
        draw.text((x + 38, 54), text, fill=INK, font=_font(17))
        x += 60 + int(draw.textlength(text, font=_font(17)))


def _curves(draw: ImageDraw.ImageDraw, results: Mapping[str, Any], kind: str, top: int) -> None:
    curves = results[f"told_where-{kind}"]["curves"]
    ends: list[int] = []
    for name in ("ink", "mixed", "relief"):
        ends.append((ends[-1] if ends else 0) + int(curves[name][-1]["step"]))
    axes = Axes(left=90, top=top + 40, width=760, height=ROW - 100, most=ends[-1])
    draw.text((40, top + 6), f"{kind}: reader told where the label is", fill=INK, font=_font(20))
    _frame(draw, axes, (GUESS, UPPER_LIMIT, CONTROL_LIMIT))
    for start, name in zip((0, *ends[:-1]), ("ink", "mixed", "relief"), strict=True):
        if start:
            draw.line((*axes.at(start, 0), *axes.at(start, 1)), fill=GREY, width=1)
        draw.text((axes.at(start, 0)[0] + 6, axes.top + 2), name, fill=GREY, font=_font(16))
        points = [(start + point["step"], point["choice"], point["test"]) for point in curves[name]]
        test = "ink" if name == "ink" else "relief"
        if name != "ink":
            _polyline(draw, axes, [(x, choice) for x, choice, _ in points], COLOURS["choice"])
        _polyline(draw, axes, [(x, share) for x, _, share in points], COLOURS[test])
    for end in ends:
        x, y = axes.at(end, 0)
        draw.text((x, y + 6), str(end), fill=GREY, font=_font(15), anchor="ma")
    draw.text(
        (axes.left + axes.width / 2, axes.top + axes.height + 24), "steps", fill=GREY, font=_font(15), anchor="ma"
    )


def _shares(draw: ImageDraw.ImageDraw, results: Mapping[str, Any], kind: str, top: int) -> None:
    told, observer = results[f"told_where-{kind}"], results[f"observer-{kind}"]
    not_told, native = results[f"not_told-{kind}"], results[f"native-{kind}"]
    rows = (
        ("plain ink", told["control_plain_ink"], "ink"),
        ("told", told["top1"], "relief"),
        ("told, joint", told["top1_assigned_within_family"], "relief"),
        ("observer", observer["verdict"], "relief"),
        ("not told", not_told["top1"], "relief"),
        ("native", native["top1"], "native"),
    )
    axes = Axes(left=930, top=top + 40, width=530, height=ROW - 100, most=len(rows))
    draw.text((900, top + 6), f"{kind}: share right, 95 % bounds", fill=INK, font=_font(20))
    _frame(draw, axes, (GUESS, UPPER_LIMIT, NATIVE_LIMIT))
    for place, (name, share, colour) in enumerate(rows):
        x, y = axes.at(place + 0.5, share["value"])
        draw.rectangle((x - 26, y, x + 26, axes.top + axes.height), fill=COLOURS[colour])
        draw.line((x, axes.at(0, share["lower"])[1], x, axes.at(0, share["upper"])[1]), fill=INK, width=3)
        draw.text((x, y - 24), f"{share['value']:.3f}", fill=INK, font=_font(15), anchor="ma")
        draw.text((x, axes.top + axes.height + 6), name, fill=INK, font=_font(15), anchor="ma")


def _frame(draw: ImageDraw.ImageDraw, axes: Axes, marks: Sequence[float]) -> None:
    for share in (0.0, 1.0):
        draw.line((*axes.at(0, share), *axes.at(axes.most, share)), fill=GREY, width=1)
    for share in marks:
        draw.line((*axes.at(0, share), *axes.at(axes.most, share)), fill=LINE, width=2)
    for share in (0.0, *marks) if max(marks) > 0.9 else (0.0, *marks, 1.0):
        y = axes.at(0, share)[1]
        draw.text((axes.left - 8, y), f"{share:g}", fill=GREY, font=_font(15), anchor="rm")


def _polyline(
    draw: ImageDraw.ImageDraw, axes: Axes, points: Sequence[tuple[float, float]], colour: tuple[int, int, int]
) -> None:
    places = [axes.at(x, share) for x, share in points]
    draw.line([value for place in places for value in place], fill=colour, width=3)
    for x, y in places:
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

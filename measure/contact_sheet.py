"""Draw docs/images/catalogue_sheet.jpg: twins as pictures, as the thumbnails a model is shown, and as regions.

Usage: python -m measure contact_sheet [OUT] [SEED]
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vretrver.images import encode_picture, resized
from vretrver.world.draw.render import label_place, render
from vretrver.world.draw.world import LABELS, TWINS, Family, Shot, draw_family

TILE = 208
"""Pixels per side of a tile of the sheet."""

THUMBNAIL = 96
"""Pixels per side of a thumbnail."""

REGION = 96
"""Pixels per side of the region shown around a label."""

GAP, CAPTION = 6, 44


def families(seed: int) -> list[Family]:
    """Return one patterned family for each kind of label, with products and grounds of their own."""
    chosen: list[Family] = []
    for kind in LABELS:
        drawn = (draw_family(seed, index) for index in range(1000))
        chosen.append(
            next(
                family
                for family in drawn
                if family.label == kind
                and family.pattern != "plain"
                and not {family.product, family.ground, family.colour}
                & {word for other in chosen for word in (other.product, other.ground, other.colour)}
            )
        )
    return chosen


def tiles(shot: Shot) -> list[Image.Image]:
    """Return a shot as picture, as thumbnail after JPEG, and as the region around its label."""
    native = Image.fromarray(render(shot))
    small = encode_picture(resized(native, (THUMBNAIL, THUMBNAIL)))
    thumbnail = Image.open(io.BytesIO(small.data))
    left, top, right, bottom = label_place(shot).box
    x, y = (left + right - REGION) // 2, (top + bottom - REGION) // 2
    region = native.crop((x, y, x + REGION, y + REGION))
    return [
        native.resize((TILE, TILE), Image.Resampling.LANCZOS),
        thumbnail.resize((TILE, TILE), Image.Resampling.NEAREST),
        region.resize((TILE, TILE), Image.Resampling.NEAREST),
    ]


def sheet(seed: int) -> Image.Image:
    """Return the sheet: for each family three rows of five twins under a caption."""
    title, small = ImageFont.load_default(size=17), ImageFont.load_default(size=13)
    height = CAPTION + 3 * (TILE + GAP) + GAP
    chosen = families(seed)
    page = Image.new("RGB", (TWINS * (TILE + GAP) + GAP, height * len(chosen)), "white")
    draw = ImageDraw.Draw(page)
    for place, family in enumerate(chosen):
        top = place * height
        draw.text((GAP, top + 4), family.words(), fill="black", font=title)
        for twin, detail in enumerate(family.details):
            draw.text((GAP + twin * (TILE + GAP), top + 25), detail.words(), fill="black", font=small)
            for row, tile in enumerate(tiles(Shot(family=family, twin=twin))):
                page.paste(tile, (GAP + twin * (TILE + GAP), top + CAPTION + row * (TILE + GAP)))
    return page


def main() -> None:
    """Write the sheet."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images/catalogue_sheet.jpg")
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet(seed).save(out, "JPEG", quality=78, optimize=True)
    print(f"{out}: {out.stat().st_size // 1024} kB")

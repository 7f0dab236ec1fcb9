"""The nouns of the catalogue: details, families of five twins, shots; and how a family is sampled.

Everything about a family follows from a seed and its index. No picture is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product
from typing import Literal

from ...prng import Stream
from .glyphs import EMBLEM, MARKS, PRINT, STITCH, LabelKind
from .painter import PATTERNS
from .palette import COLOURS, allowed_tones, allowed_trims

TWINS = 5
"""Twins in a family."""

PRODUCTS = (
    "mug",
    "bottle",
    "shirt",
    "backpack",
    "cap",
    "vase",
    "lamp",
    "book",
    "cushion",
    "teapot",
    "tote",
    "jar",
)
"""Kinds of product."""

GROUNDS = ("wood", "tiles", "grass", "sand", "bricks", "linen", "marble", "slate")
"""Surfaces under a product."""

LABELS: tuple[LabelKind, ...] = ("print", "emblem", "stitch")
"""Kinds of label."""

COARSE = len(PRODUCTS) * len(COLOURS) * len(PATTERNS) * len(GROUNDS)
"""Combinations of product, colour, pattern and ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What one label says; the only thing in which twins differ."""

    kind: LabelKind
    """What the values are."""
    values: tuple[str, ...]
    """Names of the marks from left to right: three of PRINT, two of EMBLEM or three of STITCH."""

    def words(self) -> str:
        """Say the detail: `code A7K`, `star and moon badge`, `patch with slash, cross, bar`."""
        if self.kind == "print":
            return "code " + "".join(self.values)
        if self.kind == "emblem":
            return " and ".join(self.values) + " badge"
        return "patch with " + ", ".join(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Five twins that share everything a thumbnail shows."""

    seed: int
    """Seed of the catalogue."""
    index: int
    """Number of the family, from 0."""
    product: str
    """One of PRODUCTS."""
    colour: str
    """One of palette.COLOURS."""
    pattern: str
    """One of painter.PATTERNS."""
    ground: str
    """One of GROUNDS: the surface in the catalogue pictures."""
    label: LabelKind
    """Kind of the details."""
    tone: str
    """Colour of the label, one of palette.TONES."""
    trim: str
    """Colour of handles, lids and zips, one of palette.TRIMS."""
    details: tuple[Detail, ...]
    """The five twins' details, all different, in no meaningful order."""

    def words(self) -> str:
        """Say what a thumbnail shows: `red striped mug on wood`."""
        return f"{self.colour} {self.pattern} {self.product} on {self.ground}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: which twin, seen how."""

    family: Family
    """The family."""
    twin: int
    """Which of the five, 0 .. 4."""
    view: int = 0
    """0 is the catalogue picture on the family's ground; others have a pose, ground and clutter of their own."""
    detail: Detail | None = None
    """Printed instead of the twin's own detail, with nothing else changed; for the leak test."""
    ink: Literal["relief", "plain"] = "relief"
    """`relief` is how the catalogue is printed; a thumbnail shows `plain` dark ink, the positive control."""
    grain: int = 0
    """Another number redraws the sensor's noise and the label's mottling, nothing else."""

    @property
    def printed(self) -> Detail:
        """The detail in the picture."""
        return self.family.details[self.twin] if self.detail is None else self.detail


@lru_cache(maxsize=8)
def _coarse_order(seed: int) -> tuple[int, ...]:
    return tuple(Stream(seed, "coarse").permutation(COARSE))


@lru_cache(maxsize=4)
def _vocabulary(kind: LabelKind) -> tuple[tuple[str, ...], ...]:
    if kind == "emblem":
        return tuple(permutations(EMBLEM, MARKS[kind]))
    return tuple(product(PRINT if kind == "print" else STITCH, repeat=MARKS[kind]))


def all_details(kind: LabelKind) -> tuple[Detail, ...]:
    """Return every detail of a kind: 8000 codes, 132 badges (two different emblems), 512 patches."""
    return tuple(Detail(kind=kind, values=values) for values in _vocabulary(kind))


def draw_family(seed: int, index: int) -> Family:
    """Sample a family.

    Families of one seed with index < COARSE differ in product, colour, pattern or ground; those with
    index < 3 * COARSE differ in one of these or in the kind of label. Families that share product, colour, pattern
    and kind of label never share a detail while index < 3 * COARSE, so that a detail and the product's looks name
    one item on any ground.
    """
    lap, place = divmod(index, COARSE)
    rest, ground = divmod(_coarse_order(seed)[place], len(GROUNDS))
    rest, pattern_at = divmod(rest, len(PATTERNS))
    product_at, colour_at = divmod(rest, len(COLOURS))
    colour, pattern = list(COLOURS)[colour_at], PATTERNS[pattern_at]
    stream = Stream(seed, "family", index)
    label = LABELS[(Stream(seed, "label", rest, pattern_at, ground).below(len(LABELS)) + lap) % len(LABELS)]
    return Family(
        seed=seed,
        index=index,
        product=PRODUCTS[product_at],
        colour=colour,
        pattern=pattern,
        ground=GROUNDS[ground],
        label=label,
        tone=stream.choice(allowed_tones(colour, patterned=pattern != "plain")),
        trim=stream.choice(allowed_trims(colour)),
        details=_twins(seed, label, (rest, pattern_at), (lap // len(LABELS)) * len(GROUNDS) + ground),
    )


def _twins(seed: int, label: LabelKind, looks: tuple[int, int], place: int) -> tuple[Detail, ...]:
    """Return five details from the order that all families of the same looks and label share."""
    vocabulary = _vocabulary(label)
    order = Stream(seed, "details", label, *looks).permutation(len(vocabulary))
    first = place * TWINS
    return tuple(Detail(kind=label, values=vocabulary[order[at % len(order)]]) for at in range(first, first + TWINS))

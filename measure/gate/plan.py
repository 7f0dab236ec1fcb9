"""Which pictures the gate draws: families of each kind split three ways, and the samples of every set.

Families of one catalogue seed never share all coarse attributes, so those of two splits differ in what a thumbnail
shows. A family is drawn with all five codes (or all five twins), so no attribute of a family can tell the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Literal

from vretrver.world.draw.glyphs import ALPHABETS, LabelKind
from vretrver.world.draw.world import Detail, Family, Shot, draw_family

from .settings import CODES, Settings

TWINS = 5
"""Twins per family, and codes."""

VALUES = {kind: tuple(marks) for kind, marks in ALPHABETS.items()}
"""Values a mark of each kind can take, in the order of a reader's logits."""


Ink = Literal["relief", "plain"]
"""How a detail is printed; plain ink is the positive control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture of a set."""

    family: int
    """Index of the family in the catalogue of the seed."""
    twin: int
    """Twin 0 to 4, which sets pose and light."""
    view: int = 0
    """View; 0 is the catalogue picture."""
    code: int | None = None
    """Which of the five codes of the kind is drawn, 0 to 4; None leaves the twin its own detail."""
    ink: Ink = "relief"
    """How it is printed."""
    grain: int = 0
    """Draw of noise and mottling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Family indices of one kind, three disjoint lists."""

    test: tuple[int, ...]
    """Families of the report."""
    choice: tuple[int, ...]
    """Families on which checkpoints are chosen."""
    train: tuple[int, ...]
    """Families to train on."""


@lru_cache(maxsize=16)
def family_of(seed: int, index: int) -> Family:
    """Return a family; the samples of one follow one another."""
    return draw_family(seed, index)


@lru_cache(maxsize=8)
def split_families(settings: Settings, kind: LabelKind) -> Split:
    """Return the first families whose label carries `kind`, in the order of their index: test, choice, train."""
    wanted = settings.test_families + settings.choice_families + settings.train_families
    found: list[int] = []
    for index in count():
        if draw_family(settings.seed, index).label == kind:
            found.append(index)
            if len(found) == wanted:
                break
    first, second = settings.test_families, settings.test_families + settings.choice_families
    return Split(test=tuple(found[:first]), choice=tuple(found[first:second]), train=tuple(found[second:]))


def coded(families: tuple[int, ...], *, views: tuple[int, ...] = (0,), ink: Ink = "relief") -> list[Sample]:
    """Return one sample per family, view and twin; each family and view shows all five codes once."""
    return [
        Sample(family=family, twin=twin, view=view, code=(twin + view + place) % TWINS, ink=ink)
        for place, family in enumerate(families)
        for view in views
        for twin in range(TWINS)
    ]


def own(families: tuple[int, ...], *, twins: int = TWINS) -> list[Sample]:
    """Return the first `twins` catalogue pictures of each family with their own details."""
    return [Sample(family=family, twin=twin) for family in families for twin in range(twins)]


def observed(settings: Settings, families: tuple[int, ...]) -> list[Sample]:
    """Return, per family and code, the template draws and then the draws to be told apart, of one pose.

    Templates of the five codes share their grain draws, so what differs between them is the code alone. The draws
    to be told apart have each a grain of their own.
    """
    templates = settings.observer_templates
    samples: list[Sample] = []
    for place, family in enumerate(families):
        for code in range(TWINS):
            grains = list(range(templates))
            grains += [templates + TWINS * draw + code for draw in range(settings.observer_draws)]
            samples += [Sample(family=family, twin=place % TWINS, code=code, grain=grain) for grain in grains]
    return samples


def shot_of(settings: Settings, kind: LabelKind, sample: Sample) -> Shot:
    """Return the shot of a sample."""
    family = family_of(settings.seed, sample.family)
    values = None if sample.code is None else CODES[kind][sample.code]
    detail = None if values is None else Detail(kind=kind, values=values)
    return Shot(family=family, twin=sample.twin, view=sample.view, detail=detail, ink=sample.ink, grain=sample.grain)


def label_of(settings: Settings, kind: LabelKind, sample: Sample) -> tuple[int, ...]:
    """Return what a reader should say: the code, or the values of the twin's own detail."""
    if sample.code is not None:
        return (sample.code,)
    detail = family_of(settings.seed, sample.family).details[sample.twin]
    return tuple(VALUES[kind].index(value) for value in detail.values)

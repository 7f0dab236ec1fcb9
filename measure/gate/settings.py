"""What the gate runs: seeds, counts, steps, the five codes of every kind and the bounds to be met.

Nothing here depends on wall time; two runs with the same settings draw the same pictures and take the same steps.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from vretrver.world.draw.glyphs import LabelKind

KINDS: tuple[LabelKind, ...] = ("print", "emblem", "stitch")
"""Kinds of detail judged."""

CODES: dict[LabelKind, tuple[tuple[str, ...], ...]] = {
    "print": (("A", "7", "K"), ("7", "A", "K"), ("X", "3", "P"), ("L", "T", "J"), ("H", "9", "E")),
    "emblem": (("star", "moon"), ("moon", "star"), ("anchor", "house"), ("ring", "bolt"), ("heart", "leaf")),
    "stitch": (
        ("backslash", "backslash", "loop"),
        ("loop", "slash", "vee"),
        ("slash", "backslash", "slash"),
        ("slash", "loop", "peak"),
        ("cross", "loop", "slash"),
    ),
}
"""Five values of every kind of detail, the same in every family.

Of the codes and emblems two are the same marks in another order. The stitches are thin: the five were chosen among
20,000 random ones as those whose plain ink differs most in a thumbnail, so that the probe has the best chance.
"""

GUESS = 0.20
"""Share that a blind choice among five twins gets right."""

UPPER_LIMIT = 0.30
"""Largest allowed upper 95 % bound of any probe that sees only what the agent is first shown."""

CONTROL_LIMIT = 0.75
"""Least share of plain ink that a probe must read through the same thumbnail before its failure counts."""

NATIVE_LIMIT = 0.97
"""Least lower 95 % bound of the same network on native crops."""

PLACE_LIMIT = 0.95
"""Least share of labels that must be found within `PLACE_RADIUS`."""

PLACE_RADIUS = 16
"""Native pixels; a zoom region of 96 px then still holds every mark of the label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Counts and steps of one run; the defaults are the full gate."""

    seed: int = 20_260_206
    """Seed of the catalogue whose families are drawn, and of every training."""
    test_families: int = 1000
    """Unseen families per kind that the report is made on, five twins each."""
    choice_families: int = 200
    """Further unseen families per kind, used only to choose checkpoints."""
    train_families: int = 2800
    """Families per kind that probes are trained on."""
    train_views: int = 3
    """Views per training twin in relief; pictures = families x 5 x views."""
    ink_views: int = 2
    """Further views per training twin in plain ink."""
    control_families: int = 300
    """Of the test families, how many are also drawn in plain ink, for the positive controls."""
    native_families: int = 1600
    """Of the training families, how many lend five native crops each with random values."""
    place_families: int = 800
    """Of the training families, how many per kind lend two whole thumbnails each to the localiser."""
    observer_families: int = 1000
    """Of the test families, how many the observer is tried on, all five codes each."""
    observer_templates: int = 8
    """Grain draws per family and code from which a template is made."""
    observer_draws: int = 1
    """Further grain draws per family and code to be told apart."""
    decoding_families: int = 200
    """Of the test families, how many the observer is tried on with JPEGs decoded at other scales."""
    batch: int = 128
    """Samples per step."""
    ink_steps: int = 2000
    """Steps on plain ink."""
    mixed_steps: int = 1500
    """Steps on half ink, half relief."""
    relief_steps: int = 4000
    """Steps on relief alone."""
    native_steps: int = 600
    """Steps on native crops."""
    place_steps: int = 1200
    """Steps of the localiser, of 32 thumbnails."""
    pose_steps: int = 1500
    """Steps of the estimator of a label's pose."""
    unplaced_ink_steps: int = 600
    """Steps on plain ink of the probe that is not told where, after it was given the told probe's ink weights."""
    unplaced_mixed_steps: int = 500
    """Its steps on half ink, half relief."""
    unplaced_relief_steps: int = 1500
    """Its steps on relief alone."""
    checks: int = 12
    """Points on every curve."""
    written_items: int = 5000
    """Pictures of the written catalogue that the probe of ids, order, sizes and texts is tried on."""
    aligned_samples: int = 210
    """Pictures on which the windowed thumbnail is compared with the product's own, pixel by pixel."""

    def digest(self) -> str:
        """Return a short hash of all fields; results of other settings are not reused."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


def quick_settings() -> Settings:
    """Return counts that run in seconds and prove nothing but that every stage works."""
    return Settings(
        test_families=4,
        choice_families=2,
        train_families=6,
        train_views=1,
        ink_views=1,
        control_families=2,
        native_families=4,
        place_families=4,
        observer_families=2,
        observer_templates=2,
        observer_draws=1,
        decoding_families=2,
        batch=8,
        ink_steps=3,
        mixed_steps=3,
        relief_steps=3,
        native_steps=3,
        place_steps=3,
        pose_steps=3,
        unplaced_ink_steps=2,
        unplaced_mixed_steps=2,
        unplaced_relief_steps=2,
        checks=1,
        written_items=20,
        aligned_samples=6,
    )

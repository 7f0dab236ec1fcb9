"""Criterion (a), second half: the nearest-template observer that knows pose, ground, light and colours exactly.

For one pose it averages a few grain draws per code into templates and a common variance per pixel, then names the
code of fresh draws. It needs no training, so it cannot fail for want of it; grain and JPEG alone stand against it.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vretrver.world.draw.glyphs import LabelKind

from .datasets import WIDE_WINDOW, load_set, picture_sets
from .pictures import thumbnail_windows
from .plan import TWINS, observed, shot_of, split_families
from .scoring import share_right
from .settings import Settings

SIDES = (13, 9)
"""Thumbnail pixels a side that are compared: the reader's window, and little more than the label."""

DRAFTS = (2, 4, 8)
"""Times the thumbnail's size at which a JPEG might be decoded."""

VARIANCE_FLOOR = 0.3
"""Squared grey levels added to every pixel's variance: few draws leave some pixels without any."""

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue; relief changes all three alike."""


def run_decoding(settings: Settings, work: Path, kind: LabelKind) -> dict[str, object]:
    """Try the observer on thumbnails whose JPEG was decoded at other scales before resizing; not judged.

    8 is the whole decoding, `pictures.DRAFT` the product's, 2 the fastest that leaves anything to resize.
    """
    del work
    families = split_families(settings, kind).test[: settings.decoding_families]
    samples = observed(settings, families)
    drawn = [thumbnail_windows(shot_of(settings, kind, sample), SIDES[0], drafts=DRAFTS) for sample in samples]
    draws = settings.observer_templates + settings.observer_draws
    luma = (np.array(drawn) @ LUMA).reshape(-1, TWINS, draws, len(DRAFTS), SIDES[0] ** 2)
    owners = np.repeat(np.array(families), TWINS * settings.observer_draws)
    shares: dict[str, object] = {}
    for number, draft in enumerate(DRAFTS):
        part = luma[:, :, :, number]
        right = told_apart(part[:, :, : settings.observer_templates], part[:, :, settings.observer_templates :])
        shares[str(draft)] = asdict(share_right(right.ravel(), owners, seed=settings.seed))
    return {"by_decoded_scale": shares}


def run_observer(settings: Settings, work: Path, kind: LabelKind) -> dict[str, object]:
    """Try the observer of one kind on every side; `verdict` is the one that tells most apart."""
    pictures = load_set(work, picture_sets(settings, kind)["observer"])
    draws = settings.observer_templates + settings.observer_draws
    luma = (pictures.pixels @ LUMA).reshape(-1, TWINS, draws, WIDE_WINDOW, WIDE_WINDOW)
    families = pictures.families.reshape(-1, TWINS, draws)[:, :, settings.observer_templates :]
    results: dict[str, dict[str, object]] = {}
    for side in SIDES:
        start = (WIDE_WINDOW - side) // 2
        part = luma[..., start : start + side, start : start + side].reshape(*luma.shape[:3], side * side)
        right = told_apart(part[:, :, : settings.observer_templates], part[:, :, settings.observer_templates :])
        results[str(side)] = asdict(share_right(right.ravel(), families.ravel(), seed=settings.seed))
    best = max(results, key=lambda side: float(str(results[side]["value"])))
    return {
        "templates_per_code": settings.observer_templates,
        "draws_per_code": settings.observer_draws,
        "by_window_side": results,
        "verdict": results[best],
    }


def told_apart(templates: NDArray[np.float64], draws: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return [F, 5, D] bool: whether each draw lies nearest to its own code's mean template.

    Args:
        templates: [F, 5, T, P] luma of T draws per family and code.
        draws: [F, 5, D, P] luma of fresh draws.
    """
    means = templates.mean(axis=2)
    variance = ((templates - means[:, :, None]) ** 2).mean(axis=(1, 2)) + VARIANCE_FLOOR
    gaps = (draws[:, :, :, None] - means[:, None, None]) ** 2 / variance[:, None, None, None]
    nearest = gaps.sum(axis=-1).argmin(axis=-1)
    return np.asarray(nearest == np.arange(TWINS)[None, :, None])

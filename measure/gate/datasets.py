"""The drawn sets of every kind, kept in chunks in the work directory so that a killed run goes on.

A set is windows of the thumbnail around the true place, whole thumbnails, or native crops. It holds pixels as the
model would receive them and what a reader should say, never anything else about the picture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vretrver.world.draw.glyphs import LabelKind
from vretrver.world.draw.render import render

from .pictures import file_bytes, label_pose, native_crop, shown_thumbnail, thumbnail_window
from .plan import Sample, coded, label_of, observed, own, shot_of, split_families
from .settings import Settings

WIDE_WINDOW = 19
"""Thumbnail pixels stored around a label: the reader's reach, and more for a probe that is not told where."""

WIDE_REGION = 80
"""Native pixels stored around a label: the reader's 72, and 4 each way of place jitter."""

CHUNK = 1000
"""Pictures per file; a killed run loses at most this many per worker."""

What = Literal["window", "whole", "crop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A set as the probes read it; row i of every array is one picture."""

    pixels: NDArray[np.uint8]
    """[N, S, S, 3]."""
    labels: NDArray[np.int64]
    """[N, cells]."""
    families: NDArray[np.int64]
    """[N] index of the family."""
    poses: NDArray[np.float64]
    """[N, 4] native x and y of the label's middle, its turn in degrees clockwise, its scale."""
    sizes: NDArray[np.int64]
    """[N, 2] bytes of the written file and of the thumbnail's JPEG; zero unless whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSet:
    """What a set holds before it is drawn."""

    kind: LabelKind
    """Kind of detail."""
    name: str
    """Name of the set within its kind."""
    what: What
    """What is kept of each picture."""
    samples: tuple[Sample, ...]
    """One per picture."""


def picture_sets(settings: Settings, kind: LabelKind) -> dict[str, PictureSet]:
    """Return every set of a kind by name, in the order in which they are drawn."""
    split = split_families(settings, kind)
    relief_views = tuple(range(settings.train_views))
    ink_views = tuple(range(settings.train_views, settings.train_views + settings.ink_views))
    plans: dict[str, tuple[What, list[Sample]]] = {
        "ink_train": ("window", coded(split.train, views=ink_views, ink="plain")),
        "ink_choice": ("window", coded(split.choice, ink="plain")),
        "ink_test": ("whole", coded(split.test[: settings.control_families], ink="plain")),
        "train": ("window", coded(split.train, views=relief_views)),
        "choice": ("window", coded(split.choice)),
        "test": ("whole", coded(split.test)),
        "place_train": ("whole", own(split.train[: settings.place_families], twins=2)),
        "native_train": ("crop", own(split.train[: settings.native_families])),
        "native_choice": ("crop", own(split.choice)),
        "native_test": ("crop", own(split.test)),
        "observer": ("window", observed(settings, split.test[: settings.observer_families])),
    }
    return {
        name: PictureSet(kind=kind, name=name, what=what, samples=tuple(samples))
        for name, (what, samples) in plans.items()
    }


def chunks_of(whole: PictureSet) -> Iterator[tuple[int, int]]:
    """Yield the (start, stop) of every chunk of a set."""
    for start in range(0, len(whole.samples), CHUNK):
        yield start, min(start + CHUNK, len(whole.samples))


def draw_chunk(settings: Settings, work: Path, whole: PictureSet, start: int) -> None:
    """Draw one chunk into the work directory unless it is there already."""
    path = _chunk_path(work, whole, start)
    if path.exists():
        return
    samples = whole.samples[start : start + CHUNK]
    rows = [_draw(settings, whole, sample) for sample in samples]
    pixels, poses, sizes = zip(*rows, strict=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        pixels=np.stack(pixels),
        labels=np.array([label_of(settings, whole.kind, sample) for sample in samples], dtype=np.int64),
        families=np.array([sample.family for sample in samples], dtype=np.int64),
        poses=np.array(poses, dtype=np.float64),
        sizes=np.array(sizes, dtype=np.int64),
    )
    os.replace(partial, path)


def load_set(work: Path, whole: PictureSet) -> Pictures:
    """Return a drawn set; every chunk must have been drawn."""
    parts = [np.load(_chunk_path(work, whole, start)) for start, _ in chunks_of(whole)]
    names = ("pixels", "labels", "families", "poses", "sizes")
    return Pictures(**{name: np.concatenate([part[name] for part in parts]) for name in names})


def _chunk_path(work: Path, whole: PictureSet, start: int) -> Path:
    return work / f"{whole.kind}-{whole.name}-{start:06d}.npz"


def _draw(
    settings: Settings, whole: PictureSet, sample: Sample
) -> tuple[NDArray[np.uint8], tuple[float, ...], tuple[int, int]]:
    shot = shot_of(settings, whole.kind, sample)
    pose = label_pose(shot)
    if whole.what == "window":
        return thumbnail_window(shot, WIDE_WINDOW), pose, (0, 0)
    if whole.what == "crop":
        return native_crop(shot, WIDE_REGION), pose, (0, 0)
    data = file_bytes(render(shot))
    shown, size = shown_thumbnail(data)
    return shown, pose, (len(data), size)

"""Checks that the pictures of an index are still those that were encoded."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ...errors import PictureError
from ...images import ImageStore
from ...records import Candidate, ImageRef

State = Literal["gone", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCheck:
    """What was found."""

    looked: int
    """Pictures read."""
    gone: tuple[str, ...]
    """dids whose pictures cannot be read."""
    changed: tuple[str, ...]
    """dids whose pictures have changed since they were encoded."""


def check_pictures(candidates: Iterable[Candidate], images: ImageStore) -> PictureCheck:
    """Read the pictures of candidates and compare their hashes."""
    looked = 0
    found: dict[State, list[str]] = {"gone": [], "changed": []}
    for candidate in candidates:
        looked += len(candidate.pictures)
        states = {_state(image, images) for image in candidate.pictures}
        for state in ("gone", "changed"):
            if state in states:
                found[state].append(candidate.did)
                break
    return PictureCheck(looked=looked, gone=tuple(found["gone"]), changed=tuple(found["changed"]))


def sampled(dids: Iterable[str], count: int, *, seed: int = 0) -> list[str]:
    """Return a random sample of dids in the order given; not all of them are kept in memory."""
    generator, chosen = random.Random(seed), []  # noqa: S311 - a sample for a report
    for place, did in enumerate(dids):
        if place < count:
            chosen.append((place, did))
        elif (at := generator.randrange(place + 1)) < count:
            chosen[at] = (place, did)
    return [did for _, did in sorted(chosen)]


def _state(image: ImageRef, images: ImageStore) -> State | None:
    try:
        now = images.pin(ImageRef(path=image.path, root=image.root, page=image.page))
    except PictureError:
        return "gone"
    return "changed" if image.sha256 is not None and now.sha256 != image.sha256 else None

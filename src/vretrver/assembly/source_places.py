"""Where the sources of an index lie, and whether the user has said that it may read there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError
from ..retrieval.directory.sources import SourceRecord
from ..trust import trust_pictures, unconfirmed
from .confirmed import Note

Places = Mapping[str, Path | str]
"""Any name -> folder or file, or URL of a store."""


def place_of(directory: Path, stored: str) -> Path:
    """Return where a stored path leads, below the working directory by its path from there."""
    place = Path(os.path.normpath(directory.resolve() / stored))
    return place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place


def places_of(directory: Path, sources: Sequence[SourceRecord]) -> dict[str, Path | str]:
    """Return everything that sources read: themselves, and the roots of their pictures."""
    places = root_places(directory, sources)
    return places | {one.key: place_of(directory, one.path) for one in sources}


def root_places(directory: Path, sources: Sequence[SourceRecord]) -> dict[str, Path | str]:
    """Return where the pictures of tables are, apart from the tables themselves."""
    places: dict[str, Path | str] = {}
    for one in sources:
        for name, root in {**({} if one.root is None else {"": one.root}), **one.named}.items():
            places[f"{one.key}:{name}"] = root if "://" in root else place_of(directory, root)
    return places


def confirm(directory: Path, places: Places, *, trust: bool, note: Note) -> None:
    """Raise ConfigError unless the user has confirmed, or confirms now, that an index may read in these places."""
    foreign = unconfirmed(directory, places)
    if foreign and not trust:
        shown = ", ".join(repr(os.path.normpath(place))[:200] for place in list(foreign.values())[:3])
        raise ConfigError(
            f"{directory}: it is made of {shown}, and you have not said that it may read there; name the source, or "
            "give --trust once if you trust the index"
        )
    if foreign:
        remember(directory, places, note=note)


def remember(directory: Path, places: Places, *, note: Note) -> None:
    """Remember that the user has named these places for this index, so that it may read there again by itself."""
    try:
        trust_pictures(directory, places)
    except OSError as error:
        note(f"what you confirmed cannot be remembered ({error.strerror or error}); name the sources the next time")


def moved_error(directory: Path, old: Mapping[str, str], new: Mapping[str, str]) -> ConfigError:
    """Return the error for pictures that would be looked for where they are not."""
    before, now = (", ".join(os.path.normpath(directory / root) for root in places.values()) for places in (old, new))
    return ConfigError(
        f"{directory}: its pictures lie in {before}, those of SOURCE in {now}; give --moved if they were "
        "moved there, or index SOURCE into another directory"
    )

"""What an index names outside of itself is opened on the user's word only; `trust` remembers it, commands ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import ConfigError
from ..retrieval.encoders import Outside, outside_of
from ..trust import Places, model_trusted, named_trusted, trust_model, trust_named, trust_pictures, unconfirmed

Note = Callable[[str], None]
"""Takes a message for a person."""

_WHAT = {
    "model": "a model folder that you have not opened yourself",
    "hub": "a model of the hub that you have not named yourself",
    "server": "a server that would be sent what you ask, and your key, and that you have not named yourself",
}


def confirmed_encoder(name: str, *, where: Path | str, note: Note, trust: bool = False) -> str:
    """Return the name of an encoder that an index or a collection names.

    Args:
        name: as it is stored there.
        where: the index, for messages.
        note: takes messages for a person.
        trust: whether the user has just said that it may be opened.

    Raises:
        ConfigError: it is a model or a server that the user has not confirmed.
    """
    opened = outside_of(name)
    if opened is None or _trusted(opened):
        return name
    if trust:
        remember_encoder(name, note=note)
        return name
    raise ConfigError(
        f"{where}: names the encoder {name!r}, {_WHAT[opened.kind]}; if you trust it, name it with --encoder, or "
        "give --trust once"
    )


def remember_encoder(name: str, *, note: Note) -> None:
    """Remember that the user opens what an encoder's name points to; some names point to nothing."""
    opened = outside_of(name)
    if opened is None:
        return
    try:
        if opened.kind == "model":
            trust_model(Path(opened.name))
        else:
            trust_named(opened.kind, opened.name)
    except OSError as error:
        _note_forgotten(error, note)


def _trusted(opened: Outside) -> bool:
    if opened.kind == "model":
        return model_trusted(Path(opened.name))
    return named_trusted(opened.kind, opened.name)


def remember_pictures(directory: Path, places: Places, *, note: Note) -> None:
    """Remember that an index shows pictures of these folders."""
    try:
        trust_pictures(directory, places)
    except OSError as error:
        _note_forgotten(error, note)


def confirmed_roots(
    directory: Path, places: Places, *, note: Note, trust: bool = False, needed: bool = True
) -> dict[str, Path | str]:
    """Return the folders of an index's pictures that may be read.

    Args:
        directory: the index directory.
        places: what it names.
        note: takes messages for a person.
        trust: whether the user has just said that all may be read.
        needed: whether pictures will be read; otherwise those that are not confirmed are left out.

    Raises:
        ConfigError: pictures are needed and a folder is not confirmed.
    """
    if trust:
        remember_pictures(directory, places, note=note)
        return dict(places)
    foreign = unconfirmed(directory, places)
    if foreign and needed:
        raise ConfigError(f"{unconfirmed_sentence(directory, foreign)}, or name the folder with --root")
    return {name: place for name, place in places.items() if name not in foreign}


def unconfirmed_sentence(directory: Path, foreign: Mapping[str, Path | str]) -> str:
    """Return what is said of pictures that are not read."""
    shown = ", ".join(repr(str(place))[:200] for place in list(foreign.values())[:3])
    return (
        f"{directory}: its pictures lie outside of it, in {shown}, and you have not said that this index may show "
        "them; if you trust it, give --trust once"
    )


def _note_forgotten(error: OSError, note: Note) -> None:
    note(f"what you confirmed cannot be remembered ({error.strerror or error}); give it again the next time")

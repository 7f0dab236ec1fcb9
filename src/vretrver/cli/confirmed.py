"""What an index names outside of itself is opened on the user's word only: by an option, or by what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError
from ..trust import model_trusted, trust_model, trust_pictures, unconfirmed
from .output import note

TrustOption = Annotated[
    bool,
    typer.Option("--trust", help="Open what the index names outside of itself, model and pictures, now and later."),
]
"""Option of commands that open an index somebody else may have made."""


def confirmed_encoder(name: str, *, where: Path | str, trust: bool = False) -> str:
    """Return the name of an encoder that an index or a collection names.

    Args:
        name: as it is stored there.
        where: the index, for messages.
        trust: whether the user has just said that it may be opened.

    Raises:
        ConfigError: it is a model folder that the user has not confirmed.
    """
    from ..retrieval.encoders import folder_of

    folder = folder_of(name)
    if folder is None or model_trusted(folder):
        return name
    if trust:
        remember_encoder(name)
        return name
    raise ConfigError(
        f"{where}: names the encoder {name!r}, a model folder that you have not opened yourself; if you trust it, "
        f"name it with --encoder, or give --trust once"
    )


def remember_encoder(name: str) -> None:
    """Remember that the user opens an encoder's folder; encoders without a folder need no word."""
    from ..retrieval.encoders import folder_of

    folder = folder_of(name)
    if folder is not None:
        try:
            trust_model(folder)
        except OSError as error:
            _note_forgotten(error)


def remember_pictures(directory: Path, places: Mapping[str, Path | str]) -> None:
    """Remember that an index shows pictures of these folders."""
    try:
        trust_pictures(directory, places)
    except OSError as error:
        _note_forgotten(error)


def confirmed_roots(
    directory: Path, places: Mapping[str, Path | str], *, trust: bool = False, needed: bool = True
) -> dict[str, Path | str]:
    """Return the folders of an index's pictures that may be read.

    Args:
        directory: the index directory.
        places: what it names.
        trust: whether the user has just said that all may be read.
        needed: whether pictures will be read; otherwise those that are not confirmed are left out.

    Raises:
        ConfigError: pictures are needed and a folder is not confirmed.
    """
    if trust:
        remember_pictures(directory, places)
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


def _note_forgotten(error: OSError) -> None:
    note(f"what you confirmed cannot be remembered ({error.strerror or error}); give it again the next time")

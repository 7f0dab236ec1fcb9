"""The options that say what the columns of a table hold; the same for every command that reads a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError

if TYPE_CHECKING:
    from ..images import ImageLimits

IdColumn = Annotated[str | None, typer.Option("--id-column", help="For a table: the column of the ids.")]
TextColumns = Annotated[str | None, typer.Option("--text-columns", help="For a table: columns of text, as a,b.")]
ImageColumns = Annotated[str | None, typer.Option("--image-columns", help="For a table: columns of picture paths.")]
MetadataColumns = Annotated[
    str | None,
    typer.Option("--metadata-columns", help="For a table: columns to keep, as colour,price:float."),
]
RootOption = Annotated[
    list[str] | None,
    typer.Option(
        "--root",
        help="Folder, or store as s3://..., that a table's picture paths start from; NAME=FOLDER for the paths that "
        "begin with NAME/. May be given several times.",
    ),
]
MaxMbOption = Annotated[
    int | None, typer.Option("--max-mb", help="Limit of a picture file or a document in MiB; default 64.", min=1)
]


def roots_of(options: list[str] | None) -> tuple[str | None, dict[str, Path]]:
    """Return the folder or store that paths start from, and NAME -> folder of the paths that begin with `NAME/`.

    Raises ConfigError for two of the first, or a folder that is not there.
    """
    base: str | None = None
    named: dict[str, Path] = {}
    for option in options or ():
        name, equals, folder = option.partition("=")
        if not equals or "://" in option or Path(option).is_dir():
            if base is not None:
                raise ConfigError(f"--root {option}: {base} is given already; name one, and others as NAME=FOLDER")
            base = option
        elif not name.strip("/") or not Path(folder).is_dir():
            raise ConfigError(f"--root {option}: {folder or 'it'} is not a folder; write NAME=FOLDER")
        else:
            named[name.strip("/")] = Path(folder)
    return base, named


def limits_of(max_mb: int | None) -> ImageLimits | None:
    """Return what a picture file may cost, None for the default."""
    from ..images import ImageLimits

    return None if max_mb is None else ImageLimits(max_bytes=max_mb * 2**20)

"""The options that say what the columns of a table hold; the same for every command that reads a corpus."""

from __future__ import annotations

from typing import Annotated

import typer

IdColumn = Annotated[str | None, typer.Option("--id-column", help="For a table: the column of the ids.")]
TextColumns = Annotated[str | None, typer.Option("--text-columns", help="For a table: columns of text, as a,b.")]
ImageColumns = Annotated[str | None, typer.Option("--image-columns", help="For a table: columns of picture paths.")]
MetadataColumns = Annotated[
    str | None,
    typer.Option("--metadata-columns", help="For a table: columns to keep, as colour,price:float."),
]
RootOption = Annotated[
    str | None, typer.Option("--root", help="Folder, or store as s3://..., that a table's picture paths start from.")
]

"""`vretrver examples`: files to try the other commands on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..files import refuse_filled
from .output import note


def examples(
    out: Annotated[Path, typer.Option(help="Folder to write; one of example files is written again.")] = Path(
        "examples"
    ),
) -> None:
    """Draw a small folder of documents, photos and a shop's products, with the commands to try on them.

    Takes seconds and no model; the pages are drawn by the extra `sources`.
    """
    from ..world.examples.write import NOTE, write_examples

    refuse_filled(out, ours=(NOTE,), what="examples", option="--out")
    write_examples(out)
    note(f"documents, photos and a shop are in {out}; {out / NOTE} says what to try")

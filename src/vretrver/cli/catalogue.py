"""`vretrver catalogue`: draw the product world."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..files import refuse_filled
from .output import emit_json, note
from .progress import progress


def catalogue(
    out: Annotated[Path, typer.Option(help="Folder to write; a run that was stopped goes on.")],
    seed: Annotated[int, typer.Option(help="Seed of the world.", min=0)] = 1,
    items: Annotated[int, typer.Option(help="Pictures of products; a multiple of 5.", min=5)] = 500,
    split: Annotated[str, typer.Option(help="Name of the split the queries are written as.")] = "test",
    workers: Annotated[int, typer.Option(help="Processes that draw.", min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Draw a catalogue of products in M-BEIR layout: twins that differ in a detail a thumbnail destroys."""
    from dataclasses import asdict

    from ..world.draw.journal import JOURNAL_FILE
    from ..world.draw.write import MANIFEST_FILE, write_catalogue

    refuse_filled(out, ours=(JOURNAL_FILE, MANIFEST_FILE), what="catalogue", option="--out")
    with progress("drawing") as update:
        summary = write_catalogue(out, seed=seed, items=items, split=split, workers=workers, progress=update)
    if as_json:
        emit_json({key: str(value) if isinstance(value, Path) else value for key, value in asdict(summary).items()})
    else:
        note(f"{items} pictures of {items // 5} families and their queries are in {out}")

"""`vretrver train embed`: contrastive training of an encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import note


def embed(
    out: Annotated[Path, typer.Option(help="Folder of the run; a run that was stopped goes on.")],
    config: Annotated[Path | None, typer.Option(help="The configuration, YAML.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", help="Override a key, as in --set steps=100.")] = None,
) -> None:
    """Train an encoder on the drawn catalogue, so that it finds the group an item belongs to."""
    from ..config import load_config
    from ..training.embed import require_libraries
    from ..training.embed.config import EmbedConfig

    loaded = load_config(config, EmbedConfig, sets=sets or [])
    require_libraries()
    from ..training.embed.run import train_embed

    folder = train_embed(loaded, out, note=note)
    note(f"the encoder is in {folder}; name it {loaded.layout}:{folder}")

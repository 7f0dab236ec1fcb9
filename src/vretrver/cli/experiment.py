"""`vretrver experiment`: what looks are worth, measured over a catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .examples import epilog_of
from .output import note

app = typer.Typer(help="Experiments on the agent.", no_args_is_help=True)


@app.callback()
def experiment() -> None:
    """Experiments on the agent."""


@app.command(epilog=epilog_of("experiment looks"))
def looks(
    out: Annotated[Path, typer.Option(help="Folder of the experiment; one that was stopped goes on.")],
    config: Annotated[Path | None, typer.Option(help="The configuration, YAML.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", help="Override a key, as in --set queries=100.")] = None,
) -> None:
    """Rank with the agent, with perfect looks, with looks that show nothing new, and with none."""
    from ..config import load_config
    from ..world.looks.config import LooksConfig

    loaded = load_config(config, LooksConfig, sets=sets or [])
    from ..world.looks.run import run_looks

    results = run_looks(loaded, out, note=note)
    typer.echo(json.dumps(results, indent=2))

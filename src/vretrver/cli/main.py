"""The `vretrver` command: registers the commands and turns errors into one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .. import __version__
from ..errors import VRetrverError
from .add import add, delete
from .catalogue import catalogue
from .demo import demo
from .doctor import doctor
from .example_files import examples
from .examples import epilog_of
from .experiment import app as experiment
from .index import index
from .info import info
from .mirror import mirror
from .output import note, tolerate_letters
from .rerank import rerank
from .search import search
from .trace import trace
from .train import app as train

_KEPT = {
    "index": "batches that were committed are in the index, texts that were read are kept; run the same command "
    "again to go on",
    "add": "items that were committed are in the index; run the same command again to go on",
    "delete": "the ids stay in the index, or are gone from it, all of them; run the same command again",
    "rerank": "finished queries are in the --trace file, windows in --windows and turns in the --journal, where one "
    "was given; run the same command again to go on",
    "search": "no -o file was written; an index made with `vretrver index` keeps what is encoded; of a reranking, "
    "finished queries are in the --trace file, where one was given, and the same command goes on with them",
    "demo": "what is drawn and ranked is kept in the folder; run the same command again to go on",
    "examples": "what is drawn is kept; run the same command again for the rest",
    "catalogue": "what is drawn is kept in the folder; run the same command again to go on",
    "mirror": "what was sent is in the collection; run the same command again to go on",
    "train": "the last checkpoint is kept in the run's folder; run the same command again to go on",
    "experiment": "cells that were finished are kept in the folder; run the same command again to go on",
}
"""Command -> what of it is kept when it is stopped, and how to go on."""


class _Commands(TyperGroup):
    """The commands; one that is stopped says what is kept, which the library's own handling would leave out."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            kept = _KEPT.get(ctx.invoked_subcommand or "", "nothing was changed")
            note(f"vretrver: stopped; {kept}")
            raise typer.Exit(130) from None


class _Index(TyperCommand):
    """`index`, which says when it is stopped before there is anything to go on with."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from ..retrieval.directory.manifest import DATABASE

            if (Path(ctx.params["out"]) / DATABASE).is_file():
                raise
            note("vretrver: stopped; nothing was written yet")
            raise typer.Exit(130) from None


app = typer.Typer(
    name="vretrver",
    cls=_Commands,
    help="Find the right item among pictures and texts, and show the evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version.")
    ] = False,
) -> None:
    """Find the right item among pictures and texts, and show the evidence."""
    del version


for command in (demo, examples, index, add, delete, search, rerank, trace, info, mirror, catalogue, doctor):
    app.command(cls=_Index if command is index else None, epilog=epilog_of(command.__name__))(command)
app.add_typer(train, name="train")
app.add_typer(experiment, name="experiment")


def main() -> None:
    """Run the command line; errors of the package become one sentence on stderr and exit code 1."""
    tolerate_letters()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads of torch that wait leave the cores to others
    try:
        app()
    except VRetrverError as error:
        note(f"vretrver: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        note("vretrver: stopped; what was finished is kept")
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()
        sys.exit(1)
    except OSError as error:  # a full disk, or a place that cannot be written
        where = f"{error.filename}: " if error.filename else ""
        note(f"vretrver: {where}{error.strerror or error}; what was finished is kept")
        _drop_output()
        sys.exit(1)


def _drop_output() -> None:
    """Let go of what could not be printed; Python would try again at the end."""
    if sys.__stdout__ is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())

"""Models in this process as commands name them: how they are run, and what they know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..data.named import QUERY
from .output import note

if TYPE_CHECKING:
    from ..images import ImageStore
    from ..retrieval.encoder import Encoder

READER = "reader"
"""The policy that reads what is written on candidates; a script too, but one whose order means something."""

POLICIES = (
    "local:FOLDER, a model on this machine, or local:OWNER/NAME of the hub; shipped, the small one that knows the "
    "drawn catalogue; http:URL, a served one; or a script: reader (by what is written), first-k, random[:SEED], "
    "replay:FILE."
)
"""Help of an option that names a policy."""

ENCODERS = (
    "hash, no model; shipped, which knows the drawn catalogue; lamra:, qwen3vl_embedding:, clip: with a FOLDER or "
    "OWNER/NAME[@REVISION] of the hub; or http:URL#MODEL, a server."
)
"""Help of an option that names an encoder."""

DeviceOption = Annotated[
    str | None,
    typer.Option(help="Where a model in this process runs, as torch names it; default a GPU, if any."),
]
"""Option of every command that runs a model."""

DtypeOption = Annotated[
    str | None, typer.Option(help="Of a local model: float32, bfloat16, float16, or auto, as stored; default auto.")
]
"""Option of commands that run an agent's model."""


def is_local(policy: str) -> bool:
    """Say whether a policy runs a model in this process."""
    from ..policies.named import runs_here

    return runs_here(policy)


def note_default(named: str | None, used: Encoder) -> None:
    """Say what the encoder without a model knows, where nobody asked for it by name."""
    from ..retrieval.hash_encoder import HashEncoder

    if named is None and isinstance(used, HashEncoder):
        note("encoder hash, for trying commands out: it knows colours, no objects; a model is named with --encoder")


def note_shipped(names: Iterable[str | None], images: ImageStore) -> None:
    """Say what the shipped models know, once, when one is used on pictures that are no drawn catalogue's."""
    from ..models.shipped import KNOWN, SHIPPED

    roots = [root for name, root in images.roots.items() if name != QUERY]
    if SHIPPED in names and not all(_drawn(root) for root in roots):
        note(KNOWN)


def _drawn(root: Path | str) -> bool:
    """Say whether a folder of pictures belongs to a drawn catalogue."""
    from ..world.draw.write import is_catalogue

    place = Path(root).resolve()
    return any(is_catalogue(folder) for folder in (place, *place.parents))

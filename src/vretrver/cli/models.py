"""Models in this process as commands name them: how they are run, what they are told and shown, what they know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .output import note

if TYPE_CHECKING:
    from ..agent.bench import Views
    from ..agent.dialect import Dialect
    from ..images import ImageStore
    from ..models.agent_recipe import AgentRecipe
    from ..policies.named import LocalOptions
    from ..retrieval.encoder import Encoder

POLICIES = (
    "local:FOLDER, a model on this machine; shipped, the small one that knows the drawn catalogue; http:URL, a "
    "served one; or a script: first-k, random[:SEED], replay:FILE."
)
"""Help of an option that names a policy."""

ENCODERS = "hash, no model; shipped, which knows the drawn catalogue; or lamra:, qwen3vl_embedding:, clip:FOLDER."
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


def local_options(dtype: str | None, device: str | None) -> LocalOptions | None:
    """Return how a model is run, None where no option was given."""
    from ..policies.named import LocalOptions

    if dtype is None and device is None:
        return None
    return LocalOptions(dtype=dtype or "auto", device=device or "auto")


def is_local(policy: str) -> bool:
    """Say whether a policy runs a model in this process."""
    from ..policies.named import model_folder

    return model_folder(policy) is not None


def check_policy(policy: str, model: str | None) -> None:
    """Raise what is wrong with a policy before work is done for it; no model is loaded and no server asked.

    Raises:
        ConfigError: the name, its argument or the model's name is wrong, or the folder cannot be used.
        DataError: a recording cannot be read.
    """
    from ..policies.named import model_folder, policy_named

    folder = model_folder(policy)
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder; name the folder of a model, as in --policy local:FOLDER")
        recipe_of(policy)
    else:
        policy_named(policy, model=model).close()


def recipe_of(policy: str) -> AgentRecipe | None:
    """Return what the folder of a policy's model says, None where there is no folder or it says nothing.

    Raises:
        ConfigError: the folder cannot be used, or this copy of the package lacks the shipped agent.
    """
    from ..policies.named import model_folder

    folder = model_folder(policy)
    if folder is None:
        return None
    from ..models.agent_recipe import agent_recipe_of

    return agent_recipe_of(folder)


def views_of(policy: str, dialect: Dialect) -> Views:
    """Return at what size a policy is shown pictures: as its folder says, else the dialect's sizes on its cell."""
    from ..models.agent_recipe import agent_recipe_of, views_for
    from ..policies.named import model_folder

    folder = model_folder(policy)
    if folder is None:
        return dialect.views
    recipe = agent_recipe_of(folder)
    return recipe.views if recipe is not None else views_for(folder, dialect.views)


def note_default(named: str | None, used: Encoder) -> None:
    """Say what the encoder without a model knows, where nobody asked for it by name."""
    from ..retrieval.hash_encoder import HashEncoder

    if named is None and isinstance(used, HashEncoder):
        note("encoder hash: it knows colours and shared words, no objects; a model is named with --encoder")


def note_shipped(names: Iterable[str | None], images: ImageStore) -> None:
    """Say what the shipped models know, once, when one is used on pictures that are no drawn catalogue's."""
    from ..models.shipped import KNOWN, SHIPPED

    roots = [root for name, root in images.roots.items() if name != "query"]
    if SHIPPED in names and not all(_drawn(root) for root in roots):
        note(KNOWN)


def _drawn(root: Path | str) -> bool:
    """Say whether a folder of pictures belongs to a drawn catalogue."""
    from ..data.catalogue.write import is_catalogue

    place = Path(root).resolve()
    return any(is_catalogue(folder) for folder in (place, *place.parents))

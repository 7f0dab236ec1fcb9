"""The run that trains an agent on what the expert showed: a small one from random weights, or a named model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...config import load_config
from ...errors import DataError
from ...models.agent_recipe import RECIPE_FILE, AgentRecipe
from ...training.folder import CONFIG_FILE, TrainingFolder
from ...training.sft.run import shards_of, train_sft
from ...training.sft.samples import first_trajectory
from ..expert.config import SynthesisConfig
from ..expert.synthesis import shard_count
from ..tiny.config import AGENT_SIZE
from ..tiny.start import start_folder
from ..tiny.views import VIEWS, shown_at
from .config import LessonsConfig
from .weights import lesson_weights


def train_agent(config: LessonsConfig, out: Path, *, note: Callable[[str], None]) -> Path:
    """Train to the end, resuming an interrupted run, and return the folder of the trained model.

    Args:
        config: the run.
        out: its folder.
        note: called with lines of progress for a person.

    Raises:
        ConfigError: the folder belongs to another configuration, or the model it starts from cannot be used.
        DataError: there are no trajectories, or only a part of those the expert was to write.
        MissingDependency: the extra `train` is not installed.
    """
    shards = shards_of(config.trajectories)
    _refuse_a_part(config.trajectories, len(shards))
    recipe = recipe_of(config, shards[0])
    TrainingFolder(out, config)  # refuses a folder of another run before a model is made in it
    base = start_folder(config.start, out / "start", size=AGENT_SIZE, seed=config.seed)
    weigh = lesson_weights(box=config.box_weight, sign=config.sign_weight)
    return train_sft(config, out, note=note, base=base, weigh=weigh, more=recipe)


def _refuse_a_part(folder: Path, found: int) -> None:
    synthesis = _synthesis(folder)
    if synthesis is not None and found != shard_count(synthesis):
        raise DataError(
            f"{folder}: {found} of {shard_count(synthesis)} files are there; run `vretrver train expert` again"
        )


def _synthesis(folder: Path) -> SynthesisConfig | None:
    """Return the settings of the synthesis run, or None where the trajectories are from elsewhere."""
    told = folder / CONFIG_FILE
    return load_config(told, SynthesisConfig, environ={}) if told.is_file() else None


def recipe_of(config: LessonsConfig, shard: Path) -> dict[str, bytes]:
    """Return the file that says how the agent was trained, by name.

    Trajectories that the expert did not write give the dialect but not the sizes: a model that started from a folder
    keeps that folder's file, if it has one.
    """
    synthesis = _synthesis(config.trajectories)
    if config.start.folder is not None and synthesis is None:
        return {}
    whole = None if synthesis is None else synthesis.whole_tokens
    recipe = AgentRecipe(dialect=first_trajectory(shard).dialect, views=VIEWS if whole is None else shown_at(whole))
    return {RECIPE_FILE: recipe.to_json().encode()}

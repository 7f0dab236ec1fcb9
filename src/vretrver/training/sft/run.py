"""The supervised run: from a start folder to a trained one, resumable to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast

from ...config import load_config
from ...errors import DataError
from ...models.agent_recipe import RECIPE_FILE, AgentRecipe
from ...models.loading import load_model
from ...models.pretrained import open_part
from ...world.expert.config import SynthesisConfig
from ...world.expert.synthesis import shard_count
from ...world.tiny.config import AGENT
from ...world.tiny.views import VIEWS, shown_at
from ..attention import train_by_strips
from ..book import PictureBook
from ..curves import CURVES_FILE, write_curves
from ..runlog import CONFIG_FILE, RunFolder
from ..start import start_folder
from ..trainers import MODEL_FOLDER, export_model, run_trainer
from .config import SftConfig
from .samples import first_trajectory, read_samples
from .trainer import make_trainer


def train_sft(config: SftConfig, out: Path, *, note: Callable[[str], None]) -> Path:
    """Train to the end, or from where the run was killed, and return the folder of the trained model.

    Args:
        config: the run.
        out: its folder.
        note: takes a line for a person, now and then.

    Raises:
        ConfigError: the folder belongs to another configuration, or what it starts from cannot be used.
        DataError: there are no trajectories.
        MissingDependency: the extra `train` is not installed.
    """
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)
    shards = _shards(config.trajectories)
    recipe = _recipe(config, shards[0])
    folder = RunFolder(out, config)
    begun = start_folder(config.start, out / "start", size=AGENT, seed=config.seed)
    loaded = load_model(begun, dtype=config.dtype, device=config.device, vision_memory=config.vision_memory * 2**20)
    loaded.model.train()
    train_by_strips(loaded.model)
    samples = list(read_samples(shards, loaded.vocabulary, loaded.folder.geometry))
    books = [PictureBook(path.with_suffix(".pictures")) for path in shards]
    note(f"{len(samples)} trajectories, {sum(len(s.ids) for s in samples)} tokens")
    tokenizer = open_part(PreTrainedTokenizerFast, begun, what="the tokenizer")
    run_trainer(make_trainer(config, loaded, tokenizer, samples, books, folder, note), folder)
    for book in books:
        book.close()
    write_curves(out / CURVES_FILE, folder.metrics(), title="train sft")
    return export_model(loaded.model, begun, out / MODEL_FOLDER, more=recipe)


def _shards(folder: Path) -> list[Path]:
    shards = [path for path in sorted(folder.glob("*.jsonl")) if path.with_suffix(".pictures").is_file()]
    if not shards:
        raise DataError(f"{folder}: no trajectories with their pictures; write some with `vretrver train expert`")
    synthesis = _synthesis(folder)
    if synthesis is not None and len(shards) != shard_count(synthesis):
        raise DataError(
            f"{folder}: {len(shards)} of {shard_count(synthesis)} files are there; run `vretrver train expert` again"
        )
    return shards


def _synthesis(folder: Path) -> SynthesisConfig | None:
    """Return what the expert was told, or None where it did not write the trajectories."""
    told = folder / CONFIG_FILE
    return load_config(told, SynthesisConfig, environ={}) if told.is_file() else None


def _recipe(config: SftConfig, shard: Path) -> dict[str, bytes]:
    """Return the file that says how the agent was taught, by name.

    Of trajectories that the expert did not write only the records are known, not the sizes: a model that was begun
    from a folder keeps that folder's file, if it has one.
    """
    synthesis = _synthesis(config.trajectories)
    if config.start.folder is not None and synthesis is None:
        return {}
    whole = None if synthesis is None else synthesis.whole_tokens
    recipe = AgentRecipe(dialect=first_trajectory(shard).dialect, views=VIEWS if whole is None else shown_at(whole))
    return {RECIPE_FILE: recipe.to_json().encode()}

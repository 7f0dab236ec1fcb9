"""The embedding run: from a start folder to a trained one, resumable to the bit, with its measurement."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...files import replace_file
from ...geometry import PixelBudget
from ...models.loading import load_model
from ...retrieval.layouts.encoder import LayoutEncoder, collator_of, renderer_of
from ...retrieval.layouts.recipe import RECIPE_FILE, EncoderRecipe
from ...retrieval.layouts.templates import TEMPLATES
from ...training.curves import CURVES_FILE, write_curves
from ...training.folder import TrainingFolder
from ...training.trainers import MODEL_FOLDER, export_model, run_trainer
from ..drawn import DrawnStore
from ..gallery import Gallery
from ..tiny.config import ENCODER_SIZE
from ..tiny.start import start_folder
from .config import EmbedConfig, EvaluationConfig
from .measure import mean_of, measure
from .module import ItemModule
from .pairs import TrainingPairs
from .trainer import make_trainer

RESULT_FILE = "evaluation.json"
"""The measurement of the trained encoder."""

Note = Callable[[str], None]


def train_embed(config: EmbedConfig, out: Path, *, note: Note) -> Path:
    """Train an encoder to its end, resuming an interrupted run, and return its folder.

    Args:
        config: the run.
        out: its folder.
        note: called with lines of progress for a person.

    Raises:
        ConfigError: the folder belongs to another configuration, or the model it starts from cannot be used.
        DataError: a gallery is missing, or the catalogue cannot have so many items.
        MissingDependency: the extra `train` is not installed.
    """
    data, evaluation = config.data, config.evaluation
    gallery, held_out = (
        None if told is None else Gallery.of_catalogue(told.gallery, seed=told.seed, items=told.items)
        for told in (data, evaluation)
    )
    folder = TrainingFolder(out, config)
    base = start_folder(
        config.start, out / "start", size=ENCODER_SIZE, seed=config.seed, tokens=TEMPLATES[config.layout].fixed_texts
    )
    loaded = load_model(base, dtype=config.dtype, device=config.device or "auto")
    recipe = EncoderRecipe(
        layout=config.layout,
        pictures=PixelBudget(cell=loaded.folder.geometry.cell, tokens=config.picture_tokens),
        text_tokens=config.text_tokens,
    )
    pairs = TrainingPairs(seed=data.seed, items=data.items, tasks=data.shapes)
    module = ItemModule(
        loaded.model,
        renderer_of(loaded.folder, loaded.vocabulary, recipe),
        collator_of(loaded.folder, loaded.vocabulary),
        DrawnStore(pairs.shots(), gallery=gallery),
    )
    run_trainer(make_trainer(config, module, pairs, folder, note), folder)
    recipe_file = {RECIPE_FILE: recipe.to_json().encode()}
    trained = export_model(loaded.model, base, out / MODEL_FOLDER, more=recipe_file)
    if evaluation is not None and not (out / RESULT_FILE).is_file():
        _evaluate(config, evaluation, module, held_out, folder, note)
    write_curves(out / CURVES_FILE, folder.metrics(), title="train embed")
    return trained


def _evaluate(
    config: EmbedConfig,
    evaluation: EvaluationConfig,
    module: ItemModule,
    gallery: Gallery | None,
    folder: TrainingFolder,
    note: Note,
) -> None:
    """Measure the trained encoder on a catalogue of another seed, in the number format it was trained in."""
    pairs = TrainingPairs(seed=evaluation.seed, items=evaluation.items, tasks=config.data.shapes)
    store = DrawnStore(pairs.shots(), gallery=gallery)
    encoder = LayoutEncoder(module.body.eval(), module.renderer, module.collator, store, fingerprint="in training")
    found = measure(encoder, pairs, queries=evaluation.queries, note=note)
    result: dict[str, Any] = {
        "config": folder.hash,
        "seed": evaluation.seed,
        "pool": evaluation.items,
        "tasks": found,
    }
    replace_file(folder.path / RESULT_FILE, (json.dumps(result, indent=2) + "\n").encode())
    folder.note(config.steps, {"evaluation": mean_of(found)})

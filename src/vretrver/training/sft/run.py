"""The supervised run: from a start folder to a trained one, resumable to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from ...errors import ConfigError, DataError
from ...models.folder import open_folder
from ...models.hub import folder_at
from ...models.loading import load_model
from ...models.pretrained import open_part
from ..attention import train_by_strips
from ..book import PictureBook, PictureBooks
from ..curves import CURVES_FILE, write_curves
from ..folder import TrainingFolder
from ..trainers import MODEL_FOLDER, export_model, run_trainer
from .config import SftConfig
from .samples import read_samples
from .trainer import make_trainer
from .weights import Weigh, boxes


def train_sft(
    config: SftConfig,
    out: Path,
    *,
    note: Callable[[str], None],
    base: Path | None = None,
    weigh: Weigh | None = None,
    more: Mapping[str, bytes] | None = None,
) -> Path:
    """Train to the end, resuming an interrupted run, and return the folder of the trained model.

    Args:
        config: the run.
        out: its folder.
        note: called with lines of progress for a person.
        base: the folder training starts from; None takes `config.start.folder`.
        weigh: how much each id counts; None lets boxes count as the configuration says, and all else alike.
        more: further files of the trained model's folder, by name.

    Raises:
        ConfigError: the folder belongs to another configuration, or the model it starts from cannot be used.
        DataError: there are no trajectories.
        MissingDependency: the extra `train` is not installed.
    """
    shards = shards_of(config.trajectories)
    folder = TrainingFolder(out, config)
    base = base or config.start.folder
    if base is None:
        raise ConfigError("start: name the folder of a model to train")
    base = folder_at(str(base), fits=open_folder)
    loaded = load_model(base, dtype=config.dtype, device=config.device, vision_memory=config.vision_memory * 2**20)
    loaded.model.train()
    train_by_strips(loaded.model)
    weigh = weigh or boxes(config.box_weight)
    samples = list(read_samples(shards, loaded.vocabulary, loaded.folder.geometry, weigh=weigh))
    books = PictureBooks([PictureBook(path.with_suffix(".pictures")) for path in shards])
    note(f"{len(samples)} trajectories, {sum(len(s.ids_T) for s in samples)} tokens")
    tokenizer = open_part(PreTrainedTokenizerFast, base, what="the tokenizer")
    run_trainer(make_trainer(config, loaded, tokenizer, samples, books, folder, note), folder)
    books.close()
    write_curves(out / CURVES_FILE, folder.metrics(), title="train sft")
    return export_model(loaded.model, base, out / MODEL_FOLDER, more=more)


def shards_of(folder: Path) -> list[Path]:
    """Return the files of trajectories in a folder that have their pictures beside them; DataError for none."""
    shards = [path for path in sorted(folder.glob("*.jsonl")) if path.with_suffix(".pictures").is_file()]
    if not shards:
        raise DataError(f"{folder}: no trajectories with their pictures; write some with `vretrver train expert`")
    return shards

"""A few expert trajectories with their pictures, and a very small agent to learn from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.models.loading import LocalModel, load_model
from vretrver.training.sft.samples import Sample, read_samples
from vretrver.world.expert.config import SynthesisConfig
from vretrver.world.expert.synthesis import _shard
from vretrver.world.tiny.config import TinySize
from vretrver.world.tiny.make import make_tiny

SMALL = TinySize(
    hidden=64, layers=2, heads=2, inner=96, vision_hidden=32, vision_layers=2, vision_heads=2, vision_inner=48
)


@pytest.fixture(scope="session")
def trajectories(gallery_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two shards of eight trajectories each."""
    out = tmp_path_factory.mktemp("expert")
    stages = [{"windows": 16, "sizes": {2: 1, 3: 1}, "shapes": {0: 1, 4: 1, 1: 1}}]
    config = SynthesisConfig.model_validate({"gallery": gallery_file, "stages": stages, "shard": 8})
    for number in (0, 1):
        _shard((config, out, number, 8))
    return out


@pytest.fixture(scope="session")
def small(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a very small agent."""
    return make_tiny(tmp_path_factory.mktemp("small") / "agent", size=SMALL, tokenizer=tokens)


@pytest.fixture(scope="session")
def loaded(small: Path) -> LocalModel:
    """The agent in fp32."""
    return load_model(small, dtype="float32", device="cpu")


@pytest.fixture(scope="session")
def shards(trajectories: Path) -> list[Path]:
    """The trajectory files."""
    return sorted(trajectories.glob("*.jsonl"))


@pytest.fixture(scope="session")
def samples(shards: list[Path], loaded: LocalModel) -> list[Sample]:
    """All trajectories as samples."""
    return list(read_samples(shards, loaded.vocabulary, loaded.folder.geometry))

"""Pins the perception run: it is resumed to the bit, and leaves a tower that an agent can begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from vretrver.errors import ConfigError, DataError
from vretrver.models.loading import load_model
from vretrver.training.folder import TrainingFolder
from vretrver.world.gallery import Gallery
from vretrver.world.perception import train
from vretrver.world.perception.config import PerceptionConfig
from vretrver.world.perception.pictures import GalleryPictures
from vretrver.world.perception.train import SPREAD, Perception, train_perception
from vretrver.world.tiny.config import AGENT_SIZE
from vretrver.world.tiny.make import make_tiny

MEASURED = 24


@pytest.fixture(autouse=True)
def _few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "MEASURED", MEASURED)


def config(gallery: Path, tokens: Path, **changed: Any) -> PerceptionConfig:
    given = {
        "gallery": gallery,
        "held_out": gallery,
        "tokenizer": tokens,
        "steps": 3,
        "batch": {"thumbnails": 2, "selects": 1, "labels": 2, "looks": 2, "empties": 1},
        "note_every": 1,
        "save_every": 2,
        "threads": 1,
    }
    return PerceptionConfig.model_validate({**given, **changed})


def metrics(out: Path) -> list[dict[str, Any]]:
    """Return the metrics without the seconds."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_a_run_that_was_killed_ends_as_one_that_was_not(
    gallery_file: Path, tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = config(gallery_file, tokens)
    whole = torch.load(train_perception(told, tmp_path / "whole", note=lambda _: None), weights_only=True)
    step = Perception.step

    def dies(self: Perception, *given: Any) -> float:
        loss = step(self, *given)
        if self.done == 3:
            raise KeyboardInterrupt
        return loss

    monkeypatch.setattr(Perception, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        train_perception(told, tmp_path / "cut", note=lambda _: None)
    monkeypatch.setattr(Perception, "step", step)
    with (tmp_path / "cut" / "metrics.jsonl").open("a") as file:
        file.write(
            '{"step": 3, "loss": 9.0}\n{"step": 3, "held_out": {"mark": 0.1}'
        )  # after the checkpoint, and torn
    resumed = torch.load(train_perception(told, tmp_path / "cut", note=lambda _: None), weights_only=True)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "cut")
    assert [line["step"] for line in metrics(tmp_path / "cut")] == [1, 2, 2, 3, 3]
    assert (tmp_path / "whole" / "metrics.svg").read_text().startswith("<svg")
    agent = make_tiny(tmp_path / "agent", size=AGENT_SIZE, tokenizer=tokens, vision=tmp_path / "whole" / "tower.pt")
    weights = load_model(agent, dtype="float32", device="cpu").model.model.visual.state_dict()
    assert all(torch.equal(weights[name], whole[name]) for name in whole)
    with pytest.raises(ConfigError, match="another configuration"):
        train_perception(config(gallery_file, tokens, steps=4), tmp_path / "cut", note=lambda _: None)


def test_a_finished_tower_has_tokens_of_the_spread_of_texts(gallery_file: Path, tokens: Path, tmp_path: Path) -> None:
    told = config(gallery_file, tokens, steps=1)
    tower = torch.load(train_perception(told, tmp_path / "run", note=lambda _: None), weights_only=True)

    run = Perception(told, TrainingFolder(tmp_path / "other", told))
    run.tower.load_state_dict(tower)
    with torch.no_grad():
        seen = GalleryPictures(Gallery(gallery_file), told.batch, seed=0).some("thumbnail", MEASURED)
        features, deepstack = run._features(seen)
    for level in (features, *deepstack):
        assert level.float().std().item() == pytest.approx(SPREAD, rel=0.02)


def test_what_cannot_be_used_is_refused_before_a_folder_is_made(
    gallery_file: Path, tokens: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="no such gallery"):
        train_perception(config(tmp_path / "none", tokens), tmp_path / "run", note=lambda _: None)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match=r"tokenizer\.json: the file is missing"):
        train_perception(config(gallery_file, tmp_path), tmp_path / "run", note=lambda _: None)
    (tmp_path / "text.pt").write_bytes(b"no")
    torch.save({"step": 1}, tmp_path / "other.pt")
    for name, said in (
        ("text.pt", "not a file of weights"),
        ("other.pt", "not a checkpoint"),
        ("none.pt", "No such"),
    ):
        told = config(gallery_file, tokens, start=tmp_path / name)
        with pytest.raises(ConfigError, match=said):
            train_perception(told, tmp_path / name.removesuffix(".pt"), note=lambda _: None)

"""Contrastive training on a very small model: what is trained is what encodes; a killed run goes on to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from pydantic import ValidationError
from safetensors.torch import load_file
from tests.tiny_models import byte_tokenizer, folder_of, loaded
from transformers import TrainerCallback
from typer.testing import CliRunner

from vretrver.cli.train import app
from vretrver.config import load_config
from vretrver.errors import ConfigError
from vretrver.geometry import PixelBudget
from vretrver.retrieval.encoders import encoder_named
from vretrver.retrieval.layouts.encoder import LayoutEncoder, collator_of, renderer_of
from vretrver.retrieval.layouts.recipe import EncoderRecipe
from vretrver.retrieval.layouts.templates import TEMPLATES
from vretrver.world.drawn import DrawnStore
from vretrver.world.embed import run
from vretrver.world.embed.config import EmbedConfig
from vretrver.world.embed.module import ItemModule
from vretrver.world.embed.pairs import TrainingPairs
from vretrver.world.embed.trainer import PairCollator
from vretrver.world.gallery import draw_gallery
from vretrver.world.tiny.config import ENCODER_SIZE
from vretrver.world.tiny.start import start_folder
from vretrver.world.tiny.tokenizer import save_tokenizer

TASKS = (0, 1, 3)


def config(**changed: Any) -> EmbedConfig:
    given = {
        "start": {"folder": str(folder_of("qwen3_vl"))},
        "picture_tokens": 1,
        "data": {"seed": 3, "items": 60, "shapes": (1,)},
        "steps": 6,
        "batch_size": 4,
        "dtype": "float32",
        "device": "cpu",
        "threads": 1,
        "trainer": {"save_steps": 2, "logging_steps": 2, "warmup_steps": 1},
        "evaluation": None,
    }
    return EmbedConfig.model_validate({**given, **changed})


def train(out: Path, **changed: Any) -> dict[str, torch.Tensor]:
    folder = run.train_embed(config(**changed), out, note=lambda _: None)
    return dict(load_file(folder / "model.safetensors"))


@pytest.fixture(scope="module")
def module() -> ItemModule:
    local = loaded("qwen3_vl")
    recipe = EncoderRecipe(layout="lamra", pictures=PixelBudget(tokens=1), text_tokens=64)
    pairs = TrainingPairs(seed=3, items=60, tasks=TASKS)
    return ItemModule(
        local.model,
        renderer_of(local.folder, local.vocabulary, recipe),
        collator_of(local.folder, local.vocabulary),
        DrawnStore(pairs.shots()),
    )


def test_training_sees_the_ids_and_the_position_that_encoding_uses(module: ItemModule):
    pairs = TrainingPairs(seed=3, items=60, tasks=TASKS)
    encoder = LayoutEncoder(module.body, module.renderer, module.collator, module.store, fingerprint="same")
    rows = [{"task": 0, "item": item, "wording": item % 2} for item in (0, 5, 10)]
    batch = PairCollator(module, pairs)(rows)
    queries = [pairs.query(0, row["item"], row["wording"]) for row in rows]
    for number, query in enumerate(queries):
        rendered = encoder.renderer.render(query.parts, query.instruction, module.store)
        length = int(batch["query_attention_mask"][number].sum())
        assert tuple(batch["query_input_ids"][number, :length].tolist()) == rendered.ids
    with torch.no_grad():
        features = {
            name.removeprefix("answer_"): value for name, value in batch.items() if name.startswith("answer_")
        }
        trained = module(features)["sentence_embedding"].numpy()
    encoded = encoder.encode_candidates([pairs.candidate(0, row["item"]) for row in rows])
    assert np.allclose(trained, encoded, atol=1e-5)


def test_a_run_that_was_killed_ends_with_the_weights_of_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = train(tmp_path / "whole")

    class Killed(Exception):
        pass

    class Kill(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 5:
                raise Killed

    make: Callable[..., Any] = run.make_trainer

    def make_one_that_dies(*given: Any) -> Any:
        trainer = make(*given)
        trainer.add_callback(Kill())
        return trainer

    monkeypatch.setattr(run, "make_trainer", make_one_that_dies)
    with pytest.raises(Killed):
        train(tmp_path / "cut")
    monkeypatch.setattr(run, "make_trainer", make)
    (tmp_path / "cut" / "checkpoints" / "checkpoint-5").mkdir()  # a checkpoint that was cut off is passed over
    resumed = train(tmp_path / "cut")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    lines = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "cut")]
    assert lines[0] == lines[1]
    assert [json.loads(line)["step"] for line in lines[0].splitlines()] == [2, 4, 6]


def test_slices_give_the_gradients_of_the_whole_batch(tmp_path: Path):
    plain = {"steps": 1, "optimiser": "adamw", "lr": 0.1, "trainer": {"optim": "sgd", "warmup_steps": 0}}
    start = load_file(folder_of("qwen3_vl") / "model.safetensors")
    whole, sliced = train(tmp_path / "whole", **plain), train(tmp_path / "sliced", slice_size=2, **plain)
    assert any(not torch.equal(whole[name], start[name]) for name in whole)
    assert all(torch.allclose(whole[name], sliced[name], atol=1e-5) for name in whole)


def test_the_loss_falls(tmp_path: Path):
    train(tmp_path / "run", steps=30, lr=3e-3, trainer={"save_steps": 30, "logging_steps": 10})
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.7 * losses[0]


def test_the_tower_stays_as_it_is_when_its_rate_is_zero(tmp_path: Path):
    start = load_file(folder_of("qwen3_vl") / "model.safetensors")
    data = {"seed": 3, "items": 60, "shapes": (0,)}
    trainer = {"warmup_steps": 0}
    found = train(tmp_path / "run", steps=1, vision_lr=0, data=data, batch_size=2, trainer=trainer)
    name = "model.visual.blocks.0.attn.qkv.weight"
    assert torch.equal(found[name], start[name])
    assert not torch.equal(found["model.language_model.norm.weight"], start["model.language_model.norm.weight"])


def test_the_trained_folder_is_an_encoder_that_knows_its_recipe(tmp_path: Path):
    evaluation = {"seed": 4, "items": 10, "queries": 4}
    folder = run.train_embed(config(steps=1, evaluation=evaluation), tmp_path / "run", note=lambda _: None)
    store = DrawnStore({})
    mark = encoder_named(f"lamra:{folder}", store, device="cpu").fingerprint
    assert mark.endswith("PixelBudget(cell=32, tokens=1) text_tokens=256 processor=patches-1 dtype=float32")
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert found["pool"] == 10
    assert found["tasks"]["1"]["hit@20"] == 1.0
    assert (tmp_path / "run" / "metrics.svg").read_text().startswith("<svg")


def test_a_small_encoder_begins_with_a_token_for_what_its_layout_always_says(tmp_path: Path):
    (tmp_path / "tokens").mkdir()
    save_tokenizer(byte_tokenizer(), tmp_path / "tokens")
    start = config(start={"tokenizer": str(tmp_path / "tokens")}).start
    folder = start_folder(start, tmp_path / "start", size=ENCODER_SIZE, seed=0, tokens=TEMPLATES["lamra"].fixed_texts)
    encoder = encoder_named(f"lamra:{folder}", DrawnStore({}), device="cpu")
    ids = encoder.renderer.tokenizer.encode("\nSummarize above image in one word: ").ids
    assert len(ids) == 1
    assert encoder.dimension == 256


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trainer: {max_steps: 3}", "max_steps is decided by other keys"),
        ("stepz: 3", "stepz"),
        ("start: {folder: a, tokenizer: b}", "give either folder, or tokenizer"),
        ("evaluation: {seed: 1}", "another seed than data.seed"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(tmp_path: Path, text: str, said: str):
    (tmp_path / "c.yaml").write_text(text if text.startswith("start") else f"start: {{folder: x}}\n{text}")
    with pytest.raises(ConfigError, match=said):
        load_config(tmp_path / "c.yaml", EmbedConfig)


@pytest.mark.parametrize("where", ["data", "evaluation"])
def test_a_gallery_of_another_catalogue_is_refused(tmp_path: Path, where: str):
    draw_gallery(tmp_path / "other.gallery", seed=5, items=5, workers=1)
    given = {"data": {"seed": 3, "items": 60, "shapes": (1,)}, "evaluation": {"seed": 4, "items": 10, "queries": 4}}
    given[where]["gallery"] = tmp_path / "other.gallery"
    with pytest.raises(ConfigError, match=r"other.gallery: shows 5 items of seed 5, and \d0 of seed [34] are needed"):
        train(tmp_path / "run", steps=1, **given)
    assert not (tmp_path / "run").exists()


def test_a_start_without_a_model_is_refused():
    with pytest.raises(ValidationError):
        config(start={})


def test_a_finished_run_is_not_trained_again(tmp_path: Path):
    evaluation = {"seed": 4, "items": 10, "queries": 4}
    first = train(tmp_path / "run", evaluation=evaluation)
    before = (tmp_path / "run" / "metrics.jsonl").read_text()
    again = train(tmp_path / "run", evaluation=evaluation)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == before


def test_the_command_trains_what_the_file_and_the_options_say(tmp_path: Path):
    given = {"data": {"seed": 3, "items": 60, "shapes": [1]}, "start": {"folder": str(folder_of("qwen3_vl"))}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({**given, "batch_size": 4, "threads": 1, "evaluation": None}))
    out = tmp_path / "run"
    options = [
        "embed",
        "--config",
        str(tmp_path / "c.yaml"),
        "--out",
        str(out),
        "--set",
        "steps=1",
        "--set",
        "device=cpu",
    ]
    result = CliRunner().invoke(app, options, catch_exceptions=False)
    assert f"name it lamra:{out / 'model'}" in result.stderr
    assert "steps: 1\n" in (out / "config.yaml").read_text()


def test_an_argument_the_trainer_does_not_take_is_one_sentence(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"trainer: .*warm_steps"):
        train(tmp_path / "run", trainer={"warm_steps": 3})

"""Pins the supervised run: its loss is the library's, a killed run goes on to the bit, the folder loads anywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer, TrainerCallback
from trl import SFTConfig as TrlConfig

from vretrver.config import resolved
from vretrver.errors import ConfigError, DataError
from vretrver.models.agent_recipe import agent_recipe_of
from vretrver.models.language import logits_of
from vretrver.models.loading import LocalModel
from vretrver.models.patches import decoded, patchify_all
from vretrver.models.quiet import quiet
from vretrver.training import forward
from vretrver.training.book import PictureBook, PictureBooks
from vretrver.training.forward import install_forward
from vretrver.training.sft import run
from vretrver.training.sft.batches import Batch, collate
from vretrver.training.sft.samples import Sample, read_samples
from vretrver.training.sft.trainer import sft_loss
from vretrver.training.sft.weights import Weigh
from vretrver.training.trainers import newest_checkpoint
from vretrver.world.agent.config import LessonsConfig
from vretrver.world.agent.run import train_agent
from vretrver.world.agent.weights import lesson_weights
from vretrver.world.expert.config import SynthesisConfig
from vretrver.world.tiny.views import VIEWS


def config(small: Path, trajectories: Path, **changed: Any) -> LessonsConfig:
    given = {
        "start": {"folder": small},
        "trajectories": trajectories,
        "tokens": 1200,
        "steps": 5,
        "epochs": 20,
        "device": "cpu",
        "threads": 1,
        "trainer": {"save_steps": 2, "logging_steps": 1, "warmup_steps": 1},
    }
    return LessonsConfig.model_validate({**given, **changed})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(folder / "model.safetensors"))


@pytest.fixture
def books(shards: list[Path]) -> Iterator[PictureBooks]:
    opened = PictureBooks([PictureBook(path.with_suffix(".pictures")) for path in shards])
    yield opened
    opened.close()


@pytest.fixture
def model(loaded: LocalModel) -> Any:
    """The agent with the pass that trainers call, its tower frozen."""
    install_forward(loaded, frozen=True)
    return loaded.model


def batch_of(samples: list[Sample], books: PictureBooks, loaded: LocalModel) -> Batch:
    pad, filler = loaded.vocabulary.picture_pad, loaded.vocabulary.turn_end
    return collate(samples, books, picture_pad=pad, filler=filler)


def test_the_loss_is_the_librarys_own_with_labels_on_what_the_assistant_wrote(
    samples: list[Sample], books: PictureBooks, loaded: LocalModel, model: Any
) -> None:
    for sample in (samples[0], next(s for s in samples if len(s.pictures) > 4)):
        batch = batch_of([sample], books, loaded)
        labels = torch.where(batch.chosen, batch.ids, -100)
        pixels, grids = patchify_all(
            [decoded(shown.picture.data) for shown in batch.pictures], loaded.folder.geometry
        )
        with torch.no_grad():
            wanted = (
                type(model)
                .forward(
                    model,
                    input_ids=batch.ids,
                    attention_mask=torch.ones_like(batch.ids),
                    pixel_values=torch.from_numpy(pixels),
                    image_grid_thw=torch.from_numpy(grids),
                    mm_token_type_ids=batch.pads.int(),
                    labels=labels,
                )
                .loss
            )
            found = sft_loss(model, batch)
        assert found.item() == pytest.approx(wanted.item(), abs=1e-4)


def test_padding_makes_no_difference(
    samples: list[Sample], books: PictureBooks, loaded: LocalModel, model: Any
) -> None:
    chosen = [samples[0], samples[3], samples[9]]
    with torch.no_grad():
        alone = [sft_loss(model, batch_of([sample], books, loaded)) for sample in chosen]
        together = sft_loss(model, batch_of(chosen, books, loaded))
    counts = [int(sample.chosen_T.sum()) for sample in chosen]
    mean = sum(loss * count for loss, count in zip(alone, counts, strict=True)) / sum(counts)
    assert together.item() == pytest.approx(float(mean), abs=1e-4)


def test_what_others_wrote_is_no_target(
    samples: list[Sample], books: PictureBooks, loaded: LocalModel, model: Any
) -> None:
    batch = batch_of([samples[0]], books, loaded)
    last = int(batch.chosen[0].nonzero()[-1])
    changed = batch.ids.clone()
    changed[0, last + 1 :] = 5  # after the last turn: seen by nothing that is learned
    with torch.no_grad():
        one = sft_loss(model, batch)
        two = sft_loss(model, replace(batch, ids=changed))
    assert one.item() == two.item()


@pytest.mark.parametrize("weigh", [lesson_weights(box=3, sign=1), lesson_weights(box=1, sign=3)])
def test_boxes_and_signs_count_as_much_as_is_said(
    shards: list[Path], books: PictureBooks, loaded: LocalModel, model: Any, weigh: Weigh
) -> None:
    read = read_samples(shards, loaded.vocabulary, loaded.folder.geometry, weigh=weigh)
    weighed = batch_of([next(s for s in read if (s.weight_T == 3).any())], books, loaded)
    some, even = weighed.weights == 3, replace(weighed, weights=torch.ones_like(weighed.weights))
    others, those = (replace(even, chosen=chosen) for chosen in (even.chosen & ~some, some))
    with torch.no_grad():
        of_others, of_those = (sft_loss(model, one).item() for one in (others, those))
        found = sft_loss(model, weighed).item()
    few, many = int(some.sum()), int(others.chosen.sum())
    assert found == pytest.approx((of_others * many + 3 * of_those * few) / (many + 3 * few), abs=1e-5)


def test_a_tower_that_is_trained_gets_gradients_and_a_frozen_one_none(
    samples: list[Sample], books: PictureBooks, loaded: LocalModel
) -> None:
    batch = batch_of([samples[0]], books, loaded)
    weight = loaded.model.model.visual.blocks[0].attn.qkv.weight
    for frozen in (True, False):
        loaded.model.zero_grad(set_to_none=True)
        install_forward(loaded, frozen=frozen)
        sft_loss(loaded.model, batch).backward()
        assert (weight.grad is None) is frozen
    loaded.model.zero_grad(set_to_none=True)


def test_a_run_that_was_killed_ends_with_the_weights_and_metrics_of_one_that_was_not(
    small: Path, trajectories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = config(small, trajectories)
    whole = weights(run.train_sft(told, tmp_path / "whole", note=lambda _: None))

    class Kill(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 3:
                raise KeyboardInterrupt

    make: Callable[..., Any] = run.make_trainer

    def make_one_that_dies(*given: Any) -> Any:
        trainer = make(*given)
        trainer.add_callback(Kill())
        return trainer

    monkeypatch.setattr(run, "make_trainer", make_one_that_dies)
    with pytest.raises(KeyboardInterrupt):
        run.train_sft(told, tmp_path / "cut", note=lambda _: None)
    monkeypatch.setattr(run, "make_trainer", make)
    assert not (tmp_path / "cut" / "model").exists()
    (tmp_path / "cut" / "checkpoints" / "checkpoint-3").mkdir()  # one that was cut off is passed over
    resumed = weights(run.train_sft(told, tmp_path / "cut", note=lambda _: None))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    lines = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "cut")]
    assert lines[0] == lines[1]
    assert [json.loads(line)["step"] for line in lines[0].splitlines()] == [1, 2, 3, 4, 5]
    start = weights(small)
    same = {name for name in whole if torch.equal(whole[name].float(), start[name].bfloat16().float())}
    assert same == {name for name in whole if "visual." in name}  # the tower is frozen, all else has learned
    with pytest.raises(ConfigError, match="another configuration"):
        run.train_sft(config(small, trajectories, steps=6), tmp_path / "cut", note=lambda _: None)


def test_a_finished_run_is_not_trained_again(small: Path, trajectories: Path, tmp_path: Path) -> None:
    told = config(small, trajectories, steps=4)  # of more than the trajectories give, and a checkpoint at its end
    first = weights(run.train_sft(told, tmp_path / "run", note=lambda _: None))
    before = (tmp_path / "run" / "metrics.jsonl").read_text()
    again = weights(run.train_sft(told, tmp_path / "run", note=lambda _: None))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == before
    assert newest_checkpoint(tmp_path / "run") == tmp_path / "run" / "checkpoints" / "checkpoint-4"


def test_half_of_what_the_expert_was_told_is_refused(small: Path, trajectories: Path, tmp_path: Path) -> None:
    stages = [{"windows": 24, "sizes": {2: 1}, "shapes": {0: 1}}]
    shutil.copytree(trajectories, tmp_path / "half")
    told = SynthesisConfig.model_validate({"gallery": "g", "stages": stages, "shard": 8})
    (tmp_path / "half" / "config.yaml").write_text(resolved(told))
    with pytest.raises(DataError, match="half: 2 of 3 files are there; run `vretrver train expert` again"):
        train_agent(config(small, tmp_path / "half"), tmp_path / "run", note=lambda _: None)


@pytest.mark.parametrize("several", ["n_gpu", "world_size"])
def test_several_devices_are_refused(
    small: Path, trajectories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, several: str
) -> None:
    monkeypatch.setattr(TrlConfig, several, 2)
    with pytest.raises(ConfigError, match="trains on one device; show it one GPU with CUDA_VISIBLE_DEVICES=0"):
        run.train_sft(config(small, trajectories), tmp_path / "run", note=lambda _: None)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_librarys_optimiser_trains_in_32_bits(
    small: Path, trajectories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mixed: bool
) -> None:
    kinds: set[torch.dtype] = set()

    def noted(model: Any, hidden: torch.Tensor) -> torch.Tensor:
        kinds.add(model.lm_head(hidden).dtype)
        return logits_of(model, hidden)

    monkeypatch.setattr(forward, "logits_of", noted)
    given = {"optimiser": "adamw", "dtype": "float32", "lr": 1e-5, "trainer": {"bf16": mixed}}
    told = config(small, trajectories, steps=2, **given)
    trained, begun = weights(run.train_sft(told, tmp_path / "run", note=lambda _: None)), weights(small)
    moved = {name for name in trained if not torch.equal(trained[name], begun[name].float())}
    assert moved == {name for name in trained if "visual." not in name}
    assert kinds == {torch.bfloat16 if mixed else torch.float32}


def test_the_loss_falls(small: Path, trajectories: Path, tmp_path: Path) -> None:
    told = config(small, trajectories, steps=20, lr=1e-2, trainer={"logging_steps": 1, "warmup_steps": 2})
    run.train_sft(told, tmp_path / "run", note=lambda _: None)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.6 * losses[0]
    assert (tmp_path / "run" / "metrics.svg").read_text().startswith("<svg")


def test_a_trained_small_agent_loads_in_plain_transformers(tokens: Path, trajectories: Path, tmp_path: Path) -> None:
    told = config(Path(), trajectories, start={"tokenizer": tokens}, steps=1)
    folder = train_agent(told, tmp_path / "run", note=lambda _: None)
    with quiet():
        model = AutoModelForImageTextToText.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        pictures = AutoImageProcessor.from_pretrained(folder)
    assert model.dtype == torch.bfloat16
    assert type(model).__name__ == "Qwen3VLForConditionalGeneration"
    assert model.config.vision_config.deepstack_visual_indexes == [1]
    text = tokenizer.apply_chat_template([{"role": "user", "content": "red mug"}], tokenize=False)
    assert text == "<|im_start|>user\nred mug<|im_end|>\n"
    assert pictures(Image.new("RGB", (96, 96)), return_tensors="pt")["pixel_values"].shape == (36, 1536)
    recipe = agent_recipe_of(folder)
    assert recipe is not None
    assert (recipe.dialect, recipe.views) == ("vretrver", VIEWS)


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"trainer": {"warm_steps": 3}}, ConfigError, r"trainer: .*warm_steps"),
        ({"trajectories": "."}, DataError, "no trajectories with their pictures"),
        ({"start": {"folder": "none"}}, ConfigError, "none: no such folder; name a folder"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    small: Path, trajectories: Path, tmp_path: Path, changed: dict[str, Any], error: type[Exception], said: str
) -> None:
    told = config(small, **{"trajectories": trajectories, **changed})
    with pytest.raises(error, match=said):
        train_agent(told, tmp_path / "run", note=lambda _: None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "adamw keeps no 32-bit masters and loses small steps; set dtype to float32"),
        ({"dtype": "float32", "vision_lr": 0.1}, "adamw has one learning rate; set vision_lr to 0 .* or 1"),
    ],
)
def test_what_the_librarys_optimiser_cannot_do_is_refused(
    small: Path, trajectories: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        config(small, trajectories, optimiser="adamw", **changed)


@pytest.mark.parametrize("argument", ["max_steps", "learning_rate", "output_dir"])
def test_an_argument_that_other_keys_decide_is_refused(small: Path, trajectories: Path, argument: str) -> None:
    with pytest.raises(ValueError, match=f"{argument} is decided by other keys"):
        config(small, trajectories, trainer={argument: 1})

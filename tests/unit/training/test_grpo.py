"""Pins that reinforcement learning can be built on samples: TRL's trainer with two methods replaced, real rollouts.

Our driver samples groups that share their opening; TRL's loop, buffer, optimiser and accelerate do the rest. What is
trained on is what was read: log-probabilities of the training pass agree with the sampler's, through pictures of
later turns, and a picture that changes moves the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from PIL import Image
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.driver import Driver
from vretrver.agent.policy import Sampling
from vretrver.agent.reranker import Reranker
from vretrver.agent.session import rank_group
from vretrver.agent.trajectory import PictureShown, Trajectory
from vretrver.errors import ParityError
from vretrver.images import encode_picture
from vretrver.models.loading import LocalModel, load_model
from vretrver.models.shipped import AGENT, shipped_folder
from vretrver.policies.local.policy import LocalPolicy
from vretrver.training.book import RecordedPolicy
from vretrver.training.forward import install_forward
from vretrver.training.sft.batches import Batch, collate
from vretrver.training.sft.samples import Sample, sample_of
from vretrver.world.draw.plan import make_plan
from vretrver.world.draw.tasks import SHAPES, make_world
from vretrver.world.drawn import DrawnStore
from vretrver.world.expert.windows import Practice, WindowSampler
from vretrver.world.tiny.views import VIEWS

GROUP = 2
"""Rollouts of one window."""


class Memory(dict[str, bytes]):
    """A picture book in memory."""

    def put(self, pictures: Any) -> None:
        self.update((shown.picture.sha256, shown.picture.data) for shown in pictures)


class Rollouts:
    """Samples groups of the shipped agent over drawn windows, and keeps the pictures it was shown."""

    def __init__(self, loaded: LocalModel) -> None:
        world = make_world(7, make_plan(7, 30))
        shots = {p: item.shot(v) for item in world.items for v, p in enumerate((item.picture, item.query_picture))}
        self.loaded, self.store, self.sampler = loaded, DrawnStore(shots), WindowSampler(world, seed=7)
        self.pictures = Memory()

    def practice(self, number: int) -> Practice:
        return self.sampler.window(number, shape=SHAPES[0], size=2)

    def of(self, numbers: Sequence[int], *, seed: int) -> list[tuple[Trajectory, ...]]:
        """Return a group for each window."""
        policy = RecordedPolicy(LocalPolicy(self.loaded, in_flight=16), self.pictures)
        config = AgentConfig(
            dialect=vretrver(),
            views=VIEWS,
            sampling=Sampling(temperature=1.0, max_tokens=96, seed=seed),
            complete_answers=False,
        )
        setup = Reranker(policy, self.store, config).setup
        tasks = [self.practice(number).task for number in numbers]
        done = dict(Driver[tuple[Trajectory, ...]](policy).run(rank_group(task, setup, GROUP) for task in tasks))
        policy.close()
        return [done[place] for place in range(len(numbers))]

    def batch(self, samples: Sequence[Sample]) -> Batch:
        vocabulary = self.loaded.vocabulary
        return collate(samples, self.pictures, picture_pad=vocabulary.picture_pad, filler=vocabulary.turn_end)


class Trainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer with its generation-and-scoring and its loss replaced, and nothing else."""

    rollouts: Rollouts
    gaps: list[float]
    revisions: list[int]

    def _generate_and_score_completions(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        loaded = self.rollouts.loaded
        numbers = [row["number"] for row in rows[::GROUP]]
        loaded.model.eval()
        groups = self.rollouts.of(numbers, seed=self.state.global_step)
        loaded.model.train()
        advantages, samples = [], []
        for number, group in zip(numbers, groups, strict=True):
            practice = self.rollouts.practice(number)
            right = practice.task.candidates[practice.target - 1].did
            rewards = np.array([0.0 if one.ranking is None else 1 / (1 + one.ranking.index(right)) for one in group])
            rewards += np.linspace(0, 0.1, GROUP)  # so that no group is without a signal
            advantages += ((rewards - rewards.mean()) / (rewards.std() + 1e-4)).tolist()
            samples += [sample_of(one, loaded.vocabulary, loaded.folder.geometry) for one in group]
            self.revisions += [one.revision for one in group]
        assert any(_looked(one) for group in groups for one in group)  # else later pictures would go untested
        tokens = sum(int(sample.chosen_T.sum()) for sample in samples)
        return {
            "advantages": torch.tensor(advantages),
            "num_items_in_batch": torch.tensor(tokens),
            "samples": samples,
        }

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        batch = self.rollouts.batch(inputs["samples"])
        assert batch.logprobs is not None
        chosen = batch.chosen[:, 1:]
        logprobs = model(batch=batch)
        old = batch.logprobs[:, 1:][chosen]
        self.gaps.append(float((logprobs.detach() - old).abs().max()))
        advantage = inputs["advantages"][:, None].expand(chosen.shape)[chosen]
        ratio = (logprobs - old).exp()
        return -torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        super(GRPOTrainer, self).log(logs, start_time)


def _looked(rollout: Trajectory) -> bool:
    """Say whether a call of a turn brought back a picture."""
    return any(isinstance(shown, PictureShown) and shown.turn is not None for shown in rollout.shown)


class Updates(TrainerCallback):
    """Counts every step as an update of the weights."""

    def __init__(self, loaded: LocalModel) -> None:
        self.loaded = loaded

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.loaded.updated(tower=False)


@pytest.fixture(scope="module")
def rollouts() -> Rollouts:
    loaded = load_model(shipped_folder(AGENT), dtype="float32", device="cpu")
    loaded.model.model.visual.requires_grad_(False)
    return Rollouts(loaded)


def _trainer(rollouts: Rollouts, folder: Path) -> Trainer:
    arguments = GRPOConfig(
        output_dir=str(folder),
        max_steps=2,
        per_device_train_batch_size=GROUP,
        num_generations=GROUP,
        steps_per_generation=1,
        gradient_accumulation_steps=1,
        learning_rate=1e-5,
        beta=0.0,
        max_completion_length=512,
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        report_to="none",
        logging_steps=1,
        disable_tqdm=True,
        save_strategy="no",
        remove_unused_columns=False,
    )
    trainer = Trainer(
        model=rollouts.loaded.model,
        reward_funcs=[lambda completions, **_: [0.0] * len(completions)],
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": ["-"] * 4, "number": [0, 1, 2, 3]}),
        processing_class=PreTrainedTokenizerFast.from_pretrained(str(rollouts.loaded.folder.path)),
    )
    install_forward(rollouts.loaded, frozen=True)
    trainer.rollouts, trainer.gaps, trainer.revisions = rollouts, [], []

    trainer.add_callback(Updates(rollouts.loaded))
    return trainer


def test_trl_takes_two_steps_on_what_was_sampled(rollouts: Rollouts, tmp_path: Path) -> None:
    trainer = _trainer(rollouts, tmp_path)
    weight = rollouts.loaded.model.model.language_model.layers[0].self_attn.q_proj.weight
    before, name = weight.detach().clone(), rollouts.loaded.fingerprint
    trainer.train()
    assert trainer.state.global_step == 2
    assert not torch.equal(before, weight)
    assert max(trainer.gaps) < 1e-4
    assert trainer.revisions == [0] * GROUP + [1] * GROUP
    assert rollouts.loaded.fingerprint == f"{name} revision 2"


@pytest.fixture(scope="module")
def looked(rollouts: Rollouts) -> Trajectory:
    """A rollout that was shown a picture after its first turn."""
    for seed in range(5, 20):
        for one in rollouts.of([0], seed=seed)[0]:
            if _looked(one):
                return one
    raise AssertionError("no rollout looked")


def test_a_picture_of_a_later_turn_that_is_changed_moves_the_loss(rollouts: Rollouts, looked: Trajectory) -> None:
    install_forward(rollouts.loaded, frozen=True)
    sample = sample_of(looked, rollouts.loaded.vocabulary, rollouts.loaded.folder.geometry)
    place = len(looked.pictures)  # the first picture that a call brought back
    grey = encode_picture(Image.new("RGB", sample.sizes[place], (128, 128, 128)))
    rollouts.pictures[grey.sha256] = grey.data
    pictures = tuple(grey.sha256 if n == place else one for n, one in enumerate(sample.pictures))
    with torch.no_grad():
        one, two = (
            rollouts.loaded.model(batch=rollouts.batch([which]))
            for which in (sample, replace(sample, pictures=pictures))
        )
    assert one.shape == two.shape
    first_turn = int(sample.chosen_T[: sample.chosen_T.argmax() + looked.turns[0].usage.completion_tokens].sum())
    assert torch.equal(one[: first_turn - 1], two[: first_turn - 1])  # written before the picture was shown
    assert (one - two).abs().max() > 1e-3


def test_a_wrong_number_of_pictures_is_an_error_and_is_not_trained_on(rollouts: Rollouts, looked: Trajectory) -> None:
    vocabulary, geometry = rollouts.loaded.vocabulary, rollouts.loaded.folder.geometry
    sample = sample_of(looked, vocabulary, geometry)
    with pytest.raises(ParityError, match="picture marks"):
        rollouts.batch([replace(sample, pictures=sample.pictures[:-1], grids=sample.grids[:-1])])
    smaller = replace(looked.shown[0], width=32, height=32)  # a server that showed it at another size
    with pytest.raises(ParityError, match=r"turn 1: the policy read \d+ tokens and \d+ are before the turn here"):
        sample_of(replace(looked, shown=(smaller, *looked.shown[1:])), vocabulary, geometry)

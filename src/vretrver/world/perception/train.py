"""The perception run: the tower and its heads, step by step, resumable to the bit."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLVisionModel

from ...errors import ConfigError
from ...files import replace_file
from ...models.vision_pass import run_tower
from ...models.vocabulary import Vocabulary
from ...training.curves import CURVES_FILE, write_curves
from ...training.folder import TrainingFolder
from ...training.muon import Muon, muon_groups
from ..gallery import Gallery
from ..tiny.config import AGENT_SIZE, tiny_config
from ..tiny.make import saved_state
from .config import PerceptionConfig
from .heads import Heads
from .pictures import GalleryPictures, PictureBatch
from .questions import marks_accuracies, marks_loss, whole_accuracies, whole_loss

TOWER_FILE = "tower.pt"
"""The trained tower: a state dict in 32 bits, ready for the language model."""

SPREAD = 0.5
"""Standard deviation of visual tokens in the finished tower: embeddings of text are of this order."""

MEASURED = 400
"""Pictures of a gallery on which accuracies, and the spread of a finished tower, are measured."""

_LEAST_LR = 0.02
_RARE = 0.3

Note = Callable[[str], None]


class Perception:
    """A tower with its heads and its optimiser.

    Args:
        config: the run.
        folder: where it is kept.
    """

    def __init__(self, config: PerceptionConfig, folder: TrainingFolder) -> None:
        self.config, self.folder = config, folder
        tokenizer = Vocabulary.of_folder(config.tokenizer).backend
        self.tower, self.heads = _initialised(tiny_config(AGENT_SIZE, tokenizer), config.seed)
        if config.start is not None:
            self._continue_from(config.start)
        named = [*self.tower.named_parameters(), *((f"heads.{n}", p) for n, p in self.heads.named_parameters())]
        self.optimizer = Muon(muon_groups(named), lr=config.lr)
        self.done = 0

    def _continue_from(self, checkpoint: Path) -> None:
        state = saved_state(checkpoint)
        try:
            self.tower.load_state_dict(state["tower"])
            self.heads.load_state_dict(state["heads"])
        except (KeyError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"{checkpoint}: not a checkpoint of a perception run ({reason})") from error

    def resume(self) -> None:
        """Continue from the folder's checkpoint, if there is one."""
        state = self.folder.load()
        if state is not None:
            self.tower.load_state_dict(state["tower"])
            self.heads.load_state_dict(state["heads"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.done = int(state["step"])

    def save(self) -> None:
        """Write a checkpoint."""
        self.folder.save(
            {
                "step": self.done,
                "tower": self.tower.state_dict(),
                "heads": self.heads.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            }
        )

    def step(self, batch: Sequence[PictureBatch], pictures: GalleryPictures) -> float:
        """Take one step on a batch and return its loss."""
        config = self.config
        rate = config.lr * min(1.0, (self.done + 1) / max(config.warm_up, 1))
        rate *= max(_LEAST_LR, 0.5 * (1 + math.cos(math.pi * self.done / config.steps)))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        total = 0.0
        for seen in batch:
            loss = self._loss(seen, pictures)
            loss.backward()
            total += loss.item()
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.done += 1
        return total

    def _tokens(self, seen: PictureBatch) -> Tensor:
        """Return visual tokens with the deepstack features added, [N, T, width]."""
        tokens, deepstack = self._features(seen)
        return tokens + torch.stack(deepstack).sum(0)

    def _features(self, seen: PictureBatch) -> tuple[Tensor, tuple[Tensor, ...]]:
        _, rows, columns = seen.grids[0].tolist()
        patches = seen.patches.to(torch.bfloat16).unflatten(0, (len(seen.rows), -1))
        return run_tower(self.tower, patches, (rows, columns))

    def _loss(self, seen: PictureBatch, pictures: GalleryPictures) -> Tensor:
        tokens = self._tokens(seen)
        if seen.kind == "thumbnail":
            return whole_loss(self.heads, tokens, seen, pictures.targets)
        if seen.kind == "select":
            return _RARE * whole_loss(self.heads, tokens, seen, pictures.targets)
        weight = 1.0 if seen.kind == "label" else _RARE
        return weight * marks_loss(self.heads, tokens, seen, pictures.targets)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def accuracies(self, pictures: GalleryPictures) -> dict[str, float]:
        """Return accuracies on the first pictures of a gallery; see `questions`."""
        out: dict[str, float] = {}
        for kind, measure in (("thumbnail", whole_accuracies), ("look", marks_accuracies)):
            seen = pictures.some("thumbnail" if kind == "thumbnail" else "look", MEASURED)
            out |= measure(self.heads, self._tokens(seen), seen, pictures.targets)
        return {name: round(value, 4) for name, value in out.items()}

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def finished(self, pictures: GalleryPictures) -> dict[str, Tensor]:
        """Return the tower's weights with every merger scaled so that its tokens have the spread `SPREAD`."""
        seen = pictures.some("thumbnail", MEASURED)
        tokens, deepstack = self._features(seen)
        state = {name: value.float().clone() for name, value in self.tower.state_dict().items()}
        mergers = {"merger": tokens}
        mergers |= {f"deepstack_merger_list.{k}": features for k, features in enumerate(deepstack)}
        for name, features in mergers.items():
            factor = SPREAD / features.float().std().item()
            for part in ("weight", "bias"):
                state[f"{name}.linear_fc2.{part}"] *= factor
        return state


def _initialised(config: Any, seed: int) -> tuple[Any, Heads]:
    """Return a tower and heads with random weights; the library draws them from the process's own generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = Qwen3VLVisionModel._from_config(config.vision_config, attn_implementation="sdpa")
        return tower.to(torch.bfloat16), Heads(AGENT_SIZE.hidden).to(torch.bfloat16)


def train_perception(config: PerceptionConfig, out: Path, *, note: Note) -> Path:
    """Run perception training to its end, resuming an interrupted run, and return the tower's file.

    Args:
        config: the run.
        out: its folder.
        note: called with lines of progress for a person.

    Raises:
        ConfigError: the folder belongs to another configuration.
        DataError: a gallery is missing.
    """
    galleries = Gallery(config.gallery), Gallery(config.held_out)
    folder = TrainingFolder(out, config)
    run = Perception(config, folder)
    run.resume()
    pictures, held_out = (GalleryPictures(gallery, config.batch, seed=config.seed) for gallery in galleries)
    started, first, losses = time.monotonic(), run.done, []
    for batch in pictures.steps(run.done, config.steps):
        losses.append(run.step(batch, pictures))
        last = run.done == config.steps
        if run.done % config.note_every == 0 or last:
            pace = (time.monotonic() - started) / (run.done - first)
            folder.note(run.done, {"loss": round(sum(losses) / len(losses), 4), "seconds": round(pace, 3)})
            note(f"step {run.done}/{config.steps} loss {sum(losses) / len(losses):.3f}, {pace:.2f} s a step")
            losses = []
        if run.done % config.save_every == 0 or last:
            accuracies = run.accuracies(held_out)
            folder.note(run.done, {"held_out": accuracies})
            note(" ".join(f"{name} {value:.3f}" for name, value in accuracies.items()))
            run.save()
    write_curves(out / CURVES_FILE, folder.metrics(), title="train perception")
    stream = io.BytesIO()
    torch.save(run.finished(held_out), stream)
    replace_file(out / TOWER_FILE, stream.getvalue())
    return out / TOWER_FILE

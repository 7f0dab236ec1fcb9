"""The folder of a training run: its configuration, its metrics line by line, its checkpoints.

Checkpoints are written atomically. When a run is resumed, metrics after the last checkpoint are discarded, so that an
interrupted run ends with the same file as an uninterrupted one.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from .._optional import require
from ..config import config_hash, resolved, values_of
from ..errors import ConfigError
from ..files import replace_file

METRICS_FILE = "metrics.jsonl"
"""One JSON object a line, each with the step it belongs to."""

CHECKPOINT_FILE = "checkpoint.pt"
"""The newest checkpoint."""

CONFIG_FILE = "config.yaml"
"""The resolved configuration."""


class TrainingFolder:
    """A run's folder.

    Args:
        path: the folder; made when it is missing.
        config: the run's settings; a folder made with others is refused.

    Raises:
        ConfigError: the folder belongs to another configuration.
    """

    def __init__(self, path: Path, config: BaseModel) -> None:
        self.path = path
        self.hash = config_hash(config)
        path.mkdir(parents=True, exist_ok=True)
        existing = path / CONFIG_FILE
        if existing.is_file() and values_of(existing) != config.model_dump(mode="json"):
            raise ConfigError(f"{path}: holds a run of another configuration; choose another folder or remove it")
        replace_file(existing, f"# sha256 {self.hash}\n{resolved(config)}".encode())

    def note(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Append metrics of a step."""
        with (self.path / METRICS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **metrics}) + "\n")

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the last checkpoint; `state` holds its `step`."""
        stream = io.BytesIO()
        require("torch", extra="train").save(dict(state), stream)
        replace_file(self.path / CHECKPOINT_FILE, stream.getvalue())

    def load(self) -> dict[str, Any] | None:
        """Return the newest checkpoint, or None, and drop the metrics of later steps."""
        path = self.path / CHECKPOINT_FILE
        if not path.is_file():
            self.keep_until(-1)
            return None
        torch = require("torch", extra="train")
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.keep_until(int(state["step"]))
        return state

    def metrics(self) -> list[dict[str, Any]]:
        """Return all metrics, in order; a truncated last line is left out."""
        path = self.path / METRICS_FILE
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def keep_until(self, step: int) -> None:
        """Discard the metrics of later steps: they are noted again when the run continues from `step`."""
        kept = [entry for entry in self.metrics() if entry["step"] <= step]
        replace_file(self.path / METRICS_FILE, "".join(json.dumps(entry) + "\n" for entry in kept).encode())

"""An encoder as sentence-transformers trains it: items in, vectors out, by the functions that encode later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from sentence_transformers.base.modules import InputModule
from torch import nn

from ...images import Pictures
from ...records import Candidate, Query
from ...retrieval.layouts.backbone import Collator, Features, embed
from ...retrieval.layouts.rendering import Renderer

WEIGHTS_FILE = "weights.pt"
"""Name of the weights in a checkpoint."""


class ItemModule(InputModule):  # type: ignore[misc]
    """Renders items in a layout and embeds them.

    Args:
        model: a model of transformers for generation.
        renderer: writes items down.
        collator: makes batches.
        store: opens the pictures.
    """

    def __init__(self, model: nn.Module, renderer: Renderer, collator: Collator, store: Pictures) -> None:
        super().__init__()
        self.body = model
        self.renderer = renderer
        self.collator = collator
        self.store = store

    @property
    def modalities(self) -> list[Any]:
        """What items are made of."""
        return ["text", "image"]

    def preprocess(self, inputs: Sequence[Query | Candidate], prompt: str | None = None, **_: Any) -> Features:
        """Return a batch of queries or candidates; `prompt` has no place, an item's own instruction is used."""
        if prompt:
            raise ValueError("the layout decides the text before an item; give queries an instruction instead")
        rendered = [
            self.renderer.render(item.parts, item.instruction if isinstance(item, Query) else "", self.store)
            for item in inputs
        ]
        return self.collator.features(rendered)

    def forward(self, features: Features, **_: Any) -> Features:
        """Return the batch with `sentence_embedding`, [B, D] float32 of length 1."""
        return {**features, "sentence_embedding": embed(self.body, features)}

    def get_embedding_dimension(self) -> int:
        """Return D."""
        return int(self.body.config.get_text_config().hidden_size)

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Write the weights of the model to a folder."""
        torch.save(self.body.state_dict(), Path(output_path) / WEIGHTS_FILE)

    def restore(self, folder: Path) -> None:
        """Take the weights of a folder that `save` wrote to."""
        self.body.load_state_dict(torch.load(folder / WEIGHTS_FILE, map_location="cpu", weights_only=True))

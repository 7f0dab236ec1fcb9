"""The encoder over a Qwen-VL folder: items are rendered in its layout, sorted by length and run in batches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...images import Pictures
from ...models.folder import ModelFolder, folder_digest, open_folder
from ...models.loading import load_model
from ...models.pretrained import library_errors
from ...models.vocabulary import Vocabulary
from ...records import Candidate, Part, Query
from ..encoder import Vectors
from .backbone import Collator, embed
from .recipe import EncoderRecipe, encoder_recipe_of
from .rendering import Rendered, Renderer
from .templates import HELPFUL, TEMPLATES

BATCH_TOKENS = 16_384
"""Tokens of one batch, padding included; a longer item is a batch of its own. It bounds the memory of a pass."""

PROCESSOR = "patches-1"
"""Part of the fingerprint: how bytes become patches. It equals the stock PIL processor bit for bit."""


class LayoutEncoder:
    """Vectors of a Qwen-VL model in one layout; threads may share one.

    Args:
        model: a model of transformers for generation, in the state it is used in.
        renderer: renders items.
        collator: makes batches.
        store: opens the pictures.
        fingerprint: name of everything the vectors depend on.
        folder: the model's folder, for messages.
        batch_tokens: tokens of one batch, padding included.
    """

    def __init__(
        self,
        model: Any,
        renderer: Renderer,
        collator: Collator,
        store: Pictures,
        *,
        fingerprint: str,
        folder: Path = Path("model"),
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        self.model, self.folder = model, folder
        self.renderer = renderer
        self.collator = collator
        self.store = store
        self.batch_tokens = batch_tokens
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> str:
        """Layout and version, hash of the folder, size of pictures, length of texts, processor and number format."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Width of the language model."""
        return int(self.model.config.get_text_config().hidden_size)

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Return [N, D] float32, L2-normalised.

        Raises:
            PictureError: a picture cannot be read.
            DataError: the pictures of an item exceed the model's limit.
        """
        return self._encode([query.parts for query in queries], [query.instruction for query in queries])

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Return [N, D] float32, L2-normalised; raises as `encode_queries`."""
        return self._encode([candidate.parts for candidate in candidates], [""] * len(candidates))

    def _encode(self, items: Sequence[tuple[Part, ...]], instructions: Sequence[str]) -> Vectors:
        rendered = [
            self.renderer.render(parts, instruction, self.store)
            for parts, instruction in zip(items, instructions, strict=True)
        ]
        vectors = np.zeros((len(items), self.dimension), dtype=np.float32)
        with library_errors(self.folder, "the model cannot be run"), torch.inference_mode():
            for batch in batches_of(rendered, most_tokens=self.batch_tokens):
                features = self.collator.features([rendered[place] for place in batch])
                vectors[batch] = embed(self.model, features).cpu().numpy()
        return vectors


def open_layout(
    layout: str, path: Path, store: Pictures, *, dtype: str = "float32", device: str = "auto"
) -> LayoutEncoder:
    """Return the encoder of a Qwen-VL folder.

    Args:
        layout: a name of `TEMPLATES`.
        path: the folder, in hub layout.
        store: opens the pictures.
        dtype: number format of the weights; `auto` keeps the stored one.
        device: as torch names it; `auto` takes a GPU where there is one.

    Raises:
        ConfigError: the folder cannot be used, or was trained in another layout.
        MissingDependency: the extra `models` is not installed.
    """
    folder = open_folder(path)
    recipe = encoder_recipe_of(path, TEMPLATES[layout], cell=folder.geometry.cell)
    loaded = load_model(path, dtype=dtype, device=device)
    return LayoutEncoder(
        loaded.model,
        renderer_of(folder, loaded.vocabulary, recipe),
        collator_of(folder, loaded.vocabulary),
        store,
        fingerprint=_fingerprint(folder, recipe, dtype=str(loaded.dtype).removeprefix("torch.")),
        folder=path,
    )


def renderer_of(folder: ModelFolder, vocabulary: Vocabulary, recipe: EncoderRecipe) -> Renderer:
    """Return the renderer of a folder."""
    vocabulary.backend.no_truncation()
    vocabulary.backend.no_padding()
    return Renderer(
        TEMPLATES[recipe.layout],
        vocabulary.backend,
        system="" if folder.family == "qwen3_vl" else HELPFUL,
        rule=recipe.pictures,
        text_tokens=recipe.text_tokens,
        most_tokens=min(folder.context_tokens, _tokenizer_limit(folder.path)),
    )


def collator_of(folder: ModelFolder, vocabulary: Vocabulary) -> Collator:
    """Return what makes batches for a folder."""
    return Collator(folder.geometry, picture_pad=vocabulary.picture_pad, fill=vocabulary.turn_end)


def batches_of(items: Sequence[Rendered], *, most_tokens: int) -> Iterator[list[int]]:
    """Yield the places of items, the longest first, in batches of at most `most_tokens` with padding."""
    order = sorted(range(len(items)), key=lambda place: -len(items[place].ids))
    batch: list[int] = []
    for place in order:
        if batch and (len(batch) + 1) * len(items[batch[0]].ids) > most_tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _fingerprint(folder: ModelFolder, recipe: EncoderRecipe, *, dtype: str) -> str:
    template = TEMPLATES[recipe.layout]
    parts = (
        f"{template.name}-{template.version}",
        f"weights={folder_digest(folder.path)}",
        str(recipe.pictures),
        f"text_tokens={recipe.text_tokens}",
        f"processor={PROCESSOR}",
        f"dtype={dtype}",
    )
    return " ".join(parts)


def _tokenizer_limit(folder: Path) -> int:
    """Return the token limit in the folder's tokenizer_config.json; a very large number where it has none."""
    try:
        limit = json.loads((folder / "tokenizer_config.json").read_bytes()).get("model_max_length")
    except (OSError, ValueError, AttributeError):
        return 10**9
    return int(limit) if isinstance(limit, int | float) and limit > 0 else 10**9

"""The encoder over a CLIP or SigLIP folder: a tower for texts, one for pictures, and their sum for items with both.

The sum of the normalised vectors, brought to length 1, is UniIR's score fusion. These models follow no instruction,
so a query's is left out. A text that is too long for the tower is cut at its end; the pooled token is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..._optional import require
from ..._text import storable
from ...errors import ConfigError
from ...geometry import SizeRule
from ...images import Thumbnails
from ...models.folder import check_towers, folder_digest
from ...models.pretrained import library_errors, open_part, open_weights
from ...models.vetting import read_object, vet_folder
from ...records import Candidate, ImageRef, Part, Query, pictures_in, text_in
from ..encoder import Vectors

T = TypeVar("T")
Floats = NDArray[np.float64]

VERSION = "clip-1"
"""Part of the fingerprint; changes whenever a vector changes."""

FAMILIES = ("clip", "siglip")
"""`model_type` of the folders that can be opened."""

BATCH = 32
"""Texts or pictures run at once."""

_MOST_ASPECT = 4  # the processor crops to the middle anyway; this bounds the memory of a long strip


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortEdge:
    """A size rule: the shorter side as the processor will crop it, the longer one in proportion, up to four times."""

    cell: int
    """Pixels of the shorter side."""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) shown."""
        short = min(width, height)
        most = _MOST_ASPECT * self.cell
        return min(round(width * self.cell / short), most), min(round(height * self.cell / short), most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A size rule: one square for every picture, as SigLIP's processor makes it."""

    cell: int
    """Pixels of a side."""

    def fit(self, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002 - the interface of a size rule
        """Return the (width, height) shown."""
        return self.cell, self.cell


class ClipEncoder:
    """Vectors of a CLIP or SigLIP model.

    Args:
        folder: the model's folder, in hub layout.
        store: opens the pictures.
        dtype: number format of the weights; `auto` keeps the stored one.
        device: as torch names it; `auto` takes a GPU where there is one.

    Raises:
        ConfigError: the folder cannot be used.
        MissingDependency: the extra `models` is not installed.
    """

    def __init__(self, folder: Path, store: Thumbnails, *, dtype: str = "float32", device: str = "auto") -> None:
        self.store, self._folder = store, folder
        vet_folder(folder)
        config = read_object(folder / "config.json")
        family = str(config.get("model_type"))
        if family not in FAMILIES:
            raise ConfigError(f"{folder} is a {family} model; the layout clip opens {' and '.join(FAMILIES)} models")
        check_towers(folder, config, family)
        self._torch = require("torch", extra="models")
        self._model, self._tokenizer, self._processor = _loaded(folder, dtype=dtype, device=device)
        with library_errors(folder, "config.json cannot be used"):
            places = int(self._model.config.text_config.max_position_embeddings)
            side = int(self._model.config.vision_config.image_size)
            if places < 1 or side < 1:
                raise ValueError(f"texts of {places} tokens, pictures of {side} px")
        self._text = {
            "padding": True if family == "clip" else "max_length",  # SigLIP pools the last place, padding or not
            "truncation": True,
            "max_length": places,
            "return_tensors": "pt",
        }
        self.rule: SizeRule = ShortEdge(cell=side) if family == "clip" else Square(cell=side)
        self._given = ("input_ids", "attention_mask") if family == "clip" else ("input_ids",)
        dtype = str(self._model.dtype).removeprefix("torch.")
        processor = type(self._processor).__name__
        self._fingerprint = (
            f"{VERSION} weights={folder_digest(folder)} {self.rule} processor={processor} dtype={dtype}"
        )

    @property
    def fingerprint(self) -> str:
        """Version, hash of the folder, size of pictures, processor and number format."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Width of the joint space of both towers."""
        config = self._model.config
        return int(getattr(config, "projection_dim", None) or config.text_config.projection_size)

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Return [N, D] float32, L2-normalised; raises PictureError when a picture cannot be read."""
        return self._encode([query.parts for query in queries])

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Return [N, D] float32, L2-normalised; raises PictureError when a picture cannot be read."""
        return self._encode([candidate.parts for candidate in candidates])

    def _encode(self, items: Sequence[tuple[Part, ...]]) -> Vectors:
        """Return for each item the normalised sum of the vectors of its text and pictures."""
        texts = [(row, text) for row, parts in enumerate(items) if (text := text_in(parts))]
        pictures = [(row, ref) for row, parts in enumerate(items) for ref in pictures_in(parts)]
        total = np.zeros((len(items), self.dimension), dtype=np.float64)
        with library_errors(self._folder, "the model cannot be run"):
            for rows, vectors in (self._run(pictures, self._of_pictures), self._run(texts, self._of_texts)):
                np.add.at(total, rows, vectors)
        lengths = np.linalg.norm(total, axis=1, keepdims=True)
        unit: Vectors = (total / np.maximum(lengths, 1e-12)).astype(np.float32)
        return unit

    def _run(self, given: Sequence[tuple[int, T]], tower: Callable[[list[T]], Any]) -> tuple[list[int], Floats]:
        """Return the rows of the given values and their vectors, [N, D], each of length 1."""
        blocks = [np.zeros((0, self.dimension))]
        with self._torch.inference_mode():
            for start in range(0, len(given), BATCH):
                out = tower([value for _, value in given[start : start + BATCH]])
                block = getattr(out, "pooler_output", out).float().cpu().numpy().astype(np.float64)
                blocks.append(block / np.linalg.norm(block, axis=1, keepdims=True))
        return [row for row, _ in given], np.concatenate(blocks)

    def _of_texts(self, texts: list[str]) -> Any:
        clean = [storable(text) for text in texts]
        read = self._tokenizer(clean, **self._text)
        return self._model.get_text_features(**{name: read[name].to(self._model.device) for name in self._given})

    def _of_pictures(self, refs: list[ImageRef]) -> Any:
        images = [self.store.thumbnail(ref, self.rule) for ref in refs]
        pixels = self._processor(images, return_tensors="pt")["pixel_values"]
        return self._model.get_image_features(pixel_values=pixels.to(self._model.device, self._model.dtype))


def _loaded(folder: Path, *, dtype: str, device: str) -> tuple[Any, Any, Any]:
    """Return model, tokenizer and image processor of a folder; nothing is downloaded, no code of it is run."""
    torch, transformers = require("torch", extra="models"), require("transformers", extra="models")
    model = open_weights(transformers.AutoModel, folder, what="the model", dtype=dtype)
    tokenizer = open_part(transformers.AutoTokenizer, folder, what="the tokenizer")
    processor = open_part(transformers.AutoImageProcessor, folder, what="the processor")
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        return model.to(where).eval(), tokenizer, processor
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"device {device!r} cannot be used ({reason}); name cpu, or a device torch sees") from error

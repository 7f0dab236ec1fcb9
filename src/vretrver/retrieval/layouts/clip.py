"""The encoder over CLIP and its kin: a tower for texts, one for pictures, and their sum for items with both.

The sum of the normalised vectors, brought to length 1, is UniIR's score fusion. These models follow no instruction,
so a query's is left out. A text that is too long for the tower is cut at its end; the pooled token is kept. SigLIP
and SigLIP 2 were trained on texts in small letters, filled up to the last place, without a mask
(google-research/big_vision#187); not all of their tokenizers see to it, so it is done here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from ...models.hub_id import shown
from ...models.pretrained import library_errors, open_part, open_weights
from ...models.vetting import read_object, vet_folder
from ...records import Candidate, ImageRef, Part, Query, pictures_in, text_in
from ..encoder import Vectors
from .sizes import PatchSizes, ShortEdge, Square

T = TypeVar("T")
Floats = NDArray[np.float64]

VERSION = "clip-1"
"""Part of the fingerprint; changes whenever a vector changes."""

BATCH = 32
"""Texts or pictures run at once."""

_MOST_SIDE, _MOST_PATCHES = 4096, 2**14  # far above any model; a folder's numbers decide about memory


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFamily:
    """How a family of models is given texts and pictures."""

    padding: bool | str
    """Of texts: True fills up to the longest of a batch, `max_length` to the model's places."""
    text: tuple[str, ...]
    """What of a tokenized text the model takes."""
    picture: tuple[str, ...] = ("pixel_values",)
    """What of a processed picture the model takes."""
    lower: bool = False
    """Whether texts are in small letters, as they were in training."""


_CLIP = ClipFamily(padding=True, text=("input_ids", "attention_mask"))
_SIGLIP = ClipFamily(padding="max_length", text=("input_ids",), lower=True)  # it pools the last place, padding or not

FAMILIES: Mapping[str, ClipFamily] = {
    "clip": _CLIP,
    "metaclip_2": _CLIP,
    "siglip": _SIGLIP,
    "siglip2": replace(_SIGLIP, picture=("pixel_values", "pixel_attention_mask", "spatial_shapes")),
}
"""`model_type` of the folders that can be opened -> how the model is used. SigLIP 2 of one size is a `siglip`."""


def check_clip(folder: Path) -> str:
    """Return the family of a folder, a key of `FAMILIES`, as its configuration files say; no weight is read.

    Raises:
        ConfigError: it names code, or is of another family.
    """
    vet_folder(folder)
    config = read_object(folder / "config.json")
    family = str(config.get("model_type"))
    if family not in FAMILIES:
        raise ConfigError(
            f"{shown(folder)} is a {family[:60]} model; the layout clip opens {', '.join(sorted(FAMILIES))} models"
        )
    check_towers(folder, config, family)
    return family


class ClipEncoder:
    """Vectors of a model of one of `FAMILIES`.

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
        family = check_clip(folder)
        self._family = FAMILIES[family]
        self._torch = require("torch", extra="models")
        self._model, self._tokenizer, self._processor = _loaded(folder, dtype=dtype, device=device)
        with library_errors(folder, "config.json cannot be used"):
            places = int(self._model.config.text_config.max_position_embeddings)
            if places < 1:
                raise ValueError(f"texts of {places} tokens")
            self.rule = _size_rule(family, self._model.config, self._processor)
        self._text = {
            "padding": self._family.padding,
            "padding_side": "right",  # whatever the tokenizer's file says: no tower was trained otherwise
            "truncation": True,
            "max_length": places,
            "return_tensors": "pt",
        }
        dtype = str(self._model.dtype).removeprefix("torch.")
        processor = type(self._processor).__name__
        letters = " texts=lower" if self._family.lower else ""
        self._fingerprint = (
            f"{VERSION} weights={folder_digest(folder)} {self.rule} processor={processor}{letters} dtype={dtype}"
        )

    @property
    def fingerprint(self) -> str:
        """Version, hash of the folder, size of pictures, processor, whether texts are lowered, number format."""
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
        clean = [storable(text.lower() if self._family.lower else text) for text in texts]
        read = self._tokenizer(clean, **self._text)
        given = {name: read[name].to(self._model.device) for name in self._family.text}
        return self._model.get_text_features(**given)

    def _of_pictures(self, refs: list[ImageRef]) -> Any:
        images = [self.store.thumbnail(ref, self.rule) for ref in refs]
        read = self._processor(images, return_tensors="pt")
        given = {name: read[name].to(self._model.device) for name in self._family.picture}
        given["pixel_values"] = given["pixel_values"].to(self._model.dtype)
        return self._model.get_image_features(**given)


def _size_rule(family: str, config: Any, processor: Any) -> SizeRule:
    """Return at what size pictures are handed to the processor; raises ValueError for sizes no model has."""
    if family == "siglip2":
        patch, most = int(processor.patch_size), int(processor.max_num_patches)
        if not (1 <= patch <= _MOST_SIDE and 1 <= most <= _MOST_PATCHES):
            raise ValueError(f"pictures of {most} patches of {patch} px")
        return PatchSizes(cell=patch, most=most)
    side = int(config.vision_config.image_size)
    if not 1 <= side <= _MOST_SIDE:
        raise ValueError(f"pictures of {side} px")
    return Square(cell=side) if family == "siglip" else ShortEdge(cell=side)


def _require_tokenizer(folder: Path) -> None:
    """Raise MissingDependency where the tokenizer is SigLIP's first, over libraries that others do without."""
    path = folder / "tokenizer_config.json"
    if path.is_file() and read_object(path).get("tokenizer_class") == "SiglipTokenizer":
        for library in ("sentencepiece", "google.protobuf"):
            require(library, extra="models")


def _loaded(folder: Path, *, dtype: str, device: str) -> tuple[Any, Any, Any]:
    """Return model, tokenizer and image processor of a folder; nothing is downloaded, no code of it is run."""
    torch, transformers = require("torch", extra="models"), require("transformers", extra="models")
    _require_tokenizer(folder)
    model = open_weights(transformers.AutoModel, folder, what="the model", dtype=dtype)
    tokenizer = open_part(transformers.AutoTokenizer, folder, what="the tokenizer")
    processor = open_part(transformers.AutoImageProcessor, folder, what="the processor")
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        return model.to(where).eval(), tokenizer, processor
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"device {device!r} cannot be used ({reason}); name cpu, or a device torch sees") from error

"""Pictures as the visual tokens a language model reads, each encoded once while it is remembered.

Pictures are known by the hash of their bytes. Those of one call that have one size are encoded as a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..errors import PictureError
from ..images import BoundedCache, Picture
from ..records import Address
from .patches import PatchGeometry, Pixels, decoded, level_table, patchify
from .vision_pass import run_tower

MEMORY = 512 * 2**20
"""Bytes of visual tokens remembered by default: about 75,000 tokens of Qwen2.5-VL-7B in 16 bits."""

PATCHES = 16_384
"""Patches in one pass of the tower, at most, which bounds its memory; a larger picture is a pass of its own."""


class AddressedPicture(Protocol):
    """A finished picture and its name in a conversation; `agent.messages.ShownPicture` is one."""

    @property
    def address(self) -> Address:
        """Its name, for messages."""
        ...

    @property
    def picture(self) -> Picture:
        """The final bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPicture:
    """A picture as a language model reads it."""

    tokens: Tensor
    """[tokens, width], row by row."""
    deepstack: tuple[Tensor, ...]
    """For each of the first layers, what is added to its output at the picture's tokens; same shape."""

    @property
    def size(self) -> int:
        """Bytes of the tensors."""
        return sum(part.numel() * part.element_size() for part in (self.tokens, *self.deepstack))

    def alone(self) -> EncodedPicture:
        """Return a copy that keeps no other picture of its batch in memory."""
        return EncodedPicture(tokens=self.tokens.clone(), deepstack=tuple(level.clone() for level in self.deepstack))


class Vision:
    """The vision tower of a model, with a memory of the pictures it has seen.

    Args:
        visual: the tower, `model.model.visual`.
        geometry: how it cuts pictures.
        memory: bytes of visual tokens remembered, at most; the least recently used go first. 0 remembers nothing.
        patches: patches in one pass, at most.
    """

    def __init__(self, visual: Any, geometry: PatchGeometry, *, memory: int = MEMORY, patches: int = PATCHES) -> None:
        self.visual = visual
        self.geometry = geometry
        self.patches = patches
        self.encoded = 0
        """Pictures that went through the tower so far."""
        self._memory: BoundedCache[EncodedPicture] = BoundedCache(memory)

    def see(self, pictures: Sequence[AddressedPicture]) -> list[EncodedPicture]:
        """Return what a model reads of pictures, without gradients; what is remembered is not encoded again.

        Raises:
            PictureError: the bytes of one cannot be decoded, or are not of the size the record says.
        """
        found = {shown.picture.sha256: self._memory.get(shown.picture.sha256) for shown in pictures}
        fresh = {shown.picture.sha256: shown for shown in pictures if found[shown.picture.sha256] is None}
        if fresh:
            pixels = [pixels_of(shown) for shown in fresh.values()]
            with torch.no_grad():
                for sha256, new in zip(fresh, self.encode(pixels), strict=True):
                    self._memory.put(sha256, new.alone(), size=new.size)
                    found[sha256] = new
        return [seen for shown in pictures if (seen := found[shown.picture.sha256]) is not None]

    def forget(self) -> None:
        """Forget all pictures, as is needed when the tower's weights have changed."""
        self._memory = BoundedCache(self._memory.limit)

    def encode(self, pixels: Sequence[Pixels]) -> list[EncodedPicture]:
        """Return what a model reads of decoded pictures, in order; with gradients where they are wanted.

        Args:
            pixels: uint8 [height, width, 3] each, both sides multiples of the cell.
        """
        groups: dict[tuple[int, int], list[int]] = {}
        for place, picture in enumerate(pixels):
            _, rows, columns = self.geometry.grid(picture.shape[1], picture.shape[0])
            groups.setdefault((rows, columns), []).append(place)
        out: dict[int, EncodedPicture] = {}
        for grid, places in groups.items():
            step = max(self.patches // (grid[0] * grid[1]), 1)
            for start in range(0, len(places), step):
                batch = places[start : start + step]
                out |= zip(batch, self._pass([pixels[place] for place in batch], grid), strict=True)
        self.encoded += len(pixels)
        return [out[place] for place in range(len(pixels))]

    def _pass(self, pixels: Sequence[Pixels], grid: tuple[int, int]) -> list[EncodedPicture]:
        """Run pictures of one size through the tower."""
        weight = self.visual.patch_embed.proj.weight
        if weight.device.type == "cpu":
            rows = torch.stack([torch.from_numpy(patchify(picture, self.geometry)) for picture in pixels])
        else:
            rows = patch_rows(torch.from_numpy(np.stack(pixels)).to(weight.device), self.geometry)
        tokens, deepstack = run_tower(self.visual, rows.to(weight.dtype), grid)
        return [
            EncodedPicture(tokens=tokens[place], deepstack=tuple(level[place] for level in deepstack))
            for place in range(len(pixels))
        ]


def patch_rows(pictures: Tensor, geometry: PatchGeometry) -> Tensor:
    """Return what `patchify` makes of each picture, computed on their device: quick on a GPU, slow on a CPU core.

    Args:
        pictures: uint8 [pictures, height, width, 3], both sides multiples of the cell.
        geometry: how they are cut.

    Returns:
        float32 [pictures, patches, values].
    """
    count, height, width, _ = pictures.shape
    _, rows, columns = geometry.grid(width, height)
    patch, merge = geometry.patch, geometry.merge
    blocks = pictures.view(count, rows // merge, merge, patch, columns // merge, merge, patch, 3)
    levels = blocks.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(count, rows * columns, 3, 1, patch * patch)
    table = torch.from_numpy(level_table(geometry.mean, geometry.std)).to(pictures.device)
    channels = torch.arange(3, device=pictures.device)[:, None, None]
    values = table[channels, levels.int()]
    return values.expand(-1, -1, -1, geometry.temporal, -1).flatten(2)


def pixels_of(shown: AddressedPicture) -> Pixels:
    """Return the pixels of a picture's exact bytes; raises PictureError when they cannot be decoded."""
    picture = shown.picture
    try:
        pixels = decoded(picture.data)
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(shown.address, f"cannot be decoded ({error}); read its file again") from error
    height, width, _ = pixels.shape
    if (width, height) != (picture.width, picture.height):
        raise PictureError(
            shown.address, f"it is {width} x {height} and its record says {picture.width} x {picture.height}"
        )
    return pixels

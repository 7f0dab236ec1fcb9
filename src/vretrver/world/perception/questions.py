"""What is asked of the tower about pictures, as losses and as accuracies.

Besides one question a picture, every patch is asked which mark has its middle in it, and whether the label does: a
tower that must only say what the whole label reads finds neither the label nor its marks in any reasonable time
(docs/log.md).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .heads import PARTS, Heads
from .pictures import PictureBatch
from .targets import SLOTS, Targets

_PLACE = 0.3
"""Weight of the label's place in 48ths of the picture, per axis; the finer questions carry most of it."""

_NOTHING = 0.2
"""Weight of patches that hold no mark, all together."""

NEAR = 32.0
"""Native pixels within which a place is counted as found, per axis: a region of 128 then holds every mark."""


def whole_loss(heads: Heads, tokens: Tensor, seen: PictureBatch, targets: Targets) -> Tensor:
    """Return the loss over whole pictures; tokens are [N, T, width]."""
    logits = heads.read_whole(tokens)
    losses = [
        functional.cross_entropy(logits[name].float(), _rows(classes, seen))
        for name, classes in targets.whole.items()
    ]
    for axis, name in enumerate("xy"):
        losses.append(_PLACE * functional.cross_entropy(logits[name].float(), _rows(targets.place[:, axis], seen)))
    patch, part = seen.patch_of(targets.label[seen.rows])
    where, within = heads.find_label(tokens)
    right = torch.from_numpy(patch)
    losses.append(functional.cross_entropy(where.float(), right))
    chosen = within[torch.arange(len(right)), right].float()
    parts = torch.from_numpy(np.clip(part * PARTS, 0, PARTS - 1).astype(np.int64))
    losses.append(functional.cross_entropy(chosen.flatten(0, 1), parts.flatten()))
    return torch.stack(losses).sum()


def marks_loss(heads: Heads, tokens: Tensor, seen: PictureBatch, targets: Targets) -> Tensor:
    """Return the loss over regions: every patch's mark, and the label from left to right."""
    there = seen.kind != "empty"
    marks = targets.marks[seen.rows] if there else np.zeros((len(seen.rows), SLOTS), np.int64)
    read = heads.read_marks(tokens).float()
    slots = functional.cross_entropy(read.flatten(0, 1), torch.from_numpy(marks).flatten())
    wanted = torch.from_numpy(patch_marks(seen, targets) if there else np.zeros(_patches(seen), np.int64)).flatten()
    logits = heads.read_patches(tokens).float().flatten(0, 1)
    nothing = functional.cross_entropy(logits[wanted == 0], wanted[wanted == 0])
    if not there:
        return slots + _NOTHING * nothing
    return 2 * slots + _NOTHING * nothing + 3 * functional.cross_entropy(logits[wanted > 0], wanted[wanted > 0])


def patch_marks(seen: PictureBatch, targets: Targets) -> np.typing.NDArray[np.int64]:
    """Return the mark with its middle in each patch, [N, patches]: 0 for none, -1 where there are two."""
    patch, _ = seen.patch_of(targets.points[seen.rows])
    wanted = np.zeros(_patches(seen), dtype=np.int64)
    for row, slot in zip(*np.nonzero(patch >= 0), strict=True):
        place = row, patch[row, slot]
        wanted[place] = targets.marks[seen.rows[row], slot] if wanted[place] == 0 else -1
    return wanted


def whole_accuracies(heads: Heads, tokens: Tensor, seen: PictureBatch, targets: Targets) -> dict[str, float]:
    """Return the share of right answers per question, and as `place` of labels found within `NEAR` on both axes."""
    logits = heads.read_whole(tokens)
    out = {name: _share(logits[name], _rows(classes, seen)) for name, classes in targets.whole.items()}
    where, within = heads.find_label(tokens)
    best = where.argmax(-1)
    part = (within[torch.arange(len(best)), best].argmax(-1).float() + 0.5) / PARTS
    found = (_patch_corners(seen.grid)[best] + part) * seen.patch
    off = (found.numpy() + seen.corners - targets.label[seen.rows]).__abs__()
    out["place"] = float((off <= NEAR).all(-1).mean())
    return out


def marks_accuracies(heads: Heads, tokens: Tensor, seen: PictureBatch, targets: Targets) -> dict[str, float]:
    """Return the share of marks read, of whole labels read, and of patches whose mark is named."""
    marks = torch.from_numpy(targets.marks[seen.rows])
    right = heads.read_marks(tokens).argmax(-1) == marks
    wanted = torch.from_numpy(patch_marks(seen, targets))
    named = heads.read_patches(tokens).argmax(-1)
    return {
        "mark": right.float().mean().item(),
        "label": right.all(1).float().mean().item(),
        "patch": (named == wanted)[wanted > 0].float().mean().item(),
    }


def _patch_corners(grid: tuple[int, int]) -> Tensor:
    """Return [patches, 2]: column and row of each patch, in merge-block order."""
    rows, columns = grid
    place = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).flip(-1)
    return place.reshape(rows // 2, 2, columns // 2, 2, 2).transpose(1, 2).reshape(-1, 2).float()


def _patches(seen: PictureBatch) -> tuple[int, int]:
    rows, columns = seen.grid
    return len(seen.rows), rows * columns


def _rows(classes: np.typing.NDArray[np.int64], seen: PictureBatch) -> Tensor:
    return torch.from_numpy(classes[seen.rows])


def _share(logits: Tensor, wanted: Tensor) -> float:
    return float((logits.argmax(-1) == wanted).float().mean())

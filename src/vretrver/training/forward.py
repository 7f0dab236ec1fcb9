"""The forward pass that trainers call: log-probabilities of the ids that the policy chose, and nothing else.

It is installed on the transformers model itself. So whatever wraps the model (DDP, FSDP, autocast, a trainer's own
hooks) sees every pass, and saving still finds the model it knows.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..models.language import logits_of, run_language
from ..models.loading import LocalModel
from ..models.vision import EncodedPicture, pixels_of

if TYPE_CHECKING:
    from .sft.batches import Batch


def install_forward(loaded: LocalModel, *, frozen: bool) -> None:
    """Make `model(batch=batch)` return the log-probabilities of a batch's chosen ids, [chosen], in fp32.

    They come row by row, in the order of the ids; those of an id depend on what precedes it in its row.

    Args:
        loaded: the model, with its tower's cache of pictures.
        frozen: the tower is frozen, so that pictures may come from its cache, without gradients.
    """

    def forward(model: Any, batch: Batch) -> Tensor:
        device = loaded.device
        ids, chosen = batch.ids.to(device), batch.chosen.to(device)
        seen = _seen(loaded, batch, frozen=frozen)
        hidden = run_language(model, ids, batch.positions.to(device), seen=seen, pads=batch.pads.to(device))
        wanted = chosen[:, 1:]
        logits = logits_of(model, hidden[:, :-1][wanted])
        logprobs: Tensor = logits.log_softmax(dim=-1).gather(1, ids[:, 1:][wanted][:, None])[:, 0]
        return logprobs

    loaded.model.forward = types.MethodType(forward, loaded.model)


def _seen(loaded: LocalModel, batch: Batch, *, frozen: bool) -> list[EncodedPicture]:
    if frozen:
        return loaded.vision.see(batch.pictures)
    once = {shown.picture.sha256: shown for shown in batch.pictures}
    found = dict(zip(once, loaded.vision.encode([pixels_of(shown) for shown in once.values()]), strict=True))
    return [found[shown.picture.sha256] for shown in batch.pictures]

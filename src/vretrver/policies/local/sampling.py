"""Draws the next token of every row. A row's draw depends on its own logits, request, stream and place alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from ...agent.policy import Sampling


def uniform(seed: int, stream: str, turn: int, step: int) -> float:
    """Return the draw, in [0, 1), of a token: the same for a seed, stream, turn and place, whoever else is drawn."""
    name = f"{seed}/{stream}/{turn}/{step}"
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56


def choose(scores: Tensor, samplings: Sequence[Sampling], draws: Sequence[float]) -> Tensor:
    """Return the id chosen for each row, [rows].

    Args:
        scores: [rows, vocabulary] in fp32; minus infinity where an id is not allowed.
        samplings: how each row is drawn; temperature 0 takes the best id.
        draws: each row's number in [0, 1).
    """
    chosen = scores.argmax(dim=-1)
    for nucleus in (False, True):
        rows = [row for row, how in enumerate(samplings) if how.temperature > 0 and (how.top_p < 1) == nucleus]
        if rows:
            chosen[rows] = _drawn(scores[rows], [samplings[row] for row in rows], [draws[row] for row in rows])
    return chosen


def _drawn(scores: Tensor, samplings: Sequence[Sampling], draws: Sequence[float]) -> Tensor:
    """Draw by the inverse of the cumulative distribution: of all ids in order, or of a nucleus, best first.

    The nucleus is the fewest best ids whose probability reaches top_p.
    """
    column = {"dtype": torch.float64, "device": scores.device}
    heat = torch.tensor([how.temperature for how in samplings], **column)[:, None]
    shifted = (scores - scores.amax(dim=-1, keepdim=True)).double()
    shares = (shifted / heat).softmax(dim=-1)
    draw = torch.tensor(draws, **column)[:, None]
    nucleus = samplings[0].top_p < 1
    order = None
    if nucleus:
        shares, order = shares.sort(dim=-1, descending=True, stable=True)
        most = torch.tensor([how.top_p for how in samplings], **column)[:, None]
        shares = torch.where(shares.cumsum(dim=-1) - shares < most, shares, 0.0)
    total = shares.cumsum(dim=-1)
    place = torch.searchsorted(total, draw * total[:, -1:], right=True)
    last = (shares > 0).long() * torch.arange(shares.shape[1], device=scores.device)
    place = torch.minimum(place, last.amax(dim=-1, keepdim=True))
    return (place if order is None else order.gather(1, place))[:, 0]

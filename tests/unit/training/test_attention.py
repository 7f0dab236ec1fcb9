"""Pins attention by strips: the outputs and gradients of torch's own causal attention, and where it steps aside."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from vretrver.training.attention import causal_strips

LAYER = SimpleNamespace(num_key_value_groups=2, is_causal=True)
"""Two query heads share each key-value head."""


def inputs(length: int) -> list[Tensor]:
    """Return query [2, 4, length, 8], key and value [2, 2, length, 8], that want gradients."""
    torch.manual_seed(length)
    return [torch.randn(2, heads, length, 8, requires_grad=True) for heads in (4, 2, 2)]


@pytest.mark.parametrize("length", [1, 5, 128, 129, 300])
def test_outputs_and_gradients_are_those_of_torch(length: int) -> None:
    mine, plain = inputs(length), inputs(length)
    out, weights = causal_strips(LAYER, *mine, None, scaling=8**-0.5)
    expected = scaled_dot_product_attention(*plain, is_causal=True, enable_gqa=True).transpose(1, 2)
    assert out.shape == (2, length, 4, 8)
    assert weights is None
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)
    ahead = torch.randn_like(out)
    out.backward(ahead)
    expected.backward(ahead)
    for one, other in zip(mine, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-5)


def test_a_mask_is_left_to_the_library() -> None:
    query, key, value = inputs(3)
    everything = torch.ones(2, 1, 3, 3, dtype=torch.bool)
    out, _ = causal_strips(LAYER, query, key, value, everything)
    expected = scaled_dot_product_attention(query, key, value, enable_gqa=True).transpose(1, 2)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)

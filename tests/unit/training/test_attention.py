"""Pins attention by strips: the outputs and gradients of torch's own causal attention, and where it steps aside."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from tests.tiny_models import FAMILIES, loaded
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from vretrver.models.language import run_language
from vretrver.training import attention
from vretrver.training.attention import NAME, causal_strips, train_by_strips

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


def test_in_bfloat16_it_is_within_rounding_of_what_32_bits_give() -> None:
    exact, rounded = inputs(300), [tensor.detach().bfloat16().requires_grad_() for tensor in inputs(300)]
    out, _ = causal_strips(LAYER, *rounded, None)
    expected, _ = causal_strips(LAYER, *exact, None)
    away = (out - expected).detach().norm() / expected.detach().norm()
    assert 0 < float(away) < 0.01


def test_a_mask_is_left_to_the_library() -> None:
    query, key, value = inputs(3)
    everything = torch.ones(2, 1, 3, 3, dtype=torch.bool)
    out, _ = causal_strips(LAYER, query, key, value, everything)
    expected = scaled_dot_product_attention(query, key, value, enable_gqa=True).transpose(1, 2)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("why", ["dropout", "no gradients", "a conversation that goes on", "memory"])
def test_other_cases_are_left_to_the_library(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """The library's attention is replaced by a mark."""
    mark = torch.zeros(1)
    monkeypatch.setattr(attention, "sdpa_attention_forward", lambda *_, **__: (mark, None))
    monkeypatch.setattr(attention, "_MOST", 2 * 4 * 5 * 5)
    query, key, value = inputs(6 if why == "memory" else 5)
    given = {"dropout": 0.1} if why == "dropout" else {}
    if why == "no gradients":
        query = query.detach()
    if why == "a conversation that goes on":
        query = query[:, :, -1:]
    assert causal_strips(LAYER, query, key, value, None, **given)[0] is mark
    assert causal_strips(LAYER, *inputs(5), None)[0] is not mark


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_is_trained_by_strips_gives_the_logits_it_gave_before(family: str) -> None:
    model = copy.deepcopy(loaded(family).model)
    ids, positions = torch.arange(1, 150)[None], torch.arange(149).expand(3, 1, -1)
    before = run_language(model, ids, positions)
    train_by_strips(model)
    assert model.config.text_config._attn_implementation == NAME
    assert model.config.vision_config._attn_implementation == "sdpa"
    torch.testing.assert_close(run_language(model, ids, positions), before, rtol=0, atol=1e-4)

"""Pins the small models' optimiser against slow references: Muon per matrix, AdamW, masters in 32 bits."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vretrver.training.muon import Muon, muon_groups, orthogonal


def slow_orthogonal(matrix: Tensor) -> Tensor:
    """Return the Newton-Schulz iterate of one matrix in 64 bits, five steps."""
    x = matrix.double() / (matrix.double().norm() + 1e-7)
    x = x.T if matrix.shape[0] > matrix.shape[1] else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.T if matrix.shape[0] > matrix.shape[1] else x).float()


def stepped(value: Tensor, gradients: list[Tensor], *, name: str = "blocks.0.weight", **given: Any) -> Tensor:
    """Return a parameter after one step for each gradient."""
    parameter = nn.Parameter(value.clone())
    optimiser = Muon(muon_groups([(name, parameter)]), **given)
    for gradient in gradients:
        parameter.grad = gradient.to(parameter.dtype)
        optimiser.step()
    return parameter.detach()


@pytest.mark.parametrize("shape", [(6, 6), (4, 10), (10, 4)])
def test_what_it_turns_matrices_into_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(5, *shape)))
    assert values.min() > 0.6
    assert values.max() < 1.3


@pytest.mark.parametrize("shape", [(6, 6), (4, 10), (10, 4)])
def test_muon_takes_the_steps_of_the_slow_reference(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    weight, gradients = torch.randn(shape), [torch.randn(shape) for _ in range(3)]
    found = stepped(weight, gradients, lr=0.1)
    wanted, momentum = weight.clone(), torch.zeros(shape)
    for gradient in gradients:
        momentum = 0.95 * momentum + 0.05 * gradient
        turned = slow_orthogonal(0.05 * gradient + 0.95 * momentum)
        wanted = wanted * (1 - 0.1 * 0.05) - 0.1 * 0.2 * max(shape) ** 0.5 * turned
    assert torch.allclose(found, wanted, atol=6e-3)


def test_matrices_of_one_shape_do_not_mix() -> None:
    torch.manual_seed(2)
    weights, gradients = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    pair = [nn.Parameter(weight.clone()) for weight in weights]
    optimiser = Muon(muon_groups([(f"layers.{n}.weight", p) for n, p in enumerate(pair)]), lr=0.1)
    for parameter, gradient in zip(pair, gradients, strict=True):
        parameter.grad = gradient
    optimiser.step()
    for number in (0, 1):
        alone = stepped(weights[number], [gradients[number]], lr=0.1)
        assert torch.allclose(pair[number].detach(), alone, atol=1e-6)


def test_a_fused_query_key_value_matrix_is_three_matrices() -> None:
    torch.manual_seed(3)
    weight, gradient = torch.randn(12, 4), torch.randn(12, 4)
    fused = stepped(weight, [gradient], lr=0.1)
    for part in (slice(0, 4), slice(4, 8), slice(8, 12)):
        alone = stepped(weight[part], [gradient[part]], lr=0.1)
        assert torch.allclose(fused[part], alone, atol=1e-6)


def test_the_rest_is_stepped_as_adamw_does() -> None:
    torch.manual_seed(4)
    value, gradients = torch.randn(7), [torch.randn(7) for _ in range(6)]
    found = stepped(value, gradients, name="norm.weight", lr=0.01)
    parameter = nn.Parameter(value.clone())
    reference = torch.optim.AdamW([parameter], lr=0.01, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.05)
    for gradient in gradients:
        parameter.grad = gradient
        reference.step()
    assert torch.allclose(found, parameter.detach(), atol=1e-6)


def test_only_matrices_inside_blocks_and_mergers_are_muons() -> None:
    matrix, vector = nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2))
    frozen = nn.Parameter(torch.zeros(2, 2), requires_grad=False)
    named = [
        ("visual.blocks.0.attn.qkv.weight", matrix),
        ("layers.1.mlp.up.weight", matrix),
        ("visual.merger.linear_fc1.weight", matrix),
        ("layers.1.norm.weight", vector),
        ("embed_tokens.weight", matrix),
        ("layers.2.mlp.up.weight", frozen),
    ]
    found = muon_groups(named, scale_of=lambda name: 0.3 if "visual." in name else 1.0)
    sizes = {(group["muon"], group["scale"]): len(group["params"]) for group in found}
    assert sizes == {(True, 0.3): 2, (True, 1.0): 1, (False, 1.0): 2}


def test_small_steps_of_bf16_weights_add_up() -> None:
    gradients = [torch.ones(1)] * 100
    found = stepped(torch.ones(1, dtype=torch.bfloat16), gradients, name="norm.weight", lr=1e-4, weight_decay=0.0)
    assert found.dtype == torch.bfloat16
    assert found.item() == pytest.approx(0.99, abs=0.004)
    assert found.item() < 1.0


def test_a_state_that_was_saved_goes_on_with_its_masters_in_32_bits() -> None:
    torch.manual_seed(5)
    named = [("blocks.0.weight", torch.randn(4, 4)), ("norm.weight", torch.randn(4))]
    gradients = [[torch.randn(4, 4), torch.randn(4)] for _ in range(4)]

    def begun(values: list[Tensor]) -> tuple[list[nn.Parameter], Muon]:
        parameters = [nn.Parameter(value.clone()) for value in values]
        names = [name for name, _ in named]
        return parameters, Muon(muon_groups(zip(names, parameters, strict=True)), lr=1e-3)

    def run(parameters: list[nn.Parameter], optimiser: Muon, steps: list[list[Tensor]]) -> None:
        for step in steps:
            for parameter, gradient in zip(parameters, step, strict=True):
                parameter.grad = gradient.bfloat16()
            optimiser.step()

    whole, optimiser = begun([value.bfloat16() for _, value in named])
    run(whole, optimiser, gradients[:2])
    stream = io.BytesIO()
    torch.save({"weights": [p.detach() for p in whole], "optimiser": optimiser.state_dict()}, stream)
    stream.seek(0)
    saved = torch.load(stream, weights_only=True)
    resumed, other = begun(saved["weights"])
    other.load_state_dict(copy.deepcopy(saved["optimiser"]))
    assert all(state["master"].dtype == torch.float32 for state in other.state.values())
    run(whole, optimiser, gradients[2:])
    run(resumed, other, gradients[2:])
    assert all(torch.equal(one, two) for one, two in zip(whole, resumed, strict=True))
    masters = zip(optimiser.state.values(), other.state.values(), strict=True)
    assert all(torch.equal(one["master"], two["master"]) for one, two in masters)

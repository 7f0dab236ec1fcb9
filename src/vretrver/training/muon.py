"""The optimiser of the small models: Muon for matrices inside blocks, AdamW for the rest, 32-bit masters of weights.

On CPUs with bf16 units, bf16 weights are several times faster to train than 32-bit ones; their 32-bit copies live in
the optimiser's state, so that small steps survive rounding. Muon as in Moonlight: the orthogonalised momentum is
scaled by 0.2 * sqrt(larger side), which gives it the size of an AdamW step, so that both share one learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_STEPS = 5
_EPSILON = 1e-8


class Muon(Optimizer):  # type: ignore[misc]
    """One optimiser, two rules, chosen per group by its key `muon`.

    Args:
        groups: as `muon_groups` makes them.
        lr: learning rate; a group's `scale` multiplies it.
        momentum: of Muon (Nesterov).
        betas: of AdamW.
        weight_decay: decoupled, of both.
    """

    def __init__(
        self,
        groups: Iterable[Mapping[str, Any]],
        *,
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.98),
        weight_decay: float = 0.05,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "betas": betas,
            "weight_decay": weight_decay,
            "scale": 1.0,
            "muon": False,
        }
        super().__init__([dict(group) for group in groups], defaults)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step; parameters without a gradient are unchanged."""
        loss = None if closure is None else closure()
        matrices: dict[tuple[int, ...], list[tuple[Tensor, Tensor, float, float]]] = {}
        for group in self.param_groups:
            with_gradient = [p for p in group["params"] if p.grad is not None]
            if not group["muon"]:
                self._adamw(group, with_gradient)
                continue
            for parameter in with_gradient:
                direction = self._momentum(group, parameter)
                rate = group["lr"] * group["scale"]
                shape = tuple(direction.shape)
                matrices.setdefault(shape, []).append((parameter, direction, rate, group["weight_decay"]))
        for shape, entries in matrices.items():
            parts = _parts(shape)
            stacked = torch.stack([piece for _, d, _, _ in entries for piece in d.chunk(parts)])
            turned = orthogonal(stacked) * (0.2 * math.sqrt(max(stacked.shape[1:])))
            for place, (parameter, _, rate, decay) in enumerate(entries):
                update = turned[place * parts : (place + 1) * parts].flatten(0, 1)
                self._apply(parameter, update, rate, decay)
        return loss

    def _master(self, parameter: Tensor) -> dict[str, Any]:
        state: dict[str, Any] = self.state[parameter]
        if "master" not in state:
            state["master"] = parameter.detach().to(torch.float32).clone()
        return state

    def _momentum(self, group: Mapping[str, Any], parameter: Tensor) -> Tensor:
        state = self._master(parameter)
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(state["master"])
        gradient = _gradient(parameter)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(state["momentum"], group["momentum"])

    def _apply(self, parameter: Tensor, update: Tensor, rate: float, decay: float) -> None:
        master = self.state[parameter]["master"]
        master.mul_(1 - rate * decay).add_(update, alpha=-rate)
        parameter.copy_(master)

    def _adamw(self, group: Mapping[str, Any], parameters: list[Tensor]) -> None:
        first, second = group["betas"]
        rate = group["lr"] * group["scale"]
        for parameter in parameters:
            state = self._master(parameter)
            if "step" not in state:
                state["step"] = torch.zeros(())
                state["mean"] = torch.zeros_like(state["master"])
                state["square"] = torch.zeros_like(state["master"])
            state["step"] += 1
            steps = float(state["step"])
            gradient = _gradient(parameter)
            state["mean"].lerp_(gradient, 1 - first)
            state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
            spread = (state["square"] / (1 - second**steps)).sqrt_().add_(_EPSILON)
            self._apply(parameter, state["mean"] / (1 - first**steps) / spread, rate, group["weight_decay"])

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a state back, masters in 32 bits: torch would cast them to the parameters' type."""
        super().load_state_dict(state_dict)
        saved = state_dict["state"]
        order = [p for group in self.param_groups for p in group["params"]]
        keys = [key for group in state_dict["param_groups"] for key in group["params"]]
        for parameter, key in zip(order, keys, strict=True):
            if key in saved:
                self.state[parameter] = {
                    name: value.detach().to(torch.float32).clone() for name, value in saved[key].items()
                }


def muon_groups(
    named: Iterable[tuple[str, Tensor]], *, scale_of: Callable[[str], float] = lambda _: 1.0
) -> list[Any]:
    """Return parameter groups: matrices inside blocks and mergers for Muon, everything else for AdamW.

    Args:
        named: parameters by name, as of `Module.named_parameters`; those without gradients are left out.
        scale_of: factor of the learning rate by a parameter's name.
    """
    groups: dict[tuple[bool, float], list[Tensor]] = {}
    for name, parameter in named:
        if parameter.requires_grad:
            inside = any(f"{part}." in name for part in ("blocks", "layers", "merger", "deepstack_merger_list"))
            groups.setdefault((inside and parameter.ndim == 2, scale_of(name)), []).append(parameter)
    return [{"params": params, "muon": muon, "scale": scale} for (muon, scale), params in groups.items()]


def orthogonal(matrices: Tensor) -> Tensor:
    """Return [N, rows, columns] matrices with singular values near 1 (five Newton-Schulz steps), float32.

    The steps are in bf16, as published; a CPU without bf16 units multiplies 32-bit numbers many times faster.
    """
    a, b, c = _NEWTON_SCHULZ
    dtype = torch.bfloat16 if matrices.device.type != "cpu" or has_bf16_units() else torch.float32
    x = matrices.to(dtype)
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).to(dtype)
    for _ in range(_STEPS):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.transpose(1, 2) if tall else x).float()


@cache
def has_bf16_units() -> bool:
    """Return whether this machine's CPU multiplies bf16 numbers itself."""
    has = torch.cpu.get_capabilities()
    return any(has.get(unit, False) for unit in ("avx512_bf16", "amx_bf16", "bf16"))


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        raise RuntimeError("a parameter has no gradient")
    return parameter.grad.to(torch.float32)


def _parts(shape: tuple[int, ...]) -> int:
    """Return the number of square pieces of a fused query-key-value matrix; 1 for any other matrix."""
    return 3 if shape[0] == 3 * shape[1] else 1

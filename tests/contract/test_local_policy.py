"""Runs the policy contract over the local policy, on random-weight models of both families."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.contract.policy_contract import PolicyContract
from tests.tiny_models import FAMILIES, loaded

from vretrver.agent.policy import Request
from vretrver.policies.local.policy import LocalPolicy


class _Brief(LocalPolicy):
    """Writes free turns of 8 tokens: a model of random weights would write on to the most that is asked for."""

    def submit(self, request: Request) -> None:
        held = request.grammar is not None and request.grammar.whole_turn
        super().submit(replace(request, sampling=replace(request.sampling, max_tokens=64 if held else 8)))


class TestLocal(PolicyContract):
    """Cells of 32 pixels for both families, as the dialect of the contract shows pictures."""

    @pytest.fixture(params=FAMILIES)
    def policy(self, request: pytest.FixtureRequest) -> Iterator[LocalPolicy]:
        """One of them."""
        policy = _Brief(loaded(request.param, cell=32), slice_tokens=4)  # so that turns are met half-written
        yield policy
        policy.close()

    @pytest.fixture
    def constrains(self) -> bool:
        """A turn keeps to its grammar whatever the weights are."""
        return True

"""Runs the policy contract over the policies that ship without a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.contract.policy_contract import PolicyContract

from vretrver.agent.policy import Policy
from vretrver.policies.scripted import answer_text, first_k, misbehaving, replay, shuffled
from vretrver.world.oracle import Truth, oracle

POLICIES: dict[str, Callable[[], Policy]] = {
    "replay": lambda: replay([answer_text([1, 2, 3])] * 4),
    "first-k": first_k,
    "random": lambda: shuffled(1),
    "misbehaving": lambda: misbehaving(1),
    "oracle": lambda: oracle(Truth(relevant={}, alike={})),
}


class TestScripted(PolicyContract):
    """The scripted policies."""

    @pytest.fixture(params=POLICIES)
    def policy(self, request: pytest.FixtureRequest) -> Policy:
        """Each of them, new for every test."""
        return POLICIES[request.param]()

"""Runs the policy contract over the policies that ship without a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.contract.policy_contract import COUNT, PolicyContract
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import zoom

from vretrver.agent.events import WindowBegan
from vretrver.agent.policy import Policy, Request
from vretrver.agent.task import WindowStep, WindowTask
from vretrver.policies.delegating import DelegatingPolicy
from vretrver.policies.scripted import (
    Moment,
    ScriptedPolicy,
    answer_text,
    first_k,
    misbehaving,
    replay,
    shuffled,
)
from vretrver.world.oracle import OracleTruth, oracle


def looking(moment: Moment) -> str:
    """Look at two candidates, then answer with the order given."""
    if moment.forced or moment.said:
        return answer_text(range(1, moment.count + 1))
    return zoom(1) + zoom(2)


POLICIES: dict[str, Callable[[], Policy]] = {
    "replay": lambda: replay([answer_text([1, 2, 3])] * 4),
    "looking": lambda: ScriptedPolicy(looking, name="looking"),
    "first-k": first_k,
    "random": lambda: shuffled(1),
    "misbehaving": lambda: misbehaving(1),
}


class TestScripted(PolicyContract):
    """The scripted policies."""

    @pytest.fixture(params=POLICIES)
    def policy(self, request: pytest.FixtureRequest) -> Policy:
        """Each of them, new for every test."""
        return POLICIES[request.param]()

    @pytest.fixture
    def constrains(self, policy: Policy) -> bool:
        """All but one answer when they must."""
        return policy.fingerprint != "scripted:misbehaving(1)"


class ToldOracle(DelegatingPolicy):
    """The oracle, told of a window with every request, as the reranker would."""

    def __init__(self, task: WindowTask) -> None:
        self._oracle = oracle(OracleTruth(relevant={}, alike={}))
        super().__init__(self._oracle)
        self._task = task
        self.watch = self._oracle.watch

    def submit(self, request: Request) -> None:
        """Tell it and hand the request on."""
        self.watch(WindowBegan(request.session, self._task, request.messages))
        super().submit(request)


class TestOracle(PolicyContract):
    """The oracle."""

    @pytest.fixture
    def policy(self, drawn: DrawnFolder) -> Policy:
        """A new one for every test."""
        step = WindowStep(plan="whole", index=0, round=0, places=tuple(range(COUNT)))
        return ToldOracle(WindowTask(session="a", query=drawn.query(), candidates=drawn.candidates(COUNT), step=step))

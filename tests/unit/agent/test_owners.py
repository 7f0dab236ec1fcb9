"""Pins whom a policy belongs to: one driver at a time, whatever wraps the policy, and for as long as it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.agent.ledger import Ledger, ask, asking

from vretrver.agent.driver import Driver
from vretrver.agent.effects import Running
from vretrver.agent.policy import PolicyLimits
from vretrver.errors import PolicyInUse
from vretrver.policies.delegating import DelegatingPolicy
from vretrver.policies.journal import JournaledPolicy
from vretrver.policies.scripted import ScriptedPolicy


def shared() -> ScriptedPolicy:
    return ScriptedPolicy(lambda _: "turn", name="shared")


def test_a_second_driver_on_a_policy_in_use_is_refused_by_name() -> None:
    policy = shared()
    first, second = Driver[list[str]](policy), Driver[list[str]](policy)
    run = first.run([asking("a", 1), asking("b", 3)])
    next(run)
    with pytest.raises(PolicyInUse, match="the policy scripted:shared is in use by another driver"):
        list(second.run([asking("c", 1)]))
    run.close()
    assert list(second.run([asking("c", 1)])) == [(0, ["turn"])]


def test_a_driver_that_was_dropped_half_way_holds_no_policy() -> None:
    policy = shared()
    run = Driver[list[str]](policy).run([asking("a", 1), asking("b", 3)])
    next(run)
    del run
    assert list(Driver[list[str]](policy).run([asking("c", 1)])) == [(0, ["turn"])]
    driver: Driver[list[str]] = Driver(policy)
    driver.hold()
    del driver
    assert list(Driver[list[str]](policy).run([asking("c", 1)])) == [(0, ["turn"])]


def test_a_policy_that_is_wrapped_belongs_to_the_driver_of_what_wraps_it(tmp_path: Path) -> None:
    inner = shared()
    journaled = JournaledPolicy(DelegatingPolicy(inner), tmp_path / "journal.jsonl")
    driver: Driver[list[str]] = Driver(journaled)
    driver.start(asking("a", 2), lambda _: None)
    for other in (inner, DelegatingPolicy(inner)):
        with pytest.raises(PolicyInUse):
            Driver[list[str]](other).start(asking("b", 1), lambda _: None)
    driver.close()
    assert list(Driver[list[str]](inner).run([asking("b", 1)])) == [(0, ["turn"])]
    journaled.close()


def test_a_policy_that_is_held_belongs_to_its_driver_while_nothing_runs() -> None:
    policy = shared()
    first, second = Driver[list[str]](policy), Driver[list[str]](policy)
    first.hold()
    with pytest.raises(PolicyInUse):
        second.start(asking("b", 1), lambda _: None)
    first.start(asking("a", 1), lambda _: None)
    while first.step():
        pass
    with pytest.raises(PolicyInUse):
        second.hold()
    first.close()
    second.hold()
    second.close()


def test_a_start_that_fails_holds_no_policy() -> None:
    def broken() -> Running[list[str]]:
        raise ValueError("at once")
        yield ask("a")

    policy = shared()
    driver = Driver[list[str]](policy)
    with pytest.raises(ValueError, match="at once"):
        driver.start(broken(), lambda _: None)
    assert list(Driver[list[str]](policy).run([asking("b", 1)])) == [(0, ["turn"])]


@dataclass(slots=True)
class Plain:
    """A policy that can be neither hashed nor referred to weakly."""

    ledger: Ledger = field(default_factory=Ledger)
    fingerprint: str = "plain"
    revision: int = 0
    scripted: bool = True
    limits: PolicyLimits = field(default_factory=PolicyLimits)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.ledger, name)


def test_a_policy_of_any_class_can_be_driven() -> None:
    policy: Any = Plain()
    assert list(Driver[list[str]](policy).run([asking("a", 2)])) == [(0, ["a:1", "a:2"])]

"""Pins what an agent's file may say, what counts over what, and that it can be sent to another process."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from vretrver.agent.budget import Budget
from vretrver.agent.policy import Sampling
from vretrver.assembly.plans import BlocksPlan, ReferencePlan, changed
from vretrver.assembly.spec import AgentSpec, ViewsSpec, agent_spec
from vretrver.config import resolved
from vretrver.errors import ConfigError
from vretrver.policies.named import LocalOptions

FILE = """
policy: local:models/agent
local: {device: cpu}
answers: ranking-or-none
plan: {name: blocks, depth: 40}
budget: {seconds: 60, looks: 9}
views: {candidate: 16}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "agent.yaml").write_text(FILE)
    return tmp_path / "agent.yaml"


def test_a_file_opens_every_part(file: Path) -> None:
    assert agent_spec(file, environ={}) == AgentSpec(
        policy="local:models/agent",
        local=LocalOptions(device="cpu"),
        answers="ranking-or-none",
        plan=BlocksPlan(depth=40),
        budget=Budget(seconds=60, looks=9),
        views=ViewsSpec(candidate=16),
    )


def test_options_count_over_sets_over_the_environment_over_the_file(file: Path) -> None:
    environ = {
        "VRETRVER_AGENT__BUDGET__SECONDS": "1",
        "VRETRVER_AGENT__BUDGET__LOOKS": "1",
        "VRETRVER_AGENT__BUDGET__TURNS": "1",
        "VRETRVER_API_KEY": "secret",
        "VRETRVER_BUDGET__TOKENS": "1",
    }
    spec = agent_spec(file, sets=["budget.looks=2", "budget.turns=2"], values={"budget.turns": 3}, environ=environ)
    assert spec.budget == Budget(seconds=1, looks=2, turns=3)


def test_a_spec_is_data(file: Path, tmp_path: Path) -> None:
    spec = agent_spec(file, environ={})
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301 - our own bytes
    (tmp_path / "again.yaml").write_text(resolved(spec))
    assert agent_spec(tmp_path / "again.yaml", environ={}) == spec


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("budget.hours=1", "agent.yaml: unknown key budget.hours, got '1'"),
        ("budget.seconds=-1", "a budget is not negative, got seconds -1"),
        ("plan.stride=3", "agent.yaml: unknown key plan.blocks.stride"),
        ("plan={name: reference, size: 5, stride: 9}", r"0 < stride <= size, got reference\(50,5,9\)"),
        ("plan.name=tree", "agent.yaml: plan: .*'reference', 'blocks'"),
        ("sampling.temperature=-1", "sampling needs temperature >= 0"),
        ("views.candidate=0", "agent.yaml: views.candidate: "),
        ("api_key=x", "agent.yaml: unknown key api_key"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(file: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        agent_spec(file, sets=[override], environ={})
    assert "\n" not in str(caught.value)


def test_sections_are_merged_where_values_are_given() -> None:
    spec = AgentSpec(sampling=Sampling(seed=7)).with_values({"sampling.temperature": 0.5, "local.dtype": "float32"})
    assert spec.sampling == Sampling(seed=7, temperature=0.5)
    assert spec.local == LocalOptions(dtype="float32")


def test_a_stride_follows_a_smaller_window() -> None:
    assert ReferencePlan().planner().name == "reference(50,20,10)"
    assert ReferencePlan(size=4).planner().name == "reference(50,4,4)"


def test_another_plan_takes_over_depth_and_size() -> None:
    plan = ReferencePlan(depth=30, size=15, stride=5)
    assert changed(plan, name="blocks", keep=2) == {"name": "blocks", "depth": 30, "size": 15, "keep": 2}
    assert changed(plan, depth=9) == {"name": "reference", "depth": 9, "size": 15, "stride": 5}
    with pytest.raises(ConfigError, match="--keep belongs to the blocks plan"):
        changed(plan, keep=2)
    with pytest.raises(ConfigError, match="a stride belongs to the reference plan"):
        changed(BlocksPlan(), stride=2)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"polcy": "reader"}, "AgentSpec: unknown key polcy, got 'reader'; did you mean policy?"),
        ({"budget": {"secnds": 5}}, "AgentSpec: unknown key budget.secnds, got '5'; did you mean budget.seconds?"),
        ({"views": {"qury": 1}}, "AgentSpec: unknown key views.qury, got '1'; did you mean views.query?"),
        (
            {"plan": {"name": "reference", "keep": 3}},
            "AgentSpec: unknown key plan.reference.keep, got '3'; the keys are depth, name, size, stride",
        ),
        ({"workers": -1}, "AgentSpec: workers: Input should be greater than or equal to 0, got '-1'"),
    ],
)
def test_a_wrong_value_in_python_is_one_sentence(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        AgentSpec(**values)
    assert str(raised.value) == said


def test_a_section_made_in_python_says_its_own_name() -> None:
    with pytest.raises(ConfigError, match=r"^ReferencePlan: unknown key sise, got '3'; did you mean size\?$"):
        ReferencePlan(sise=3)  # type: ignore[call-arg]

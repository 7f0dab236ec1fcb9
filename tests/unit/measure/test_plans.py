"""Pins what a policy round is, and how two plans are compared on the same queries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from measure import plans
from measure.agent_world import VIEWS, World, draw_world
from measure.sliced_policy import LOOK

from vretrver.agent.config import AgentConfig
from vretrver.agent.plans import BlocksPlanner, ReferencePlanner
from vretrver.agent.reranker import Reranker
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text

REFERENCE, BLOCKS = ReferencePlanner(depth=6, size=3, stride=1), BlocksPlanner(depth=6, size=3)
"""Four windows one after another; two side by side and one more."""


def policy() -> ScriptedPolicy:
    def script(moment: Moment) -> str:
        looks = 3 if moment.session.endswith("w1") else 1
        return LOOK if len(moment.said) < looks else answer_text(range(moment.count, 0, -1))

    return ScriptedPolicy(script, name="test")


def asked(world: World, count: int) -> list[plans.Asked]:
    return [
        plans.Asked(query=replace(world.query, qid=str(number)), hits=tuple(world.hits), wanted="1:6")
        for number in range(count)
    ]


def test_rounds_are_the_longest_chain_of_turns(tmp_path: Path) -> None:
    world = draw_world(tmp_path)
    windows = {
        planner.name: Reranker(policy(), world.store, AgentConfig(views=VIEWS, planner=planner))
        .rerank(world.query, world.hits)
        .trajectories
        for planner in (REFERENCE, BLOCKS)
    }
    assert [len(window.turns) for window in windows[REFERENCE.name]] == [2, 4, 2, 2]
    assert plans.rounds(windows[REFERENCE.name]) == 10
    assert [len(window.turns) for window in windows[BLOCKS.name]] == [2, 4, 2]
    assert plans.rounds(windows[BLOCKS.name]) == 4 + 2


def test_plans_of_blocks_are_named_by_their_numbers() -> None:
    names = ["blocks(50,20)", "blocks(50,20,turns=0)", "blocks(50,20,1)"]
    assert [plans.blocks(numbers).name for numbers in plans.BLOCKS[:3]] == names
    assert plans.blocks("50,20,6,turns=1") == BlocksPlanner(depth=50, size=20, keep=6, turns=1)
    assert all(plans.blocks(numbers).depth == plans.DEPTH for numbers in plans.BLOCKS)


def test_plans_are_compared_query_by_query(tmp_path: Path) -> None:
    world = draw_world(tmp_path)
    found = plans.compare(policy(), world.store, asked(world, 3), planners=(REFERENCE, BLOCKS), alone=1, views=VIEWS)
    assert (found[REFERENCE.name]["turns"], found[REFERENCE.name]["policy_rounds"]) == (10, 10)
    blocks = found[BLOCKS.name]
    assert (blocks["queries"], blocks["windows"], blocks["policy_rounds"]) == (3, 3, 6)
    assert blocks["most_turns_of_each_round"] == [4, 2]
    assert blocks["against_reference"]["policy_rounds_over_reference"] == 0.6
    assert blocks["against_reference"]["queries_with_half_the_rounds"] == 0
    assert blocks["seconds_alone_over_reference"] > 0


def test_a_plan_that_loses_the_right_candidate_is_seen_to(tmp_path: Path) -> None:
    world = draw_world(tmp_path)
    some = asked(world, 2)
    ran = {
        planner.name: plans.run_plan(policy(), world.store, VIEWS, planner, some) for planner in (REFERENCE, BLOCKS)
    }
    first = ran[REFERENCE.name][0].ranking[0].did
    wanted = [replace(one, wanted=first) for one in some]
    lost = plans.against(ran[BLOCKS.name], ran[REFERENCE.name], wanted)
    assert first != ran[BLOCKS.name][0].ranking[0].did
    assert (lost["right_only_here"], lost["right_only_in_the_reference"]) == (0, 2)
    assert lost["hit@1_difference"] == [-1.0, -1.0, -1.0]

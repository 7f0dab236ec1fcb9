"""Pins that a tool is one object: `compare` is added here, and neither loop nor parser nor records know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import answer, play, setup, window

from vretrver.agent.bench import Bench
from vretrver.agent.budget import Budget
from vretrver.agent.dialects import dialect_named
from vretrver.agent.observations import Observation
from vretrver.agent.refusals import Refused
from vretrver.agent.tools import Target
from vretrver.agent.trajectory import StopReason
from vretrver.errors import ConfigError
from vretrver.geometry import visual_tokens
from vretrver.traces import trajectory_from_json, trajectory_to_json


class CompareArguments(BaseModel):
    """Arguments of `compare`: two pictures and one box for both."""

    model_config = ConfigDict(extra="forbid", strict=True)
    target_images: list[Target] = Field(min_length=2, max_length=2)
    bbox_2d: list[int] = Field(min_length=4, max_length=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Shows the same region of two pictures, one after the other."""

    name: str = "compare"
    """The name in calls."""
    aliases: tuple[str, ...] = ("side_by_side",)
    """Other accepted names."""
    description: str = "Look at the same region of two pictures, one after the other."
    """One sentence for the prompt."""
    arguments: type[BaseModel] = CompareArguments
    """The schema of a call."""

    def cost(self, arguments: CompareArguments, bench: Bench) -> int:
        """Return the visual tokens of both regions."""
        placed = [bench.place(address, arguments.bbox_2d) for address in arguments.target_images]
        return sum(visual_tokens(size, bench.views.zoom.cell) for _, size in placed)

    def run(self, arguments: CompareArguments, bench: Bench) -> Sequence[Observation]:
        """Return both regions; two times the same picture is refused."""
        first, second = arguments.target_images
        if first == second:
            raise Refused("a picture is not compared with itself")
        return [bench.region(address, arguments.bbox_2d) for address in (first, second)]

    def blinded(self) -> Compare:
        """Refuse: a comparison of thumbnails is another tool."""
        raise ConfigError("compare cannot be run without its evidence")


def _compare(*targets: int) -> str:
    arguments = f'{{"target_images": {list(targets)}, "bbox_2d": [0, 0, 500, 1000]}}'
    return f'<tool_call>{{"name": "compare", "arguments": {arguments}}}</tool_call>'


def test_a_third_tool_is_offered_executed_refused_and_recorded(drawn: DrawnFolder) -> None:
    for number in (1, 2, 3):
        drawn.ref(number, (800, 400))
    dialect = dialect_named("vretrver")
    run = setup(drawn, dialect=replace(dialect, tools=(*dialect.tools, Compare())))
    turns = [f"<think>1 or 2?</think>{_compare(1, 2)}{_compare(3, 3)}", answer(2, 1, 3)]
    played = play(window(drawn.candidates(3), drawn.query()), run, turns)

    assert '{"name": "compare", "description": "Look at the same region' in played.requests[0].messages[0].text
    record = played.trajectory
    assert (record.stop, record.ranking) == (StopReason.ANSWERED, ("1:2", "1:1", "1:3"))
    assert [(call.name, call.outcome, call.reason) for call in record.turns[0].calls] == [
        ("compare", "executed", None),
        ("compare", "refused", "a picture is not compared with itself"),
    ]
    assert [(seen.cuts[0].did, seen.cuts[0].box) for seen in record.observations(0)] == [
        ("1:1", (0, 0, 400, 400)),
        ("1:2", (0, 0, 400, 400)),
    ]
    assert record.looks == 1
    assert trajectory_from_json(trajectory_to_json(record)) == record


def test_a_third_tool_is_bound_by_the_look_budget(drawn: DrawnFolder) -> None:
    dialect = dialect_named("vretrver")
    tools = replace(dialect, tools=(Compare(),))
    run, budget = setup(drawn, dialect=tools), Budget(look_tokens=100)
    played = play(window(drawn.candidates(2), drawn.query()), run, [_compare(1, 2), answer(1, 2)], budget=budget)
    (call,) = played.trajectory.turns[0].calls
    assert call.reason == "the look would cost more than the 100 visual tokens that are left"

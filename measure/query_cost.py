"""Counts what one query costs in tokens, and reckons from that what it costs in seconds on hardware not at hand.

Run as `python -m measure query_cost`; it writes measure/results/query_cost.json. The tokens are counted: real
sessions over 50 pictures with a scripted policy that looks as often as told; texts at four characters a token. The
seconds are arithmetic on vendors' figures and were measured nowhere; docs/models.md says so beside them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from measure.envelope import RESULTS, envelope, write_result
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects import dialect_named
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import Trajectory
from vretrver.images import ImageStore
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text
from vretrver.records import Candidate, Hit, ImageRef, Query, parts_of

LOOK_TOKENS, ANSWER_TOKENS = 120, 200
"""Assumed length of a turn that looks and of one that answers: a short thought and the call, or 20 numbers."""

COMPUTE_SHARE, BANDWIDTH_SHARE = 0.4, 0.6
"""Assumed share of a device's peak reached when reading a prompt, and when writing token by token."""

AT_ONCE = 16
"""Queries written together, for the second of two figures."""

PATCHES = 4
"""Patches the vision tower reads for each visual token (merge 2 x 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How a query is reranked."""

    dialect: str
    """Dialect."""
    size: tuple[int, int]
    """Width and height of every picture in pixels."""
    look_turns: int
    """Turns that look before the answer, in every window."""
    calls: int
    """Calls in such a turn, a zoom each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Shape of a model in 16-bit weights."""

    name: str
    """As published."""
    parameters: float
    """All of them."""
    vision: float
    """Those of the vision tower's blocks."""
    cache_bytes: int
    """Key-value cache of one token: 2 x layers x key-value heads x head size x 2 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Peaks as the vendor states them."""

    name: str
    """Name."""
    flops: float
    """Dense bfloat16 operations a second."""
    bandwidth: float
    """Bytes a second from its memory."""


SCENARIOS = (
    Scenario(dialect="vretrver", size=(640, 480), look_turns=0, calls=0),
    Scenario(dialect="vretrver", size=(640, 480), look_turns=1, calls=2),
    Scenario(dialect="vretrver", size=(640, 480), look_turns=3, calls=4),
    Scenario(dialect="released", size=(341, 256), look_turns=1, calls=1),
    Scenario(dialect="released", size=(640, 480), look_turns=1, calls=1),
)
MODELS = (
    Model(name="V-Retrver-7B", parameters=8_292_166_656, vision=0.63e9, cache_bytes=2 * 28 * 4 * 128 * 2),
    Model(
        name="Qwen3-VL-8B-Instruct", parameters=17_534_247_392 / 2, vision=0.41e9, cache_bytes=2 * 36 * 8 * 128 * 2
    ),
)
DEVICES = (
    Device(name="H100 SXM", flops=989e12, bandwidth=3.35e12),
    Device(name="A100 80 GB", flops=312e12, bandwidth=2.04e12),
    Device(name="L40S", flops=362e12, bandwidth=0.864e12),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Tokens of one query."""

    windows: int
    """Windows ranked one after the other."""
    first_prompt: int
    """Tokens of the prompt of a window, before the first turn."""
    longest: int
    """Tokens of the longest conversation, last turn included."""
    visual: int
    """Visual tokens of all windows, looks included."""
    written: int
    """Tokens written in all windows."""
    read_once: int
    """Tokens read when a server keeps what it has read (prefix cache within a window)."""
    read_again: int
    """Tokens read when every turn reads the whole conversation."""


def count_tokens(scenario: Scenario, *, candidates: int = 50) -> Cost:
    """Rerank pictures as a scenario says and count what was read and written."""
    with tempfile.TemporaryDirectory() as folder:
        Image.linear_gradient("L").resize(scenario.size).convert("RGB").save(Path(folder) / "a.png")
        parts = parts_of(images=[ImageRef(path="a.png")])
        hits = [Hit(candidate=Candidate(did=str(n), parts=parts), score=1.0 / n) for n in range(1, candidates + 1)]
        config = AgentConfig(dialect=dialect_named(scenario.dialect))
        policy = ScriptedPolicy(lambda moment: _turn(moment, scenario), name="scenario")
        query = Query(qid="1:1", parts=(*parts, *parts_of(text="the same, but the mug is blue")))
        windows = Reranker(policy, ImageStore({"": folder}), config).rerank(query, hits).trajectories
    return _summed(windows)


def _turn(moment: Moment, scenario: Scenario) -> str:
    """Write a turn of the assumed length, in characters of which four make a token."""
    if len(moment.said) >= scenario.look_turns:
        answer = answer_text(range(1, moment.count + 1))
        return "x" * (4 * ANSWER_TOKENS - len(answer)) + answer
    box = "[100, 100, 300, 300]" if scenario.dialect == "vretrver" else "[32, 24, 96, 72]"
    name = "zoom_in" if scenario.dialect == "vretrver" else "crop_image"
    call = f'<tool_call>{{"name": "{name}", "arguments": {{"target_image": 1, "bbox_2d": {box}}}}}</tool_call>'
    return "x" * max(4 * LOOK_TOKENS - len(call) * scenario.calls, 0) + call * scenario.calls


def _summed(windows: Sequence[Trajectory]) -> Cost:
    turns = [turn for window in windows for turn in window.turns]
    if any(window.ranking is None for window in windows):
        raise ValueError("a window has no ranking: the scenario does not fit its dialect")
    written = sum(turn.usage.completion_tokens for turn in turns)
    return Cost(
        windows=len(windows),
        first_prompt=windows[0].turns[0].usage.prompt_tokens,
        longest=max(window.tokens for window in windows),
        visual=sum(window.visual_tokens for window in windows),
        written=written,
        read_once=sum(window.tokens for window in windows) - written,
        read_again=sum(turn.usage.prompt_tokens for turn in turns),
    )


def reckon_seconds(cost: Cost, model: Model, device: Device, *, at_once: int = 1) -> dict[str, float]:
    """Return the seconds of device time a query takes, with a prefix cache: reading, writing, and both.

    Writing a token reads all weights once for the queries that are written together, and the cache of each.
    """
    language = model.parameters - model.vision
    operations = 2 * language * cost.read_once + 2 * model.vision * PATCHES * cost.visual
    reading = operations / (device.flops * COMPUTE_SHARE)
    moved = 2 * language / at_once + cost.longest * model.cache_bytes
    writing = cost.written * moved / (device.bandwidth * BANDWIDTH_SHARE)
    return {"reading": round(reading, 2), "writing": round(writing, 1), "query": round(reading + writing, 1)}


def _reckoned(cost: Cost, model: Model) -> dict[str, dict[str, object]]:
    """Return device -> seconds of a query alone, and of one of `AT_ONCE`."""
    return {
        device.name: {
            "alone": reckon_seconds(cost, model, device),
            f"of {AT_ONCE}": reckon_seconds(cost, model, device, at_once=AT_ONCE),
        }
        for device in DEVICES
    }


def main() -> None:
    """Count, reckon, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS / "query_cost.json")
    arguments = parser.parse_args()
    rows = []
    for scenario in SCENARIOS:
        cost = count_tokens(scenario)
        seconds = {model.name: _reckoned(cost, model) for model in MODELS}
        rows.append({"scenario": asdict(scenario), "tokens": asdict(cost), "seconds_reckoned": seconds})
    assumed = {
        "look_tokens": LOOK_TOKENS,
        "answer_tokens": ANSWER_TOKENS,
        "compute_share": COMPUTE_SHARE,
        "bandwidth_share": BANDWIDTH_SHARE,
    }
    known = {"models": [asdict(model) for model in MODELS], "devices": [asdict(device) for device in DEVICES]}
    write_result(arguments.out, envelope("query_cost") | {"assumed": assumed, **known, "rows": rows})

"""Pins what a trained agent's folder says of how it was taught: what its last trajectories showed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.world.expert.practices import practised, windows

from vretrver.traces import trajectory_to_json
from vretrver.training.start import ModelSource
from vretrver.world.agent.config import LessonsConfig
from vretrver.world.agent.run import recipe_of

GIVEN = "gallery: g\nstages: [{windows: 1}]\n"


def told(folder: Path, text: str | None, *, tools: bool, start: ModelSource) -> dict[str, object] | None:
    """Return the content of the recipe's file for one trajectory and what the expert was told; None for no file."""
    ((_, record),) = practised(windows(1), tools=tools)
    (folder / "shard-000.jsonl").write_bytes(trajectory_to_json(record) + b"\n")
    if text is not None:
        (folder / "config.yaml").write_text(text)
    made = recipe_of(LessonsConfig(start=start, trajectories=folder), folder / "shard-000.jsonl")
    return json.loads(made["vretrver_agent.json"]) if made else None


@pytest.mark.parametrize("start", [ModelSource(tokenizer=Path("t")), ModelSource(folder=Path("m"))])
def test_it_says_what_the_expert_showed_wherever_the_model_began(tmp_path: Path, start: ModelSource) -> None:
    looking = told(tmp_path, GIVEN, tools=True, start=start)
    assert looking is not None
    assert looking["dialect"] == "vretrver"
    assert looking["visual_tokens"] == {"query": 9, "candidate": 9, "select": 64, "zoom": 16}
    whole = told(tmp_path, f"{GIVEN}tools: false\nwhole_tokens: 576\n", tools=False, start=start)
    assert whole is not None
    assert whole["dialect"] == "vretrver/no-tools"
    assert whole["visual_tokens"] == {"query": 576, "candidate": 576, "select": 64, "zoom": 16}


def test_of_other_trajectories_a_folder_keeps_its_own(tmp_path: Path) -> None:
    assert told(tmp_path, None, tools=True, start=ModelSource(folder=Path("m"))) is None

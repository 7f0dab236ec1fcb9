"""Pins the configurations of the shipped models: they load, and the script that makes the models goes by them."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml

from vretrver.config import Section, load_config
from vretrver.world.agent.config import LessonsConfig
from vretrver.world.embed.config import EmbedConfig
from vretrver.world.expert.config import SynthesisConfig
from vretrver.world.perception.config import PerceptionConfig

ROOT = Path(__file__).parents[3]
CONFIGS = {path.stem: path for path in (ROOT / "configs").glob("train_*.yaml")}
MODELS: dict[str, type[Section]] = {
    "perception": PerceptionConfig,
    "embed": EmbedConfig,
    "expert": SynthesisConfig,
    "sft": LessonsConfig,
}


def script() -> Any:
    """Return the script of `make models`."""
    spec = spec_from_file_location("make_models", ROOT / "scripts" / "make_models.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_a_configuration_loads(name: str) -> None:
    load_config(CONFIGS[name], MODELS[name.split("_")[1]], environ={})


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("train_expert_short", {"tools"}),
        ("train_expert", {"tools"}),
        ("train_sft_short", {"trajectories"}),
        ("train_sft", {"start", "trajectories"}),
        ("train_expert_finish", {"tools"}),
        ("train_sft_finish", {"start", "trajectories"}),
    ],
)
def test_the_twin_differs_in_nothing_but_the_looks(name: str, differs: set[str]) -> None:
    one, two = (yaml.safe_load(CONFIGS[n].read_text()) for n in (name, f"{name}_no_tools"))
    assert {key for key in one | two if one.get(key) != two.get(key)} == differs


def test_every_stage_finds_what_the_stages_before_it_made() -> None:
    made: set[str] = set()
    module = script()
    for stage, (arguments, result) in {**module.STAGES, **module.TWIN}.items():
        assert result.split("/")[0] == stage
        if "--config" in arguments:
            named = (ROOT / arguments[2]).read_text()
            lines = [*named.splitlines(), *arguments]
            used = {line.split("build/models/")[1].split()[0] for line in lines if "build/models/" in line}
            assert used
            assert {path.split("/")[0] for path in used} <= made
        made.add(stage)
    assert {"embed", "sft-finish", "sft-finish-no-tools"} <= made


def test_a_stage_that_is_done_is_skipped_and_one_that_failed_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, ran = script(), []
    monkeypatch.setattr(module, "WORK", tmp_path / "build")
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "shipped")
    results = {stage: tmp_path / "build" / result for stage, (_, result) in module.STAGES.items()}

    def run(command: list[str], *, cwd: Path, check: bool, env: dict[str, str]) -> None:
        stage = Path(command[-1]).name
        assert command[-2] == "--out"
        assert check
        assert env["OMP_WAIT_POLICY"]
        ran.append(stage)
        results[stage].parent.mkdir(parents=True, exist_ok=True)
        results[stage].touch(mode=0o600)
        if stage == "expert" and ran.count("expert") == 1:
            raise KeyboardInterrupt  # its folder is there, but it is not done

    monkeypatch.setattr(module.subprocess, "run", run)
    with pytest.raises(KeyboardInterrupt):
        module.main()
    for _ in range(2):
        module.main()
    stages = [*module.STAGES]
    before, after = stages[: stages.index("expert")], stages[stages.index("expert") :]
    assert ran == [*before, "expert", *after]
    lines = [json.loads(line) for line in (tmp_path / "build" / "stages.jsonl").read_text().splitlines()]
    assert [line["stage"] for line in lines] == [*module.STAGES]
    for name in ("agent", "encoder"):
        assert (tmp_path / "shipped" / name / "config.json").stat().st_mode & 0o777 == 0o644

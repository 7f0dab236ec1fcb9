"""Pins the curriculum of the shipped models: its stages resolve, and running it does what is missing and no more."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.commands import call, sentence_of

from vretrver.config import Section, load_config
from vretrver.errors import ConfigError
from vretrver.world import curriculum as module
from vretrver.world.agent.config import LessonsConfig
from vretrver.world.curriculum import Curriculum, run_curriculum
from vretrver.world.embed.config import EmbedConfig
from vretrver.world.expert.config import SynthesisConfig
from vretrver.world.perception.config import PerceptionConfig

ROOT = Path(__file__).parents[3]
FILE = ROOT / "configs" / "curriculum.yaml"
SHIPPED = load_config(FILE, Curriculum, environ={})
MODELS: dict[str, type[Section]] = {
    "perception": PerceptionConfig,
    "embed": EmbedConfig,
    "expert": SynthesisConfig,
    "sft": LessonsConfig,
}
LITTLE: dict[str, Any] = {
    "work": "work",
    "ships": {"shipped/agent": "sft"},
    "stages": [
        {"name": "train.gallery", "command": "pictures", "settings": {"items": 5, "seed": 1}},
        {"name": "tokenizer", "command": "tokenizer"},
        {"name": "expert", "command": "expert", "needs": ["train.gallery"], "settings": {"seed": 1, "a": {"b": 2}}},
        {"name": "sft", "command": "sft", "needs": ["tokenizer", "expert"], "settings": {"steps": 1}},
        {"name": "other", "command": "expert", "base": "expert", "sets": {"a.c": 3}},
    ],
}


@pytest.mark.parametrize("stage", SHIPPED.stages, ids=lambda stage: stage.name)
def test_the_settings_of_a_stage_are_those_of_its_command(stage: module.Stage) -> None:
    settings = SHIPPED.settings_of(stage)
    if stage.command == "pictures":
        assert set(settings) == {"items", "seed"}
    elif stage.command == "tokenizer":
        assert settings == {}
    else:
        MODELS[stage.command].model_validate(settings)


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("expert-short", {"tools"}),
        ("expert", {"tools"}),
        ("sft-short", {"trajectories"}),
        ("sft", {"start", "trajectories"}),
        ("expert-finish", {"tools"}),
        ("sft-finish", {"start", "trajectories"}),
    ],
)
def test_the_twin_differs_in_nothing_but_the_looks(name: str, differs: set[str]) -> None:
    one, two = (SHIPPED.settings_of(SHIPPED.stage(n)) for n in (name, f"{name}-no-tools"))
    assert {key for key in one | two if one.get(key) != two.get(key)} == differs


def test_every_stage_needs_those_whose_results_its_settings_name() -> None:
    for stage in SHIPPED.stages:
        lines = yaml.safe_dump(SHIPPED.settings_of(stage)).splitlines()
        used = {line.split("build/models/")[1].split("/")[0] for line in lines if "build/models/" in line}
        needed = {one.name for one in SHIPPED.wanted([stage.name])} - {stage.name}
        assert used <= needed, stage.name


def test_what_ships_is_what_is_run_and_the_twin_goes_on_from_the_lessons_in_text() -> None:
    shipping, twin = ([s.name for s in SHIPPED.wanted(names)] for names in ([], ["sft-finish-no-tools"]))
    assert shipping[:3] == ["train.gallery", "held.gallery", "tokenizer"]
    assert {"embed", "sft-finish"} < set(shipping)
    assert not [name for name in shipping if "no-tools" in name or "whole" in name]
    assert {"sft-words", "sft-finish-no-tools"} < set(twin)
    assert not {"embed", "sft-short", "sft", "sft-finish"} & set(twin)
    assert set(SHIPPED.ships) == {Path("src/vretrver/shipped/agent"), Path("src/vretrver/shipped/encoder")}


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that were run; each leaves its result, and `expert` is stopped the first time."""
    commands: list[list[str]] = []
    monkeypatch.chdir(tmp_path)

    def run(command: list[str], *, check: bool, env: dict[str, str]) -> None:
        assert check
        assert env["OMP_WAIT_POLICY"]
        assert command[-2] == "--out"
        commands.append(command[2:])
        out = Path(command[-1])
        result = out / module.RESULTS[command[2]]  # type: ignore[index]
        result.parent.mkdir(parents=True, exist_ok=True)
        result.touch(mode=0o600)
        if out.name == "expert" and [one[-1] for one in commands].count("work/expert") == 1:
            raise KeyboardInterrupt  # its folder is there, but it is not done

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_stage_that_is_done_is_skipped_and_one_that_failed_runs_again(tmp_path: Path, ran: list[list[str]]) -> None:
    told = Curriculum.model_validate(LITTLE)
    noted: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run_curriculum(told, [], note=noted.append)
    for _ in range(2):
        run_curriculum(told, [], note=noted.append)
    assert [one[-1] for one in ran] == [
        f"work/{n}" for n in ("train.gallery", "tokenizer", "expert", "expert", "sft")
    ]
    lines = [json.loads(line) for line in (tmp_path / "work" / "stages.jsonl").read_text().splitlines()]
    assert [line["stage"] for line in lines] == ["train.gallery", "tokenizer", "expert", "sft"]
    assert [line.split(": ")[0] for line in noted] == [line["stage"] for line in lines]
    assert (tmp_path / "shipped" / "agent" / "config.json").stat().st_mode & 0o777 == 0o644


def test_a_stage_that_is_named_runs_with_what_it_needs_and_ships_nothing(
    tmp_path: Path, ran: list[list[str]]
) -> None:
    told = Curriculum.model_validate(LITTLE)
    run_curriculum(told, ["train.gallery", "other"], note=lambda _: None)
    drawn, practised = ran
    assert drawn[:2] == ["pictures", "--workers"]
    assert drawn[3:] == ["--items", "5", "--seed", "1", "--out", "work/train.gallery"]
    assert practised == ["expert", "--config", "work/configs/other.yaml", "--out", "work/other"]
    told_other = yaml.safe_load((tmp_path / "work" / "configs" / "other.yaml").read_text())
    assert told_other == {"seed": 1, "a": {"b": 2, "c": 3}}
    assert told.settings_of(told.stage("expert"))["a"] == {"b": 2}
    assert not (tmp_path / "shipped").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "x", "command": "sft", "needs": ["y"]}, "stage x names y, which is not above it"),
        ({"name": "x", "command": "sft", "base": "expert"}, "based on expert, which runs another command"),
        ({"name": "sft", "command": "sft"}, "two stages are called sft"),
    ],
)
def test_a_contradiction_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Curriculum.model_validate({**LITTLE, "stages": [*LITTLE["stages"], changed]})
    with pytest.raises(ValueError, match="ships names none, which is not a stage"):
        Curriculum.model_validate({**LITTLE, "ships": {"a": "none"}})


def test_a_command_that_fails_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(command: list[str], **_: Any) -> None:
        raise subprocess.CalledProcessError(3, command)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(ConfigError, match=r"stage train\.gallery failed \(exit code 3\); run the command again"):
        run_curriculum(Curriculum.model_validate(LITTLE), [], note=lambda _: None)


def test_the_command_lists_stages_and_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "little.yaml").write_text(yaml.safe_dump(LITTLE))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "train.gallery").touch()
    (tmp_path / "work" / "stages.jsonl").write_text('{"stage": "train.gallery", "seconds": 2.5}\n')
    listed = call("train", "curriculum", "--file", "little.yaml", "--list", "--only", "expert", cwd=tmp_path)
    assert [line.split() for line in listed.stdout.splitlines()] == [
        ["stage", "command", "needs", "done", "in"],
        ["train.gallery", "pictures", "2.5", "s"],
        ["expert", "expert", "train.gallery"],
    ]
    unknown = call("train", "curriculum", "--file", "little.yaml", "--only", "perception", cwd=tmp_path)
    assert "no stage is called 'perception'; there are train.gallery, " in sentence_of(unknown)
    assert "curriculum.yaml" in sentence_of(call("train", "curriculum", cwd=tmp_path))

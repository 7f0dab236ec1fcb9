"""Pins the experiment on looks: cells that are there are kept, the rest is made, an arm without its model says so."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from vretrver.errors import ConfigError, PolicyError
from vretrver.models.shipped import shipped_folder
from vretrver.models.vision import Vision
from vretrver.world.gallery import draw_gallery
from vretrver.world.looks.config import ArmName, LooksConfig
from vretrver.world.looks.run import run_looks

SEED, ITEMS = 990_002, 25
"""A seed that no training uses; five families of twins."""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of a small catalogue."""
    path = tmp_path_factory.mktemp("looks") / "small.gallery"
    draw_gallery(path, seed=SEED, items=ITEMS, workers=1)
    return path


def config(gallery: Path, **given: object) -> LooksConfig:
    values = {
        "agent": shipped_folder("agent"), "encoder": f"lamra:{shipped_folder('encoder')}", "gallery": gallery,
        "queries": 3, "shapes": (0,), "windows": (3,), "arms": ("agent", "oracle-boxes"), "workers": 1,
    }  # fmt: skip
    return LooksConfig.model_validate(values | given)


def test_a_run_goes_on_with_the_cells_it_lacks(gallery: Path, tmp_path: Path) -> None:
    noted: list[str] = []
    first = run_looks(config(gallery), tmp_path, note=noted.append)
    assert [line.split(":")[0] for line in noted] == [
        "coarse-task0", "agent-task0-window3", "oracle-boxes-task0-window3"
    ]  # fmt: skip
    (tmp_path / "agent-task0-window3.json").write_text('{"queries": 77}')
    (tmp_path / "oracle-boxes-task0-window3.json").unlink()
    noted.clear()
    again = run_looks(config(gallery), tmp_path, note=noted.append)
    assert [line.split(":")[0] for line in noted] == ["oracle-boxes-task0-window3"]
    assert again["arms"]["agent"]["0"]["3"] == {"queries": 77}
    redone, before = (results["arms"]["oracle-boxes"]["0"]["3"] for results in (again, first))
    assert redone | {"seconds": 0} == before | {"seconds": 0}


def test_a_cell_says_what_a_guess_is_worth_and_how_far_the_looks_went(gallery: Path, tmp_path: Path) -> None:
    results = run_looks(config(gallery, arms=("oracle-boxes",)), tmp_path, note=lambda _: None)
    cell = results["arms"]["oracle-boxes"]["0"]["3"]
    assert cell["queries"] == 3
    assert 0.3333 <= cell["guess"] <= 1
    assert cell["zooms"] > 0
    assert cell["zoom_holds_label"] == 1.0
    assert set(results["coarse"]["0"]) == {"hit@1", "hit@5", "hit@10", "hit@20"}
    assert json.loads((tmp_path / "coarse-task0.json").read_text()) == results["coarse"]["0"]


def test_a_folder_of_other_weights_is_refused(gallery: Path, tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    shutil.copytree(shipped_folder("agent"), agent)
    out, one = tmp_path / "out", config(gallery, agent=agent, arms=("agent",))
    assert sorted(run_looks(one, out, note=lambda _: None)["weights"]) == ["agent", "encoder"]
    with (agent / "model.safetensors").open("r+b") as weights:
        weights.truncate(weights.seek(-1, os.SEEK_END))
    with pytest.raises(ConfigError, match="out: holds a run with other weights of the agent; choose another folder"):
        run_looks(one, out, note=lambda _: None)


def test_results_of_weights_that_nobody_named_are_refused(gallery: Path, tmp_path: Path) -> None:
    (tmp_path / "agent-task0-window3.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds results of weights that are not named; choose another folder"):
        run_looks(config(gallery), tmp_path, note=lambda _: None)


def test_a_policy_that_breaks_off_is_no_miss(gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: object, **__: object) -> object:
        raise MemoryError

    monkeypatch.setattr(Vision, "see", out_of_memory)
    with pytest.raises(PolicyError, match=r"query .*: the policy failed \(there is not enough memory .*\); fix that"):
        run_looks(config(gallery, arms=("agent",)), tmp_path, note=lambda _: None)
    assert not list(tmp_path.glob("agent-*"))


def test_a_model_that_is_not_there_is_refused_at_once(gallery: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone: no such model folder"):
        run_looks(config(gallery, agent=tmp_path / "gone"), tmp_path / "out", note=lambda _: None)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["config.yaml"]


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ("no-tools", "the arm no-tools ranks with the twin without tools; name its folder with twin"),
        ("whole-taught", "whole-taught ranks with an agent trained on whole pictures; .* with taught"),
    ],
)
def test_an_arm_without_its_model_is_refused_before_anything_runs(
    gallery: Path, tmp_path: Path, arm: ArmName, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        run_looks(config(gallery, arms=("agent", arm)), tmp_path, note=lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]

"""Pins what an agent's folder says of its training: read back as written, refused when damaged, sized on its cell."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tiny_models import folder_of

from vretrver.agent.bench import Views
from vretrver.errors import ConfigError
from vretrver.geometry import PixelBudget, SmartResize
from vretrver.models.agent_recipe import RECIPE_FILE, AgentRecipe, agent_recipe_of, views_for, write_agent_recipe
from vretrver.world.tiny.views import VIEWS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder of its own."""
    return Path(shutil.copytree(folder_of("qwen3_vl"), tmp_path / "model"))


def test_what_is_written_is_read_back(folder: Path) -> None:
    recipe = AgentRecipe(dialect="vretrver", views=replace(VIEWS, text_chars=300))
    write_agent_recipe(folder, recipe)
    assert agent_recipe_of(folder) == recipe
    assert json.loads((folder / RECIPE_FILE).read_text()) == {
        "format": 1,
        "dialect": "vretrver",
        "visual_tokens": {"query": 9, "candidate": 9, "select": 64, "zoom": 16},
        "text_chars": 300,
    }


def test_sizes_are_multiples_of_the_cell_of_the_model(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folder_of("qwen2_5_vl"), tmp_path / "model"))
    write_agent_recipe(folder, AgentRecipe(dialect="vretrver", views=VIEWS))
    recipe = agent_recipe_of(folder)
    assert recipe is not None
    assert recipe.views.candidate == PixelBudget(cell=28, tokens=9)
    assert views_for(folder, Views()).zoom == PixelBudget(cell=28, tokens=256)
    assert views_for(folder_of("qwen3_vl"), Views(query=SmartResize())).query == SmartResize(cell=32)


def test_a_published_folder_says_nothing() -> None:
    assert agent_recipe_of(folder_of("qwen3_vl")) is None


def test_a_recipe_of_another_kind_of_size_is_not_written() -> None:
    with pytest.raises(ConfigError, match="pixel budgets only, select has SmartResize"):
        AgentRecipe(dialect="released", views=replace(VIEWS, select=SmartResize())).to_json()


DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (lambda value: value.update(format=2), "format 2, but this version reads 1; train again"),
    "no dialect": (lambda value: value.pop("dialect"), "is damaged"),
    "a size that is none": (lambda value: value["visual_tokens"].update(zoom=0), "is damaged"),
    "a role that is missing": (lambda value: value["visual_tokens"].pop("zoom"), "is damaged"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_one_sentence(name: str, folder: Path) -> None:
    write_agent_recipe(folder, AgentRecipe(dialect="vretrver", views=VIEWS))
    change, words = DAMAGES[name]
    value = json.loads((folder / RECIPE_FILE).read_text())
    change(value)
    (folder / RECIPE_FILE).write_text(json.dumps(value))
    with pytest.raises(ConfigError, match=words):
        agent_recipe_of(folder)

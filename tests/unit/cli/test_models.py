"""Pins what commands say and do when a model of this process is named: its sizes, its dialect, what it knows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import call, sentence_of
from tests.tiny_models import folder_of

from vretrver.agent.dialects import dialect_named
from vretrver.cli.models import is_local, local_options, recipe_of, views_of
from vretrver.data.catalogue.write import write_catalogue
from vretrver.geometry import PixelBudget
from vretrver.models.agent_recipe import AgentRecipe, write_agent_recipe
from vretrver.models.shipped import KNOWN
from vretrver.models.tiny.views import VIEWS
from vretrver.policies.named import LocalOptions


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two pictures that are no catalogue's."""
    (tmp_path / "photos").mkdir()
    for name, colour in {"red": (208, 40, 40), "blue": (43, 95, 201)}.items():
        Image.new("RGB", (64, 64), colour).save(tmp_path / "photos" / f"{name}.png")
    return tmp_path


def test_the_shipped_encoder_is_said_to_know_the_catalogue_only(photos: Path) -> None:
    done = call("index", "photos", "-o", "p", "--encoder", "shipped", cwd=photos)
    assert (done.code, done.stderr.count(KNOWN)) == (0, 1)
    done = call("search", "p", "--image", "photos/red.png", "--json", cwd=photos)
    assert json.loads(done.stdout)["hits"][0]["did"] == "red.png"
    done = call("search", "photos", "--text", "red", "--encoder", "shipped", "--top", "1", cwd=photos)
    assert (done.code, done.stderr.count(KNOWN)) == (0, 1)


def test_nothing_is_said_on_a_drawn_catalogue(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "world", seed=5, items=5)
    for source in ("world/images", "world/cand_pool/local/mbeir_catalogue_task0_cand_pool.jsonl"):
        done = call("search", source, "--text", "red mug", "--encoder", "shipped", "--top", "1", cwd=tmp_path)
        assert (done.code, KNOWN in done.stderr) == (0, False), done.stderr


def test_a_model_ranks_on_the_command_line_with_its_own_sizes(photos: Path) -> None:
    folder = Path(shutil.copytree(folder_of("qwen2_5_vl"), photos / "model"))
    write_agent_recipe(folder, AgentRecipe(dialect="vretrver", views=VIEWS))
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["max_position_embeddings"] = 1400  # random weights write until there is no room
    (folder / "config.json").write_text(json.dumps(config))
    done = call(
        "rerank", "--text", "red", "photos/red.png", "photos/blue.png", "--policy", "local:model", "--dtype",
        "float32", "--device", "cpu", "--trace", "t.jsonl", "--json", cwd=photos,
    )  # fmt: skip
    assert done.code == 1, done.stderr  # no window was answered
    (trajectory,) = json.loads((photos / "t.jsonl").read_text())["trajectories"]
    assert {(picture["width"], picture["height"]) for picture in trajectory["pictures"]} == {(84, 84)}
    assert " float32 cpu " in trajectory["policy"]


def test_options_of_a_model_are_refused_where_there_is_none(photos: Path) -> None:
    done = call("rerank", "--text", "red", "photos/red.png", "--device", "cpu", cwd=photos)
    assert "takes no options of one; name local:FOLDER" in sentence_of(done)
    assert local_options(None, None) is None
    assert local_options(None, "cpu") == LocalOptions(device="cpu")


def test_sizes_follow_the_folder_and_otherwise_the_dialect() -> None:
    dialect = dialect_named("vretrver")
    assert views_of("shipped", dialect) == VIEWS
    assert views_of(f"local:{folder_of('qwen2_5_vl')}", dialect).candidate == PixelBudget(cell=28, tokens=64)
    assert views_of("first-k", dialect) == dialect.views
    assert recipe_of("first-k") is None
    assert (is_local("shipped"), is_local("first-k")) == (True, False)

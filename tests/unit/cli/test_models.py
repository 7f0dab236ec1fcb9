"""Pins what commands say and do when a model of this process is named: its sizes, its dialect, what it knows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import call, sentence_of
from tests.tiny_models import folder_of

from vretrver.cli.agents import spec_of
from vretrver.cli.models import is_local
from vretrver.models.agent_recipe import AgentRecipe, write_agent_recipe
from vretrver.models.shipped import KNOWN
from vretrver.policies.named import LocalOptions
from vretrver.world.draw.write import write_catalogue
from vretrver.world.tiny.views import VIEWS


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
    assert done.code == 1  # random weights give no answer, and there is no other query
    assert "the turn reached 1400 tokens, the policy takes 1400" in done.stderr
    (trajectory,) = json.loads((photos / "t.jsonl").read_text())["trajectories"]
    assert {(picture["width"], picture["height"]) for picture in trajectory["shown"]} == {(84, 84)}
    assert " float32 cpu " in trajectory["policy"]


def test_options_of_a_model_are_refused_where_there_is_none(photos: Path) -> None:
    done = call("rerank", "--text", "red", "photos/red.png", "--device", "cpu", cwd=photos)
    assert "takes no options of one; name local:FOLDER" in sentence_of(done)


def test_a_device_is_of_a_model_in_this_process() -> None:
    assert (is_local("shipped"), is_local("first-k")) == (True, False)
    assert spec_of(None, None, device="cpu").local is None
    assert spec_of(None, None, device="cpu", values={"policy": "local:x"}).local == LocalOptions(device="cpu")

"""Pins `vretrver index` and `search` with an encoder that is a model's folder: named, found again, moved, changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from tests.tiny_models import folder_of
from typer.testing import CliRunner

from vretrver.cli.index import index
from vretrver.cli.info import info
from vretrver.cli.search import search
from vretrver.errors import VRetrverError

app = typer.Typer()
for command in (index, info, search):
    app.command()(command)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three pictures and a model, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name, colour in {"red": (208, 40, 40), "blue": (43, 95, 201), "grey": (90, 90, 90)}.items():
        Image.new("RGB", (64, 64), colour).save(tmp_path / "photos" / f"{name}.png")
    shutil.copytree(folder_of("qwen3_vl"), tmp_path / "model")
    return tmp_path


def run(*arguments: str) -> Any:
    """Run a command with --json and return what it printed."""
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def told(*arguments: str) -> str:
    """Return the one sentence of a command that fails."""
    with pytest.raises(VRetrverError) as caught:
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_index_keeps_its_model_and_is_searched_from_anywhere(place: Path, monkeypatch: pytest.MonkeyPatch):
    assert run("index", "photos", "-o", "shop", "--encoder", "lamra:model")["encoded"] == 3
    assert run("info", "shop")["encoder"] == f"lamra:{place / 'model'}"
    monkeypatch.chdir("/")
    found = run("search", str(place / "shop"), "--image", str(place / "photos" / "red.png"))
    assert found["hits"][0]["did"] == "red.png"
    assert found["encoder"].startswith("lamra-1 weights=")


def test_indexing_again_encodes_nothing_anew(place: Path):
    run("index", "photos", "-o", "shop", "--encoder", "lamra:model")
    assert run("index", "photos", "-o", "shop")["encoded"] == 0


def test_a_moved_model_is_named_once(place: Path):
    run("index", "photos", "-o", "shop", "--encoder", "lamra:model")
    (place / "model").rename(place / "moved")
    sentence = told("search", "shop", "--text", "red")
    assert f"lamra:{place / 'model'}: no such folder" in sentence
    assert "--encoder lamra:FOLDER" in sentence
    assert len(run("search", "shop", "--text", "red", "--encoder", "lamra:moved")["hits"]) == 3
    run("index", "photos", "-o", "shop", "--encoder", "lamra:moved")
    assert len(run("search", "shop", "--text", "red")["hits"]) == 3


def test_another_layout_is_another_encoder(place: Path):
    run("index", "photos", "-o", "shop", "--encoder", "lamra:model")
    sentence = told("search", "shop", "--text", "red", "--encoder", "qwen3vl_embedding:model")
    assert "made by an encoder other than the one in use" in sentence
    assert "text_tokens 1024 there, 8192 here" in sentence


def test_other_weights_are_another_encoder(place: Path):
    run("index", "photos", "-o", "shop", "--encoder", "lamra:model")
    config = place / "model" / "config.json"
    config.write_text(config.read_text() + "\n")
    assert "weights" in told("search", "shop", "--text", "red")

"""Pins what is read of a model folder, what is refused, and what its hash covers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.tiny_models import folder_of, loaded

from vretrver.errors import ConfigError
from vretrver.models.folder import folder_digest, open_folder
from vretrver.models.loading import load_model


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of its own to be damaged."""
    return Path(shutil.copytree(folder_of("qwen3_vl"), tmp_path / "model"))


def _change(path: Path, change: Callable[[dict[str, Any]], Mapping[str, Any] | None]) -> None:
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def test_a_folder_says_family_geometry_and_context() -> None:
    folder = open_folder(folder_of("qwen2_5_vl"))
    assert folder.family == "qwen2_5_vl"
    assert (folder.geometry.cell, folder.geometry.patch, folder.geometry.temporal) == (28, 14, 2)
    assert folder.geometry.mean[0] == 0.48145466
    assert folder.context_tokens == 16_384


def test_a_name_that_is_no_folder_is_not_looked_up_anywhere() -> None:
    with pytest.raises(ConfigError, match=r"Qwen/Qwen3-VL-8B-Instruct: no such model folder.*nothing is downloaded"):
        open_folder("Qwen/Qwen3-VL-8B-Instruct")


def test_another_family_is_refused(copy: Path) -> None:
    _change(copy / "config.json", lambda config: config.update(model_type="llama"))
    with pytest.raises(ConfigError, match="is a llama model; models of qwen2_5_vl and qwen3_vl can be run"):
        open_folder(copy)


def test_two_files_that_disagree_are_refused(copy: Path) -> None:
    _change(copy / "preprocessor_config.json", lambda config: config.update(patch_size=14))
    with pytest.raises(ConfigError, match=r"patch_size is 16 in config\.json and 14 in preprocessor"):
        open_folder(copy)


def test_sliding_windows_are_refused(copy: Path) -> None:
    _change(copy / "config.json", lambda config: config["text_config"].update(layer_types=["sliding_attention"] * 3))
    with pytest.raises(ConfigError, match="sliding windows"):
        open_folder(copy)


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_a_broken_preprocessor_file_is_one_sentence(copy: Path, text: str | None) -> None:
    path = copy / "preprocessor_config.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=r"preprocessor_config\.json: "):
        open_folder(copy)


def test_a_weight_that_is_missing_is_an_error_not_a_random_number(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    name = "model.language_model.layers.1.mlp.up_proj.weight"
    del weights[name]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=f"the weights lack {name}"):
        load_model(copy, device="cpu")


def test_a_folder_without_weights_is_refused(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="the weights cannot be loaded"):
        load_model(copy, device="cpu")


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="dtype 'int4' is unknown"):
        load_model(folder_of("qwen3_vl"), dtype="int4")
    with pytest.raises(ConfigError, match="device 'nowhere' cannot be used"):
        load_model(folder_of("qwen3_vl"), device="nowhere")


def test_weights_are_held_as_they_are_stored_unless_told_otherwise() -> None:
    assert load_model(folder_of("qwen3_vl"), dtype="bfloat16", device="cpu").dtype == torch.bfloat16
    assert load_model(folder_of("qwen3_vl"), device="cpu").dtype == torch.float32


def test_the_fingerprint_names_contents_dtype_device_attention_and_versions() -> None:
    fingerprint = loaded("qwen3_vl").fingerprint
    digest = folder_digest(folder_of("qwen3_vl"))
    assert fingerprint.startswith("local:qwen3_vl tiny-qwen3_vl")
    assert f"@{digest} float32 cpu sdpa torch {torch.__version__} transformers " in fingerprint


def test_the_hash_is_of_the_contents_and_not_of_the_place(copy: Path) -> None:
    digest = folder_digest(folder_of("qwen3_vl"))
    assert folder_digest(copy) == digest
    (copy / "README.md").write_text("notes")
    assert folder_digest(copy) == digest
    data = bytearray((copy / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    assert folder_digest(copy) != digest


def test_a_large_file_is_hashed_at_its_head_and_in_blocks(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vretrver.models.folder.HASHED_WHOLE", 8192)
    digest = folder_digest(copy)
    data = bytearray((copy / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    assert folder_digest(copy) != digest

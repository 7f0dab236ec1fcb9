"""Pins that weight files are known by their headers: what they hold, and every way in which they are not whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.unit.doctor.folders import write_json, write_model, write_safetensors

from vretrver.doctor.weights import read_weights
from vretrver.errors import DataError


def test_parameters_types_and_sizes_come_from_the_headers(tmp_path: Path) -> None:
    weights = read_weights(write_model(tmp_path))
    assert (weights.files, weights.parameters, weights.dtypes) == (2, 21, ("BF16", "F32"))
    assert weights.size == sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))


def test_a_single_file_needs_no_index(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", {"w": ("F16", [7], 2)})
    assert read_weights(tmp_path).parameters == 7


def cut_short(folder: Path) -> None:
    path = folder / "model-1.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def pointer(folder: Path) -> None:
    (folder / "model-2.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


def pickled(folder: Path) -> None:
    (folder / "model.safetensors.index.json").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80")


def outside(folder: Path) -> None:
    write_json(folder / "model.safetensors.index.json", {"weight_map": {"a": "../other/model.safetensors"}})


def without_tensor(folder: Path) -> None:
    table = json.loads((folder / "model.safetensors.index.json").read_text())
    write_json(
        folder / "model.safetensors.index.json", {"weight_map": table["weight_map"] | {"d": "model-2.safetensors"}}
    )


BROKEN = {
    "cut short": (cut_short, r"model-1\.safetensors: \d+ bytes and the header says \d+; download it again"),
    "a pointer": (pointer, r"model-2\.safetensors: a Git LFS pointer, not the weights; run: git lfs pull"),
    "pickled": (pickled, r"pickled \(\*\.bin\), which can run code; use a safetensors copy"),
    "outside": (outside, r"'\.\./other/model\.safetensors' is not a file of this folder"),
    "a tensor lacks": (without_tensor, r"model-2\.safetensors: tensor d of .* is not in it"),
    "missing": (lambda folder: (folder / "model-2.safetensors").unlink(), r"model-2\.safetensors: the weight file"),
    "no index": (lambda folder: write_json(folder / "model.safetensors.index.json", [1]), "not an index of weights"),
    "garbage": (lambda folder: (folder / "model-1.safetensors").write_bytes(b"\xff" * 40), "not a safetensors file"),
    "empty": (lambda folder: (folder / "model-1.safetensors").write_bytes(b""), "not a safetensors file"),
    "broken header": (
        lambda folder: (folder / "model-1.safetensors").write_bytes(b"\x08" + bytes(7) + b"{\"a\": 1}"),
        "the header is damaged or cut short",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_whole_is_named_with_its_remedy(name: str, tmp_path: Path) -> None:
    damage, words = BROKEN[name]
    damage(write_model(tmp_path))
    with pytest.raises(DataError) as caught:
        read_weights(tmp_path)
    assert re.search(words, str(caught.value))


def test_no_weights_at_all_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there are no weights, neither model\.safetensors nor"):
        read_weights(tmp_path)

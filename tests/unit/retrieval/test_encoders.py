"""Encoders by name: what can be named, and one sentence for what cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.tiny_clip import clip_folder
from tests.tiny_models import folder_of

from vretrver.errors import ConfigError
from vretrver.images import ImageStore
from vretrver.retrieval.encoders import encoder_named


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore({"": tmp_path})


def test_the_layout_and_the_folder_make_the_name(store: ImageStore):
    folder = folder_of("qwen3_vl")
    assert encoder_named("hash", store).fingerprint.startswith("hash-2 ")
    assert encoder_named(f"lamra:{folder}", store).fingerprint.startswith("lamra-1 ")
    assert encoder_named(f"qwen3vl_embedding:{folder}", store).fingerprint.startswith("qwen3vl_embedding-1 ")
    assert encoder_named(f"clip:{clip_folder('clip')}", store).fingerprint.startswith("clip-1 ")


@pytest.mark.parametrize("name", ["", "Hash", "bge:x", "lamra", "lamra:", ":x"])
def test_an_unknown_name_lists_what_there_is(store: ImageStore, name: str):
    expected = "there are: hash, shipped, lamra:FOLDER, qwen3vl_embedding:FOLDER, clip:FOLDER, http:URL#MODEL"
    with pytest.raises(ConfigError, match=expected):
        encoder_named(name, store)


def test_a_folder_that_is_gone_is_named_with_the_remedy(store: ImageStore):
    with pytest.raises(ConfigError, match=r"lamra:/gone: no such folder; .* with --encoder lamra:FOLDER"):
        encoder_named("lamra:/gone", store)


@pytest.mark.parametrize("layout", ["lamra", "qwen3vl_embedding", "clip"])
def test_a_folder_without_a_model_is_one_sentence(store: ImageStore, tmp_path: Path, layout: str):
    with pytest.raises(ConfigError, match=r"config\.json: the file is missing"):
        encoder_named(f"{layout}:{tmp_path}", store)


def test_a_folder_of_another_family_is_one_sentence(store: ImageStore):
    with pytest.raises(ConfigError, match="is a siglip model; models of"):
        encoder_named(f"lamra:{clip_folder('siglip')}", store)


def test_a_device_that_is_not_there_is_one_sentence(store: ImageStore):
    for name in (f"lamra:{folder_of('qwen3_vl')}", f"clip:{clip_folder('clip')}"):
        with pytest.raises(ConfigError, match="device 'cuda:99' cannot be used"):
            encoder_named(name, store, device="cuda:99")


def test_the_encoder_without_a_model_loads_no_torch():
    code = (
        "import sys; from vretrver.images import ImageStore; from vretrver.retrieval.encoders import encoder_named; "
        "encoder_named('hash', ImageStore({'': '.'})); print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

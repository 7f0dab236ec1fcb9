"""CLIP and its kin: against plain transformers, the fusion, texts that are too long, pictures of any shape."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.tiny_clip import ADDED, DIMENSION, PATCH, PATCHES, PLACES, SIDE, clip_folder
from tests.tiny_models import folder_of
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from vretrver.errors import ConfigError, MissingDependency
from vretrver.images import ImageStore
from vretrver.records import Candidate, ImageRef, Query, parts_of
from vretrver.retrieval.layouts.clip import ClipEncoder
from vretrver.retrieval.layouts.sizes import PatchSizes, ShortEdge

FAMILIES = ("clip", "metaclip_2", "siglip", "siglip2")
A, B = ImageRef(path="a.png"), ImageRef(path="b.png")


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    lot = np.random.default_rng(0)
    for name, size in (("a", (SIDE, SIDE)), ("b", (200, 50))):
        Image.fromarray(lot.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    return ImageStore({"": tmp_path})


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("family", FAMILIES)
def test_towers_give_what_plain_transformers_gives(store: ImageStore, family: str, tmp_path: Path):
    folder = clip_folder(family)
    encoder = ClipEncoder(folder, store, device="cpu")
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    padding = {"padding": "max_length", "max_length": PLACES[family], "padding_side": "right"}
    padding = padding if family.startswith("siglip") else {}
    ids = tokenizer("a cup", return_tensors="pt", **padding)["input_ids"]
    if family == "siglip2":
        picture = store.thumbnail(A, encoder.rule)
        given = AutoImageProcessor.from_pretrained(folder)(picture, return_tensors="pt")
    else:
        pixels = np.asarray(Image.open(tmp_path / "a.png"), dtype=np.float32) / 127.5 - 1
        given = {"pixel_values": torch.from_numpy(pixels).permute(2, 0, 1)[None]}
    with torch.no_grad():
        text = model.get_text_features(input_ids=ids).pooler_output[0].numpy()
        image = model.get_image_features(**given).pooler_output
    found = encoder.encode_candidates(
        [Candidate(did="1", parts=parts_of(text="a cup")), Candidate(did="2", parts=parts_of(images=[A]))]
    )
    assert found.shape == (2, DIMENSION)
    assert np.allclose(found[0], unit(text), atol=1e-5)
    assert np.allclose(found[1], unit(image[0].numpy()), atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_item_of_text_and_pictures_is_the_sum_of_its_vectors(store: ImageStore, family: str):
    encoder = ClipEncoder(clip_folder(family), store, device="cpu")
    items = [parts_of(text="cup"), parts_of(images=[A]), parts_of(images=[B]), parts_of(text="cup", images=[A, B])]
    text, first, second, both = encoder.encode_candidates([Candidate(did="1", parts=parts) for parts in items])
    assert np.allclose(both, unit(text + first + second), atol=1e-5)


def test_instructions_are_left_out(store: ImageStore):
    encoder = ClipEncoder(clip_folder("clip"), store, device="cpu")
    told, plain = (Query(qid="1", parts=parts_of(text="cup"), instruction=said) for said in ("Find it.", ""))
    assert np.array_equal(encoder.encode_queries([told]), encoder.encode_queries([plain]))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_text_keeps_its_beginning_and_the_pooled_token(store: ImageStore, family: str):
    encoder = ClipEncoder(clip_folder(family), store, device="cpu")
    kept = "x" * (PLACES[family] - ADDED[family])
    texts = (kept, f"{kept}yyyy", kept[:-1])
    vectors = encoder.encode_candidates([Candidate(did=text, parts=parts_of(text=text)) for text in texts])
    assert np.allclose(vectors[0], vectors[1], atol=1e-6)
    assert not np.allclose(vectors[0], vectors[2], atol=1e-4)


def test_clips_pictures_come_at_the_size_they_are_cropped_from():
    assert ShortEdge(cell=224).fit(1000, 500) == (448, 224)
    assert ShortEdge(cell=224).fit(10, 1000) == (224, 896)


def test_the_fingerprint_names_folder_sizes_processor_and_numbers(store: ImageStore):
    mark = ClipEncoder(clip_folder("siglip"), store, device="cpu").fingerprint
    assert mark.startswith("clip-1 weights=")
    assert mark.endswith(f" Square(cell={SIDE}) processor=SiglipImageProcessorPil texts=lower dtype=float32")


def test_another_familys_folder_is_refused(store: ImageStore):
    with pytest.raises(ConfigError, match="is a qwen3_vl model; the layout clip opens clip, metaclip_2, siglip,"):
        ClipEncoder(folder_of("qwen3_vl"), store, device="cpu")


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (192, 16), (7, 300), (1, 1), (640, 480), (1000, 999)])
def test_pictures_in_their_own_shape_are_as_large_as_the_librarys_processor_makes_them(size: tuple[int, int]):
    processor = AutoImageProcessor.from_pretrained(clip_folder("siglip2"))
    rows, columns = processor(Image.new("RGB", size), return_tensors="pt")["spatial_shapes"][0].tolist()
    rule = PatchSizes(cell=PATCH, most=PATCHES)
    assert rule.fit(*size) == (columns * PATCH, rows * PATCH)
    assert rule.fit(*rule.fit(*size)) == rule.fit(*size), "the processor leaves it as it is"


@pytest.mark.parametrize("family", ["siglip", "siglip2"])
def test_texts_of_siglip_are_in_small_letters_filled_up_on_the_right(store: ImageStore, family: str, tmp_path: Path):
    folder = Path(shutil.copytree(clip_folder(family), tmp_path / "model"))
    found = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**found, "padding_side": "left"}))
    left, right = (ClipEncoder(place, store, device="cpu") for place in (folder, clip_folder(family)))
    loud, plain = (Candidate(did=text, parts=parts_of(text=text)) for text in ("A Cup", "a cup"))
    assert np.array_equal(left.encode_candidates([loud]), right.encode_candidates([plain]))
    clip = ClipEncoder(clip_folder("clip"), store, device="cpu")
    assert not np.allclose(clip.encode_candidates([loud]), clip.encode_candidates([plain]), atol=1e-4)


def test_the_first_siglips_tokenizer_says_which_library_it_needs(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    folder = Path(shutil.copytree(clip_folder("siglip"), tmp_path / "model"))
    found = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**found, "tokenizer_class": "SiglipTokenizer"}))
    with pytest.raises(MissingDependency, match=r"sentencepiece is not installed; run: pip install"):
        ClipEncoder(folder, store, device="cpu")


def test_a_model_that_needs_code_of_its_own_is_refused_with_the_reason(store: ImageStore, tmp_path: Path):
    """As jina-clip's folder is: a family of its own, and code for it."""
    folder = Path(shutil.copytree(clip_folder("clip"), tmp_path / "model"))
    found = json.loads((folder / "config.json").read_text())
    content = {
        **found,
        "model_type": "jina_clip",
        "auto_map": {"AutoModel": "jinaai/code--m.JinaCLIPModel"},
    }
    (folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="auto_map names code of the folder, and no code of a folder is run"):
        ClipEncoder(folder, store, device="cpu")

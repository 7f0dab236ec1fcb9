"""The encoder over Qwen-VL folders: against plain transformers, and what its fingerprint holds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.tiny_models import folder_of, loaded

from vretrver.errors import ConfigError
from vretrver.geometry import PixelBudget
from vretrver.images import ImageStore
from vretrver.records import Candidate, ImageRef, Query, parts_of
from vretrver.retrieval.layouts.encoder import batches_of, open_layout
from vretrver.retrieval.layouts.recipe import RECIPE_FILE, EncoderRecipe
from vretrver.retrieval.layouts.rendering import Rendered

FAMILIES = ("qwen3_vl", "qwen2_5_vl")


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 130, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return ImageStore({"": tmp_path})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layout", ["lamra", "qwen3vl_embedding"])
def test_a_vector_is_the_last_hidden_state_that_plain_transformers_gives(store: ImageStore, family: str, layout: str):
    encoder = open_layout(layout, folder_of(family), store, device="cpu")
    query = Query(qid="1", parts=parts_of(text="red cup", images=[ImageRef(path="a.png")]), instruction="Find it.")
    rendered = encoder.renderer.render(query.parts, query.instruction, store)
    features = encoder.collator.features([rendered])
    model = loaded(family).model.model
    with torch.no_grad():
        hidden = model(
            input_ids=features["input_ids"],
            attention_mask=features["attention_mask"],
            pixel_values=features["pixel_values"],
            image_grid_thw=features["image_grid_thw"],
            mm_token_type_ids=features["visual"].int(),
        ).last_hidden_state[0, -1]
    expected = torch.nn.functional.normalize(hidden, dim=-1).numpy()
    assert np.allclose(encoder.encode_queries([query])[0], expected, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_lamras_position_before_emb_is_the_last_token_here(store: ImageStore, family: str):
    encoder = open_layout("lamra", folder_of(family), store, device="cpu")
    rendered = encoder.renderer.render(parts_of(text="red cup"), "", store)
    answer = encoder.renderer.tokenizer.encode("<emb>.<|im_end|>\n", add_special_tokens=False).ids
    longer = Rendered(ids=(*rendered.ids, *answer), pictures=())
    model = loaded(family).model.model
    with torch.no_grad():
        features = encoder.collator.features([longer])
        hidden = model(input_ids=features["input_ids"]).last_hidden_state[0, len(rendered.ids) - 1]
    vector = encoder.encode_candidates([Candidate(did="1", parts=parts_of(text="red cup"))])[0]
    assert np.allclose(vector, torch.nn.functional.normalize(hidden, dim=-1).numpy(), atol=1e-5)


def test_qwen25_is_told_it_is_helpful_and_qwen3_is_not(store: ImageStore):
    heads = {
        family: open_layout("lamra", folder_of(family), store, device="cpu").renderer.system for family in FAMILIES
    }
    assert heads == {"qwen3_vl": "", "qwen2_5_vl": "You are a helpful assistant."}


def test_the_instruction_changes_the_vector_in_both_layouts(store: ImageStore):
    for layout in ("lamra", "qwen3vl_embedding"):
        encoder = open_layout(layout, folder_of("qwen3_vl"), store, device="cpu")
        queries = [Query(qid="1", parts=parts_of(text="red"), instruction=told) for told in ("", "Find a cup.")]
        first, second = encoder.encode_queries(queries)
        assert not np.allclose(first, second, atol=1e-4)


def test_the_fingerprint_says_layout_weights_pictures_texts_processor_and_numbers(store: ImageStore):
    first = open_layout("lamra", folder_of("qwen3_vl"), store, device="cpu").fingerprint
    parts = first.split(" ", 2)
    assert parts[0] == "lamra-1"
    assert len(parts[1]) == len("weights=") + 16
    assert parts[2] == (
        "SmartResize(cell=32, least_tokens=4, tokens=300) text_tokens=1024 processor=patches-1 dtype=float32"
    )
    others = [
        open_layout("qwen3vl_embedding", folder_of("qwen3_vl"), store, device="cpu").fingerprint,
        open_layout("lamra", folder_of("qwen2_5_vl"), store, device="cpu").fingerprint,
        open_layout("lamra", folder_of("qwen3_vl"), store, device="cpu", dtype="bfloat16").fingerprint,
    ]
    assert len({first, *others}) == 4


def test_a_folder_that_was_moved_keeps_its_fingerprint(store: ImageStore, tmp_path: Path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder_of("qwen3_vl"), moved)
    there = open_layout("lamra", moved, store, device="cpu").fingerprint
    assert there == open_layout("lamra", folder_of("qwen3_vl"), store, device="cpu").fingerprint


def test_a_recipe_in_the_folder_decides_over_pictures_and_texts(store: ImageStore, tmp_path: Path):
    folder = tmp_path / "trained"
    shutil.copytree(folder_of("qwen3_vl"), folder)
    recipe = EncoderRecipe(layout="lamra", pictures=PixelBudget(tokens=9), text_tokens=64)
    (folder / RECIPE_FILE).write_text(recipe.to_json())
    encoder = open_layout("lamra", folder, store, device="cpu")
    assert encoder.renderer.rule == PixelBudget(cell=32, tokens=9)
    assert encoder.renderer.text_tokens == 64
    with pytest.raises(ConfigError, match="was trained in the layout lamra; name it lamra:"):
        open_layout("qwen3vl_embedding", folder, store, device="cpu")


@pytest.mark.parametrize(
    "content", ["{", "[]", json.dumps({"format": 1, "layout": "lamra"}), json.dumps({"format": 9})]
)
def test_a_damaged_recipe_is_refused(store: ImageStore, tmp_path: Path, content: str):
    folder = tmp_path / "trained"
    shutil.copytree(folder_of("qwen3_vl"), folder)
    (folder / RECIPE_FILE).write_text(content)
    with pytest.raises(ConfigError, match=r"vretrver_encoder\.json"):
        open_layout("lamra", folder, store, device="cpu")


def test_the_tokenizers_limit_is_kept(store: ImageStore, tmp_path: Path):
    folder = tmp_path / "short"
    shutil.copytree(folder_of("qwen3_vl"), folder)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": 80}))
    encoder = open_layout("lamra", folder, store, device="cpu")
    assert len(encoder.renderer.render(parts_of(text="red " * 500), "", store).ids) <= 80


def test_batches_are_sorted_by_length_and_bounded_with_what_fills_them_up():
    items = [Rendered(ids=(1,) * length, pictures=()) for length in (2, 9, 3, 8)]
    assert list(batches_of(items, most_tokens=18)) == [[1, 3], [2, 0]]
    assert list(batches_of(items, most_tokens=1)) == [[1], [3], [2], [0]]

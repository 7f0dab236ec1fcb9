"""Pins the chat template against the wire form, and that saved folders load in plain transformers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tests.tiny_models import CELL, FAMILIES, folder_of, loaded, shown
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

from vretrver.agent.dialects import dialect_named
from vretrver.agent.messages import Message
from vretrver.agent.wire import render
from vretrver.models.conversation import encode
from vretrver.models.patches import decoded, patchify_all
from vretrver.models.processor import ImageOnlyQwen3VL, ImageOnlyQwen25VL, open_processor, register

STOCK = {"qwen3_vl": "Qwen3VLProcessor", "qwen2_5_vl": "Qwen2_5_VLProcessor"}
OURS = {"qwen3_vl": ImageOnlyQwen3VL, "qwen2_5_vl": ImageOnlyQwen25VL}


def _conversation(cell: int) -> tuple[Message, ...]:
    dialect = dialect_named("vretrver")
    return (
        Message(role="system", pieces=(dialect.wording.system(dialect.tools, dialect.form),)),
        Message(
            role="user", pieces=("Query:\n", shown(1, 2, 3, cell=cell), "a {{ cup }}\n", shown(2, 1, 1, cell=cell))
        ),
        Message(role="assistant", pieces=("<think> no\n</think>\n<tool_call>{}</tool_call>",)),
        Message(role="user", pieces=("<tool_response>\n", shown(3, 2, 2, cell=cell), "</tool_response>")),
        Message(role="assistant", pieces=("<answer>[1]</answer>",)),
    )


def _chat(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    def part(piece: Any) -> dict[str, Any]:
        return {"type": "text", "text": piece} if isinstance(piece, str) else {"type": "image"}

    return [{"role": message.role, "content": [part(piece) for piece in message.pieces]} for message in messages]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("ask", [True, False])
def test_the_template_renders_the_wire_form(count: int, ask: bool) -> None:
    processor = open_processor(folder_of("qwen3_vl"), "qwen3_vl")
    messages = _conversation(32)[:count]
    chat = _chat(messages)
    rendered = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=ask)
    assert rendered == render(messages, ask=ask)
    flat = [{"role": message.role, "content": message.text} for message in messages if not message.pictures]
    assert processor.apply_chat_template(flat, tokenize=False) == render(
        [message for message in messages if not message.pictures], ask=False
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_ids_pixels_and_the_assistants_part_are_those_of_our_conversation(family: str) -> None:
    model = loaded(family)
    processor = open_processor(folder_of(family), family)
    messages = _conversation(CELL[family])
    encoded = encode(messages, model.vocabulary, model.folder.geometry, ask=False)
    pixels = [decoded(picture.picture.data) for picture in encoded.pictures]
    stock = processor(
        text=[render(messages, ask=False)], images=[Image.fromarray(one) for one in pixels], return_tensors="pt"
    )
    assert stock["input_ids"][0].tolist() == encoded.ids
    patches, grids = patchify_all(pixels, model.folder.geometry)
    assert torch.equal(stock["pixel_values"], torch.from_numpy(patches))
    assert stock["image_grid_thw"].tolist() == grids.tolist()
    chat = [{"role": message.role, "content": message.text} for message in messages]
    masked = processor.tokenizer.apply_chat_template(
        chat, chat_template=processor.chat_template, return_dict=True, return_assistant_tokens_mask=True
    )
    bare = [Message(role=message.role, pieces=(message.text,)) for message in messages]
    written = encode(bare, model.vocabulary, model.folder.geometry, ask=False).written
    assert [bool(mark) for mark in masked["assistant_masks"]] == written


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_processor_is_the_stock_one_to_others_and_ours_to_us(family: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folder_of(family), tmp_path / "model"))
    for path in (*folder.glob("*processor_config.json"), folder / "chat_template.jinja"):
        path.unlink()
    (folder / "processor_config.json").write_text("{}")
    open_processor(folder_of(family), family).save_pretrained(folder)
    assert not (folder / "processor_config.json").exists()
    for name in ("preprocessor_config.json", "video_preprocessor_config.json", "tokenizer_config.json"):
        assert json.loads((folder / name).read_text())["processor_class"] == STOCK[family]
    again = open_processor(folder, family)
    assert type(again) is OURS[family]
    assert again.chat_template == (folder / "chat_template.jinja").read_text()
    assert AutoTokenizer.from_pretrained(folder)("cup").input_ids == loaded(family).vocabulary.text("cup")
    assert AutoImageProcessor.from_pretrained(folder).patch_size == CELL[family] // 2
    assert AutoModelForImageTextToText.from_pretrained(folder).config.model_type == family


@pytest.mark.parametrize("family", FAMILIES)
def test_auto_processor_finds_ours_in_a_folder_that_names_no_class(family: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folder_of(family), tmp_path / "model"))
    for name in ("preprocessor_config.json", "video_preprocessor_config.json", "tokenizer_config.json"):
        found = json.loads((folder / name).read_text())
        found.pop("processor_class", None)
        (folder / name).write_text(json.dumps(found))
    register()
    assert type(AutoProcessor.from_pretrained(folder)) is OURS[family]


def test_small_pictures_are_left_at_their_size_by_a_saved_folder() -> None:
    pictures = AutoImageProcessor.from_pretrained(folder_of("qwen3_vl"))
    assert pictures(images=[Image.new("RGB", (32, 32))])["image_grid_thw"].tolist() == [[1, 2, 2]]

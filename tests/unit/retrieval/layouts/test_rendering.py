"""Ids and pooled position of items, over-long ones too: literal tokens, and the tail that is never lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.tiny_models import byte_tokenizer
from tokenizers import processors

from vretrver.errors import DataError
from vretrver.geometry import PixelBudget
from vretrver.images import ImageStore
from vretrver.records import ImagePart, ImageRef, Part, TextPart, parts_of
from vretrver.retrieval.layouts.rendering import Rendered, Renderer
from vretrver.retrieval.layouts.templates import TEMPLATES

PICTURE = ImageRef(path="red.png")
TAIL = "<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    Image.new("RGB", (64, 32), (200, 20, 20)).save(tmp_path / "red.png")
    return ImageStore({"": tmp_path})


def renderer(layout: str, tokenizer: Any = None, *, text_tokens: int = 50, most_tokens: int = 1000) -> Renderer:
    return Renderer(
        TEMPLATES[layout],
        tokenizer or byte_tokenizer(),
        system="",
        rule=PixelBudget(tokens=2),
        text_tokens=text_tokens,
        most_tokens=most_tokens,
    )


def text_of(found: Rendered) -> str:
    return str(byte_tokenizer().decode(list(found.ids), skip_special_tokens=False))


def test_the_tokens_of_a_picture_in_lamras_layout(store: ImageStore):
    found = renderer("lamra").render(parts_of(images=[PICTURE]), "", store)
    tokens = [byte_tokenizer().id_to_token(number) for number in found.ids]
    assert tokens[:7] == [
        "<|im_start|>",
        "user",
        "Ċ",
        "<|vision_start|>",
        "<|image_pad|>",
        "<|image_pad|>",
        "<|vision_end|>",
    ]
    assert tokens[-7:-4] == ["<|im_end|>", "Ċ", "<|im_start|>"]
    assert "".join(tokens[-4:]) == "assistantĊ"
    assert text_of(found) == (
        "<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|vision_end|>"
        f"\nSummarize above image in one word: {TAIL}"
    )


def test_the_ids_of_a_text_are_those_of_the_whole_prompt_at_once(store: ImageStore):
    found = renderer("qwen3vl_embedding").render(parts_of(text="red cup"), "Find it.", store)
    whole = f"<|im_start|>system\nFind it.<|im_end|>\n<|im_start|>user\nred cup{TAIL}"
    assert list(found.ids) == byte_tokenizer().encode(whole).ids
    assert found.pictures == ()


def test_what_the_tokenizer_adds_by_itself_is_pooled_where_the_layout_says_so(store: ImageStore):
    tokenizer = byte_tokenizer()
    end = tokenizer.token_to_id("<|endoftext|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]
    )
    item = parts_of(text="red cup")
    assert renderer("qwen3vl_embedding", tokenizer).render(item, "", store).ids[-1] == end
    assert renderer("lamra", tokenizer).render(item, "", store).ids[-1] == tokenizer.token_to_id("Ċ")


@pytest.mark.parametrize("layout", ["lamra", "qwen3vl_embedding"])
@pytest.mark.parametrize("words", [10, 1000, 20_000])
def test_a_long_text_loses_its_end_and_never_the_tail(store: ImageStore, layout: str, words: int):
    item: tuple[Part, ...] = (
        TextPart(text="red " * words),
        ImagePart(image=PICTURE),
        TextPart(text="blue " * words),
        ImagePart(image=PICTURE),
    )
    found = renderer(layout, text_tokens=30).render(item, "", store)
    text = text_of(found)
    assert text.endswith(TAIL)
    assert text.count("<|image_pad|>") == 4
    assert text.lower().count("red") + text.count("blue") <= 30


def test_a_cut_never_leaves_half_a_character(store: ImageStore):
    for budget in range(1, 12):
        text = text_of(
            renderer("lamra", text_tokens=budget).render((TextPart(text="\u4f60\u597d\u5417"),), "", store)
        )
        assert "\ufffd" not in text
        assert text.endswith(TAIL)


def test_a_text_gives_way_where_the_model_takes_fewer_tokens(store: ImageStore):
    item = parts_of(text="red " * 500, images=[PICTURE])
    found = renderer("lamra", text_tokens=400, most_tokens=60).render(item, "", store)
    assert len(found.ids) <= 60
    assert text_of(found).endswith(TAIL)
    assert text_of(found).count("<|image_pad|>") == 2


def test_pictures_that_do_not_fit_are_refused_in_one_sentence(store: ImageStore):
    item = parts_of(text="red", images=[PICTURE] * 40)
    with pytest.raises(DataError, match=r"an item of 40 pictures \(80 visual tokens\) needs .* the model takes 60"):
        renderer("lamra", most_tokens=60).render(item, "", store)

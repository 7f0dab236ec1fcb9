"""The layouts' words, against literal prompts and the conversation of LamRA's demo in the published template."""

from __future__ import annotations

import jinja2
import pytest

from vretrver.records import ImagePart, ImageRef, Part, TextPart, parts_of
from vretrver.retrieval.layouts.templates import HELPFUL, ItemPrompt, lamra_prompt, qwen3vl_embedding_prompt

A, B = ImageRef(path="a.jpg"), ImageRef(path="b.jpg")
MARK = "<|vision_start|><|image_pad|><|vision_end|>"

PUBLISHED = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% for content in message['content'] %}{% if content['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}"
)
"""The chat template of Qwen2-VL and Qwen2.5-VL as published, without its branches for videos and plain strings."""


def written(prompt: ItemPrompt) -> str:
    body = "".join(piece if isinstance(piece, str) else MARK for piece in prompt.body)
    return prompt.head + body + prompt.tail


def of_demo(*content: dict[str, str]) -> str:
    """Return what LamRA's demo gives its model, up to the `<emb>` before which it reads the vector."""
    answer = {"role": "assistant", "content": [{"type": "text", "text": "<emb>."}]}
    messages = [{"role": "user", "content": list(content)}, answer]
    return jinja2.Template(PUBLISHED, keep_trailing_newline=True).render(messages=messages).partition("<emb>")[0]


def test_a_picture_with_an_instruction_is_written_as_in_lamras_demo():
    told = "Find an image caption describing the following everyday image."
    expected = of_demo(
        {"type": "image"},
        {"type": "text", "text": told},
        {"type": "text", "text": "\nSummarize above image and sentence in one word: "},
    )
    assert written(lamra_prompt(parts_of(images=[A]), told, HELPFUL)) == expected


def test_a_text_is_written_as_in_lamras_demo():
    expected = of_demo({"type": "text", "text": "A dog.\nSummarize above sentence in one word: "})
    assert written(lamra_prompt(parts_of(text="a dog."), "", HELPFUL)) == expected


def test_the_whole_lamra_prompt_of_a_picture():
    assert written(lamra_prompt(parts_of(images=[A]), "", "")) == (
        f"<|im_start|>user\n{MARK}\nSummarize above image in one word: <|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_instruction_comes_before_the_text_and_after_the_picture():
    prompt = lamra_prompt(parts_of(text="is it blue", images=[A]), "Find the picture.", "")
    assert prompt.body == (A, "Find the picture. is it blue.")


def test_an_interleaved_item_keeps_its_order_and_its_first_text_takes_the_instruction():
    parts: tuple[Part, ...] = (
        TextPart(text="the product of"),
        ImagePart(image=A),
        TextPart(text="on the ground of"),
        ImagePart(image=B),
    )
    prompt = lamra_prompt(parts, "find it.", "")
    assert prompt.body == ("Find it. the product of", A, "on the ground of.", B)
    assert prompt.tail.startswith("\nSummarize above image and sentence in one word: ")


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("  a dog \r\n", "A dog."),
        ('"quoted"', "Quoted."),
        ("why?", "Why?"),
        ("Enough!", "Enough!"),
        ("end <|im_end|> it", "End < |im_end|> it."),
    ],
)
def test_texts_are_formatted_as_uniir_does(text: str, formatted: str):
    assert lamra_prompt((TextPart(text=text),), "", "").body == (formatted,)


def test_a_text_of_spaces_leaves_the_request_alone():
    assert lamra_prompt((TextPart(text="  "),), "", "").body == ()


def test_qwen3vl_embedding_has_the_instruction_as_system_message():
    prompt = qwen3vl_embedding_prompt(parts_of(text="a dog", images=[A]), "Find the page", "")
    assert written(prompt) == (
        "<|im_start|>system\nFind the page.<|im_end|>\n"
        f"<|im_start|>user\n{MARK}a dog<|im_end|>\n<|im_start|>assistant\n"
    )


def test_qwen3vl_embedding_has_its_own_instruction_for_an_item_without_one():
    prompt = qwen3vl_embedding_prompt(parts_of(text="a dog"), "", "")
    assert prompt.head == "<|im_start|>system\nRepresent the user's input.<|im_end|>\n<|im_start|>user\n"

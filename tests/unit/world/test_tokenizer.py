"""Pins the small models' tokenizer: few tokens for what is always said, and any text all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from vretrver.agent.dialects.vretrver import vretrver
from vretrver.models.vocabulary import Vocabulary
from vretrver.world.tiny.tokenizer import SPECIALS
from vretrver.world.vocabulary import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
ZOOM = '{"name": "zoom_in", "arguments": {"target_image": 12, "bbox_2d": [400, 0, 500, 1000]}}'
ZOOM_TOKENS = '{"name": "zoom_in", "arguments": {"target_image": |12|, "bbox_2d": [|400|,Ġ|0|,Ġ|500|,Ġ|1000|]}}'


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("red striped mug on wood, code A7K", "red|Ġstriped|Ġmug|Ġon|Ġwood|,|Ġcode|ĠA|7|K"),
        ("code 77A", "code|Ġ|7|7|A"),
        ("3 code A+7-9+\n", "3|Ġcode|ĠA|+|7|-|9|+|Ċ"),
        ("Undecided 1, 2, 13.\n", "Undecided|Ġ|1|,Ġ|2|,Ġ|13|.|Ċ"),
        (f"<tool_call>{ZOOM}</tool_call>", f"<tool_call>|{ZOOM_TOKENS}|</tool_call>"),
        ("<answer>[2, 1, 3]</answer>", "<answer>|[|2|,Ġ|1|,Ġ|3|]|</answer>"),
        ("\nWhich picture shows this product?\n", "Ċ|Which picture shows this product?|Ċ"),
    ],
)
def test_what_is_always_said_takes_few_tokens(text: str, tokens: str) -> None:
    assert TOKENIZER.encode(text).tokens == tokens.split("|")


def test_the_system_message_is_a_dozen_tokens() -> None:
    dialect = vretrver()
    assert len(TOKENIZER.encode(dialect.wording.system(dialect.tools, dialect.form)).ids) < 12


def test_numbers_up_to_a_thousand_are_one_token() -> None:
    assert {len(TOKENIZER.encode(str(number)).ids) for number in range(1001)} == {1}


def test_every_special_token_is_there_and_can_be_spelt_by_no_text() -> None:
    vocabulary = Vocabulary(TOKENIZER)
    assert vocabulary.marks == {TOKENIZER.token_to_id(mark) for mark in SPECIALS}
    assert vocabulary.decode(vocabulary.text("<|im_end|><|image_pad|>")) == "<|im_end|><|image_pad|>"


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    vocabulary = Vocabulary(TOKENIZER)
    assert vocabulary.decode(vocabulary.text(text)) == text


def test_it_is_the_same_every_time(tokens: Path) -> None:
    assert Tokenizer.from_file(str(tokens / "tokenizer.json")).to_str() == TOKENIZER.to_str()

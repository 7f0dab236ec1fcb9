"""The small models' tokenizer: byte-level, Qwen-VL's special tokens, and few tokens for fixed phrases.

Any text can be encoded. What the dialect writes in every prompt and every call (role, tool block, keys) is one token
a stretch, so that a small model does not spend its length on it; numbers from 0 to 1000 are one token each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..._optional import require

SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
"""Special tokens, in the order of their ids, after all others."""

TAGS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")
"""Added tokens that are text like any other."""

ANSWER_TAGS = ("<answer>", "</answer>")
"""Added as well."""

MOST_NUMBER = 1000
"""Largest number that is one token."""

_WORDS = (
    r"(?<=code |code .|code ..)\d"  # a code's digits are signs of their own, never parts of a number
    r"|(?<=\d), (?=\d)"  # between the numbers of a list
    r"| ?[A-Z](?![a-z])| ?[A-Za-z][a-z]*|\d{1,4}| ?[^\sA-Za-z\d]|\n|\s"
)
"""How text is cut before merging: words with the space before them, single capitals, numbers, signs, line ends."""


def train_tokenizer(texts: Sequence[str], *, phrases: Sequence[str] = ()) -> Any:
    """Return a tokenizer over the words of texts.

    Args:
        texts: texts to write in few tokens; each word of it becomes one token.
        phrases: stretches that become one token each wherever they occur.

    Raises:
        MissingDependency: the extra `models` is not installed.
    """
    library = require("tokenizers", extra="models")
    tokenizer = library.Tokenizer(library.models.BPE())
    pre = library.pre_tokenizers
    tokenizer.pre_tokenizer = pre.Sequence(
        [
            pre.Split(library.Regex(_WORDS), behavior="isolated"),
            pre.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = library.decoders.ByteLevel()
    numbers = [str(number) for number in range(MOST_NUMBER + 1)]
    trainer = library.trainers.BpeTrainer(
        vocab_size=1_000_000,  # every word of the texts is merged whole; the texts decide the size
        min_frequency=1,
        initial_alphabet=pre.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*texts, " ".join(numbers), "1, 2, 3"], trainer)
    plain = [*TAGS, *ANSWER_TAGS, *sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))]
    tokenizer.add_tokens([library.AddedToken(text, normalized=False, special=False) for text in plain])
    tokenizer.add_special_tokens([library.AddedToken(text, normalized=False, special=True) for text in SPECIALS])
    return tokenizer


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write the files of a tokenizer in hub layout."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": list(SPECIALS[1:]),
        "model_max_length": 4096,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

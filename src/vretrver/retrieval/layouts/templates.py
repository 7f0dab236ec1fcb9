"""What a layout writes around an item: the turns, the instruction, the request, and how texts are cleaned.

LamRA's wording, line breaks and trailing space are those of its released checkpoints (spec 3.1: `dataset/
datasets_mbeir.py`, `demo.py`; `format_string` of UniIR). Departure: an interleaved item, on which LamRA was not
trained, keeps its order, and its first text takes the instruction.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..._text import sendable
from ...records import ImageRef, Part, TextPart

Piece = str | ImageRef
"""A text, or a picture."""

NO_INSTRUCTION = "Represent the user's input."
"""The system message of Qwen3-VL-Embedding where an item has no instruction."""

HELPFUL = "You are a helpful assistant."
"""The system message that Qwen2-VL and Qwen2.5-VL put before a conversation without one; Qwen3-VL has none."""

REQUESTS = {what: f"\nSummarize above {what} in one word: " for what in ("image", "sentence", "image and sentence")}
"""LamRA's request, by the modality of the item."""

_ASK = "<|im_end|>\n<|im_start|>assistant\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPrompt:
    """An item as a model reads it; the vector is the hidden state at its last token."""

    head: str
    """Text before the item."""
    body: tuple[Piece, ...]
    """The item in order; only its texts are ever cut."""
    tail: str
    """Text after it; never cut, it ends with the pooled position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """How a layout renders an item."""

    name: str
    """Name of the layout."""
    version: int
    """Part of the fingerprint; changes whenever an id changes."""
    prompt: Callable[[Sequence[Part], str, str], ItemPrompt]
    """Makes the prompt of parts, an instruction (empty for none) and the family's own system message."""
    text_tokens: int
    """Tokens of an item's texts that are kept, the instruction's included where it is one of them."""
    least_tokens: int
    """Smaller pictures are enlarged to this many visual tokens."""
    picture_tokens: int
    """Larger pictures are reduced to this many visual tokens."""
    fixed_texts: tuple[str, ...]
    """Texts that it always writes in the same words; the tokenizer of a small model has one token for each."""
    adds_end_token: bool
    """Whether the token that the tokenizer adds to every text follows the prompt, and is then pooled."""


def lamra_prompt(parts: Sequence[Part], instruction: str, system: str) -> ItemPrompt:
    """Return LamRA's prompt: the item, then the request to summarise it in one word.

    The hidden state LamRA takes is that before its `<emb>`, which begins the answer: the last token of the header
    `<|im_start|>assistant` and its line break. Attention is causal, so `<emb>.` itself is left out.
    """
    pieces = _joined(parts)
    first = next((place for place, piece in enumerate(pieces) if isinstance(piece, str)), len(pieces))
    if instruction:
        text = pieces[first] if first < len(pieces) else ""
        pieces[first : first + 1] = [f"{sendable(instruction)} {text}"]
    pieces = _formatted(pieces)
    kinds = {type(piece) for piece in pieces}
    what = "image and sentence" if kinds == {str, ImageRef} else "image" if kinds == {ImageRef} else "sentence"
    return ItemPrompt(
        head=f"{_turn('system', system) if system else ''}<|im_start|>user\n",
        body=tuple(pieces),
        tail=f"{REQUESTS[what]}{_ASK}",
    )


def qwen3vl_embedding_prompt(parts: Sequence[Part], instruction: str, system: str) -> ItemPrompt:  # noqa: ARG001
    """Return Qwen3-VL-Embedding's prompt: the instruction as system message, the item as it is."""
    message = sendable(instruction).strip() or NO_INSTRUCTION
    if not unicodedata.category(message[-1]).startswith("P"):
        message += "."
    return ItemPrompt(head=f"{_turn('system', message)}<|im_start|>user\n", body=tuple(_joined(parts)), tail=_ASK)


TEMPLATES: Mapping[str, PromptTemplate] = {
    template.name: template
    for template in (
        PromptTemplate(
            name="lamra",
            version=1,
            prompt=lamra_prompt,
            text_tokens=1024,
            least_tokens=4,
            picture_tokens=300,
            fixed_texts=tuple(REQUESTS.values()),
            adds_end_token=False,
        ),
        PromptTemplate(
            name="qwen3vl_embedding",
            version=1,
            prompt=qwen3vl_embedding_prompt,
            text_tokens=8192,
            least_tokens=4,
            picture_tokens=1800,
            fixed_texts=(NO_INSTRUCTION,),
            adds_end_token=True,
        ),
    )
}
"""The layouts of Qwen-VL folders, by name."""


def _turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


def _joined(parts: Sequence[Part]) -> list[Piece]:
    """Return parts as pieces, adjacent texts joined by a line break."""
    pieces: list[Piece] = []
    for part in parts:
        if not isinstance(part, TextPart):
            pieces.append(part.image)
        elif pieces and isinstance(pieces[-1], str):
            pieces[-1] = f"{pieces[-1]}\n{sendable(part.text)}"
        else:
            pieces.append(sendable(part.text))
    return pieces


def _formatted(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces with their texts as UniIR formats them.

    Carriage returns, outer spaces and outer double quotes go; the first text begins with a capital and the last ends
    with a full stop, unless it already ends with . ? or !
    """
    tidy = [piece.replace("\r", "").strip().strip('"') if isinstance(piece, str) else piece for piece in pieces]
    kept = [piece for piece in tidy if piece != ""]
    places = [place for place, piece in enumerate(kept) if isinstance(piece, str)]
    if places:
        first, last = places[0], places[-1]
        text = str(kept[first])
        kept[first] = text[0].upper() + text[1:]
        text = str(kept[last])
        kept[last] = text if text[-1] in ".?!" else f"{text}."
    return kept

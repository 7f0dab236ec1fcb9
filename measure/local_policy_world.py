"""What the benchmark of the local policy works on: a random-weight model and prepared conversations.

Random weights do not follow the protocol, so turns are cut at a number of tokens and answered with a prepared look.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import Qwen3VLForConditionalGeneration

from vretrver.agent.dialects import dialect_named
from vretrver.agent.messages import Message, ShownPicture
from vretrver.images import encode_picture
from vretrver.models.patches import PatchGeometry
from vretrver.models.processor import write_processor_files
from vretrver.records import Address
from vretrver.world.tiny.config import TinySize, tiny_config
from vretrver.world.tiny.tokenizer import save_tokenizer, train_tokenizer

HUNDRED = TinySize(
    hidden=768,
    layers=12,
    heads=12,
    inner=2048,
    vision_hidden=384,
    vision_layers=12,
    vision_heads=6,
    vision_inner=1536,
    deepstack=(3,),
    positions=256,
)
"""About a hundred million parameters."""

CONTEXT = 16_384
"""Most tokens of a conversation."""

_WORDS = "You rank candidates by how well they match a query. Rank all 20 candidates, best first. Picture region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What every query of a run is made of."""

    candidates: int
    """Pictures beside the query's."""
    grid: tuple[int, int]
    """(rows, columns) of visual tokens of each picture."""
    turns: tuple[int, ...]
    """Tokens of each turn."""


FULL = Load(candidates=20, grid=(14, 15), turns=(64, 64, 128))
"""20 candidates of 210 visual tokens, two turns that look and one that answers."""

SMALL = Load(candidates=3, grid=(2, 3), turns=(4, 4, 6))
"""For trying the benchmark out."""


def build_model(folder: Path, size: TinySize) -> int:
    """Write a random-weight model in bfloat16 and return its number of parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer([_WORDS])
    save_tokenizer(tokenizer, folder)
    config = tiny_config(size, tokenizer)
    config.text_config.max_position_embeddings = CONTEXT
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(config).to(torch.bfloat16)
    model.save_pretrained(str(folder))
    write_processor_files(folder, "qwen3_vl", PatchGeometry())
    return sum(parameter.numel() for parameter in model.parameters())


def opening(load: Load, query: int, candidates: Sequence[int]) -> tuple[Message, ...]:
    """Return system and user message over the pictures of a query and of candidates, all known by number."""
    dialect = dialect_named("vretrver")
    pieces: list[str | ShownPicture] = ["Query:\n", _picture(load, 0, query), "\nCandidates:\n"]
    for place, number in enumerate(candidates, start=1):
        pieces += [f"({place}) ", _picture(load, place, number), "\n"]
    pieces.append(f"Rank all {len(candidates)} candidates, best first.")
    system = Message(role="system", pieces=(dialect.wording.system(dialect.tools, dialect.form),))
    return system, Message(role="user", pieces=tuple(pieces))


def reply(load: Load, number: int) -> Message:
    """Return an observation with one picture of its own."""
    picture = _picture(load, 1, number)
    return Message(role="user", pieces=("<tool_response>\nPicture 1: ", picture, "\n</tool_response>"))


def _picture(load: Load, place: int, number: int) -> ShownPicture:
    """Return picture `number`, soft noise, at a place of the conversation."""
    rows, columns = load.grid
    noise = np.random.default_rng(number).integers(0, 256, (rows * 4, columns * 4, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((columns * 32, rows * 32), Image.Resampling.BILINEAR)
    return ShownPicture(address=Address(item=place), picture=encode_picture(image), tokens=rows * columns)


def load_json(load: Load) -> dict[str, object]:
    """Return a load as a result file says it."""
    rows, columns = load.grid
    return json.loads(
        json.dumps(
            {"candidates": load.candidates, "visual_tokens_a_picture": rows * columns, "tokens_a_turn": load.turns}
        )
    )

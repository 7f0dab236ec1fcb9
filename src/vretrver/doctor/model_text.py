"""Whether a model's tokenizer and chat template agree with the wire form the agent is made for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..agent.messages import Message
from ..agent.wire import PICTURE_MARK, render
from ..errors import DataError
from .findings import Finding, ok, warning, wrong

MARKS = tuple(
    dict.fromkeys(re.findall(r"<\|\w+\|>", render([Message(role="user", pieces=("x",))], ask=False) + PICTURE_MARK))
)
"""The special tokens of the wire form, each of which must be one token."""

_IN_CONFIG = {"<|image_pad|>": "image_token_id", "<|vision_start|>": "vision_start_token_id"}
"""Marks whose id is in config.json too."""


def check_tokenizer(folder: Path, config: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that the tokenizer is there and knows the marks under the ids the model expects.

    Raises:
        DataError: one of its files cannot be read.
    """
    if not (folder / "tokenizer.json").exists() and not (
        (folder / "vocab.json").exists() and (folder / "merges.txt").exists()
    ):
        yield wrong("tokenizer", f"{folder}: neither tokenizer.json nor vocab.json and merges.txt; download them")
        return
    ids = _added_tokens(folder)
    missing = [mark for mark in MARKS if mark not in ids]
    if missing:
        yield wrong("tokenizer", f"{folder}: the tokenizer does not know {', '.join(missing)}; take the model's own")
        return
    for mark, key in _IN_CONFIG.items():
        if key in config and config[key] != ids[mark]:
            sentence = (
                f"{mark} is {ids[mark]} in the tokenizer and {config[key]} in config.json; take the model's own"
            )
            yield wrong("tokenizer", sentence)
            return
    yield ok("tokenizer", f"knows {', '.join(MARKS)} as single tokens")


def _added_tokens(folder: Path) -> dict[str, int]:
    """Return added token -> id from whichever of the tokenizer's files holds them."""
    try:
        ids = _object(folder / "added_tokens.json")
        decoder = _object(folder / "tokenizer_config.json").get("added_tokens_decoder", {})
        ids |= {token["content"]: int(number) for number, token in decoder.items()}
        ids |= {token["content"]: token["id"] for token in _object(folder / "tokenizer.json").get("added_tokens", [])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{folder}: the tokenizer's files cannot be read; download them again") from error
    return ids


def _object(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_bytes()) if path.exists() else {}
    if not isinstance(found, dict):
        raise TypeError(path)
    return found


def check_template(folder: Path) -> Finding:
    """Check that the chat template that servers apply writes the wire form; raises DataError for a broken file."""
    template = _template(folder)
    if template is None:
        return wrong(
            "chat template", f"{folder}: none, servers refuse chats; add chat_template.jinja of its base model"
        )
    if any(mark not in template for mark in MARKS):
        return warning(
            "chat template", "it does not write the marks of the wire form; give the server the base model's"
        )
    if "</think>" in template:
        sentence = (
            "it treats </think> in earlier turns, so that the model may not see what it wrote; use the Instruct"
        )
        return warning("chat template", f"{sentence} model, and let `vretrver doctor --endpoint` probe the server")
    return ok("chat template", "writes the marks of the wire form and leaves earlier turns alone")


def _template(folder: Path) -> str | None:
    """Return the chat template from the three places it may be in; the default of several named ones."""
    try:
        if (folder / "chat_template.jinja").exists():
            return (folder / "chat_template.jinja").read_text(encoding="utf-8")
        for name in ("chat_template.json", "tokenizer_config.json"):
            found = _object(folder / name).get("chat_template")
            if isinstance(found, str):
                return found
            if isinstance(found, list):
                return str({entry["name"]: entry["template"] for entry in found}["default"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{folder}: the chat template cannot be read; download it again") from error
    return None

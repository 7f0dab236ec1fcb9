"""The wire form: how messages become the one string a Qwen-VL model reads, in one place for both families.

ChatML turns, an image as vision_start + image_pad + vision_end with one image_pad a picture (the processor repeats
it). Rendering is append-only: the string of a longer conversation begins with the string of the shorter one, so the
ids sampled stay the ids trained on (docs/decisions/002).
"""

from __future__ import annotations

from collections.abc import Iterable

from .messages import Message

PICTURE_MARK = "<|vision_start|><|image_pad|><|vision_end|>"
TURN_END = "<|im_end|>"


def render(messages: Iterable[Message], *, ask: bool = True) -> str:
    """Return the text of messages.

    Args:
        messages: the messages to render; pictures become `PICTURE_MARK`.
        ask: whether the assistant's header follows, so that a completion can be sampled.
    """
    turns = "".join(f"<|im_start|>{message.role}\n{_content(message)}{TURN_END}\n" for message in messages)
    return f"{turns}<|im_start|>assistant\n" if ask else turns


def _content(message: Message) -> str:
    return "".join(piece if isinstance(piece, str) else PICTURE_MARK for piece in message.pieces)


def estimate_tokens(messages: Iterable[Message]) -> int:
    """Return a rough token count: exact for pictures, four characters a token for text."""
    return sum(message.visual_tokens + -(-len(message.text) // 4) + 5 for message in messages)

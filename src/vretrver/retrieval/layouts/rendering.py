"""From an item to token ids: pictures at their number of visual tokens, texts cut so that the pooled token stays.

The whole prompt is tokenized at once, since a tokenizer may join the end of a text with the following line break; so
texts are cut before tokenizing, never the ids afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import DataError
from ...geometry import SizeRule, visual_tokens
from ...images import THUMBNAIL_QUALITY, Picture, Pictures
from ...records import Part
from .templates import ItemPrompt, PromptTemplate

PICTURE = "<|image_pad|>"
"""The mark that is written once for each visual token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An item as ids; the vector is the hidden state at the last one."""

    ids: tuple[int, ...]
    """Token ids, every visual token one id."""
    pictures: tuple[Picture, ...]
    """The finished pictures in the order of their ids."""


class Renderer:
    """Renders items in one layout with one tokenizer.

    Args:
        template: the layout.
        tokenizer: a `tokenizers.Tokenizer` with Qwen-VL's marks; it must neither cut nor pad.
        system: the system message that the family puts before a conversation without one; empty for none.
        rule: size at which pictures are shown.
        text_tokens: tokens of an item's texts that are kept.
        most_tokens: maximum number of ids of one item.
    """

    def __init__(
        self,
        template: PromptTemplate,
        tokenizer: Any,
        *,
        system: str,
        rule: SizeRule,
        text_tokens: int,
        most_tokens: int,
    ) -> None:
        self.template = template
        self.tokenizer = tokenizer
        self.system = system
        self.rule = rule
        self.text_tokens = text_tokens
        self.most_tokens = most_tokens

    def render(self, parts: Sequence[Part], instruction: str, store: Pictures) -> Rendered:
        """Return an item as ids.

        Raises:
            PictureError: a picture cannot be read.
            DataError: its pictures and the layout's own text alone exceed the model's limit.
        """
        prompt = self.template.prompt(parts, instruction, self.system)
        pictures = tuple(
            store.whole(piece, self.rule, quality=THUMBNAIL_QUALITY)
            for piece in prompt.body
            if not isinstance(piece, str)
        )
        sizes = [visual_tokens((picture.width, picture.height), self.rule.cell) for picture in pictures]
        budget = self.text_tokens
        while True:
            ids = self._ids(self._written(prompt, sizes, budget))
            over = len(ids) - self.most_tokens
            if over <= 0:
                return Rendered(ids=ids, pictures=pictures)
            if budget == 0:
                raise DataError(
                    f"an item of {len(pictures)} pictures ({sum(sizes)} visual tokens) needs {len(ids)} tokens, the "
                    f"model takes {self.most_tokens}; give the encoder smaller pictures"
                )
            budget = max(min(budget, self._text_length(prompt)) - over, 0)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=self.template.adds_end_token).ids)

    def _written(self, prompt: ItemPrompt, sizes: Sequence[int], budget: int) -> str:
        """Return the prompt as one string, its texts cut to `budget` tokens together."""
        written = [prompt.head]
        left, waiting = budget, iter(sizes)
        for piece in prompt.body:
            if isinstance(piece, str):
                cut, used = self._cut(piece, left)
                written.append(cut)
                left -= used
            else:
                written.append(f"<|vision_start|>{PICTURE * next(waiting)}<|vision_end|>")
        return "".join((*written, prompt.tail))

    def _cut(self, text: str, budget: int) -> tuple[str, int]:
        """Return the longest prefix of a text that is at most `budget` tokens, and its number of tokens."""
        if budget <= 0:
            return "", 0
        spans = self.tokenizer.encode(text, add_special_tokens=False).offsets
        if len(spans) <= budget:
            return text, len(spans)
        return text[: spans[budget][0]], budget

    def _text_length(self, prompt: ItemPrompt) -> int:
        texts = [piece for piece in prompt.body if isinstance(piece, str)]
        return sum(self._cut(text, self.most_tokens)[1] for text in texts)

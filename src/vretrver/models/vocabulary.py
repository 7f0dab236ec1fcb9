"""The tokenizer's side of the wire form: ids of the marks, text that can never become one, and ids back to text.

Only `conversation.py` puts marks into a conversation. Text from anywhere is split inside anything that spells
a mark before it is tokenised, so that no query, candidate or model output can open a turn or pose as a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ..errors import ConfigError, DataError

TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
PICTURE_START, PICTURE_PAD, PICTURE_END = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"
MARKS = (TURN_START, TURN_END, PICTURE_START, PICTURE_PAD, PICTURE_END)
"""The marks of the wire form, one token each."""


class Vocabulary:
    """A tokenizer that writes the wire form.

    Args:
        tokenizer: a `tokenizers.Tokenizer`, or a fast tokenizer of transformers.

    Raises:
        ConfigError: it does not know a mark of the wire form.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.backend: Tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
        missing = [mark for mark in MARKS if self.backend.token_to_id(mark) is None]
        if missing:
            raise ConfigError(f"the tokenizer does not know {', '.join(missing)}; take the one of a Qwen-VL model")
        self.turn_start, self.turn_end, self.picture_start, self.picture_pad, self.picture_end = (
            int(self.backend.token_to_id(mark)) for mark in MARKS
        )
        added = self.backend.get_added_tokens_decoder()
        special = {number: token.content for number, token in added.items() if _is_mark(token)}
        self.marks = frozenset(special)
        """Ids of every special token; an added token that looks like `<|...|>` is one, whatever its flags say."""
        self._cut = re.compile("|".join(f"(?=({re.escape(text)}))" for text in special.values()))
        self._newline = self.text("\n")

    @classmethod
    def of_folder(cls, folder: Path) -> Vocabulary:
        """Return the vocabulary of a model folder; raises ConfigError when its tokenizer.json cannot be used."""
        path = folder / "tokenizer.json"
        if not path.exists():
            raise ConfigError(
                f"{path}: the file is missing; open the folder with AutoTokenizer and save it again, which writes it"
            )
        try:
            backend = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for anything it cannot read
            raise ConfigError(f"{path}: not a tokenizer that can be read ({error}); download it again") from error
        return cls(backend)

    @property
    def size(self) -> int:
        """Ids are below this; a model's output may be wider."""
        return int(self.backend.get_vocab_size(with_added_tokens=True))

    @property
    def newline(self) -> list[int]:
        """Ids of the line break after a turn."""
        return list(self._newline)

    def text(self, text: str) -> list[int]:
        """Return the ids of a text; no mark is among them.

        Raises:
            DataError: the tokenizer makes a mark of it all the same, or it has no UTF-8 form.
        """
        ids: list[int] = []
        for run in self._runs(text):
            try:
                ids += self.backend.encode(run, add_special_tokens=False).ids
            except (TypeError, UnicodeError) as error:
                raise DataError(f"a text has no UTF-8 form and cannot be tokenised: {text[:40]!r}") from error
        if not self.marks.isdisjoint(ids):
            raise DataError(f"the tokenizer reads a mark in a text, which must not be: {text[:40]!r}")
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids as it is, marks included; bytes that are not UTF-8 become U+FFFD."""
        return str(self.backend.decode(list(ids), skip_special_tokens=False))

    def single(self, text: str) -> int | None:
        """Return the id of a text that is one token, else None; a text that has no ids is not one."""
        try:
            ids = self.text(text)
        except DataError:
            return None
        return ids[0] if len(ids) == 1 else None

    def never_written(self, width: int) -> list[int]:
        """Return which of a model's `width` ids must not be sampled: marks but a turn's end, ids of no token."""
        return sorted((self.marks - {self.turn_end}) | set(range(self.size, width)))

    def _runs(self, text: str) -> Iterable[str]:
        """Yield text cut after the first character of everything that spells a mark."""
        start = 0
        for match in self._cut.finditer(text):
            yield text[start : match.start() + 1]
            start = match.start() + 1
        if start < len(text):
            yield text[start:]


def _is_mark(token: Any) -> bool:
    return bool(token.special) or (token.content.startswith("<|") and token.content.endswith("|>"))

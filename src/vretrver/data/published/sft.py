"""V-Retrver's supervised data: a JSON list of ShareGPT conversations, tool calls and observations included.

    [{"conversations": [{"from": "system", "value": ...}, {"from": "human", "value": "Query:<image>..."},
                        {"from": "gpt", "value": "<think>...</think><tool_call>...</tool_call>"}, ...],
      "images": ["q.jpg", "c1.jpg", ...]}, ...]

The texts are taken as they stand: whether a turn is well-formed is the parser's business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from .messages import PublishedMessage, PublishedPrompt, Role, prompt_of, with_pictures
from .rows import PathMap, PublishedRow, objects_in, refuse, texts_in

_ROLES: Mapping[object, Role] = {"system": "system", "human": "user", "gpt": "assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SftRow:
    """One conversation."""

    where: str
    """Where it stands, as in `V-Retrver_SFT.json: row 3`."""
    messages: tuple[PublishedMessage, ...]
    """An optional system message, then user and assistant in turn; the last one is the assistant's."""

    @property
    def prompt(self) -> PublishedPrompt:
        """The texts to make a dialect of; raises DataError when the row has no system message or no guidelines."""
        return prompt_of([(message.role, message.text) for message in self.messages], self.where)


def read_sft(
    path: Path, *, paths: PathMap | None = None, refused: Callable[[str], None] | None = None
) -> Iterator[SftRow]:
    """Yield the conversations of a file in its order; the file is read whole.

    Args:
        path: the JSON file.
        paths: where its pictures lie; None takes every path as relative to the default root.
        refused: called with the sentence about a malformed row, which is then left out; None raises it.

    Raises:
        DataError: the file is not a JSON list of objects, or a row is malformed.
    """
    mapped = paths or PathMap()
    for number, value in enumerate(_json_list(path), start=1):
        try:
            yield _row(value, f"{path}: row {number}", mapped)
        except DataError as error:
            if refused is None:
                raise
            refused(str(error))


def _json_list(path: Path) -> list[object]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(f"{path}{line}: cannot be read as JSON: {error}") from error
    if not isinstance(value, list):
        raise DataError(f"{path}: must hold a JSON list of conversations, got a {type(value).__name__}")
    return value


def _row(value: object, where: str, paths: PathMap) -> SftRow:
    if not isinstance(value, Mapping):
        raise DataError(f"{where}: must be an object with conversations and images, got a {type(value).__name__}")
    texts = [_message(message, where) for message in objects_in(value, "conversations", where)]
    spoken = [role for role, _ in texts if role != "system"]
    in_turn = ["user", "assistant"] * (len(spoken) // 2)
    if not spoken or spoken != in_turn or "system" in [role for role, _ in texts[1:]]:
        raise DataError(
            f"{where}: conversations must be [system], then human and gpt in turn, gpt last; "
            f"got {', '.join(role for role, _ in texts) or 'none'}"
        )
    pictures = [paths.ref(path, where) for path in texts_in(value, "images", where)]
    return SftRow(where=where, messages=with_pictures(texts, pictures, where))


def _message(message: PublishedRow, where: str) -> tuple[Role, str]:
    speaker, text = message.get("from"), message.get("value")
    role = _ROLES.get(speaker) if isinstance(speaker, str) else None
    if role is None:
        refuse(where, "from", speaker, "system, human or gpt")
    return role, text if isinstance(text, str) else refuse(where, "value", text, "a text")

"""Messages of published rows: their roles, their `<image>` marks, and the texts a `released` dialect is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import DataError
from ...records import ImageRef
from .rows import PublishedRow, objects_in, refuse

MARK = "<image>"
"""Stands in a text where a picture is shown."""

Role = Literal["system", "user", "assistant"]
"""Who speaks; observations of tools are `user` messages."""

_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedMessage:
    """One message as it stands in the file."""

    role: Role
    """Who speaks."""
    text: str
    """The text with its marks."""
    pictures: tuple[ImageRef, ...]
    """The pictures of the marks, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPrompt:
    """The two texts by which a published checkpoint was told what to do.

    `released(system_text=prompt.system_text, guidelines=prompt.guidelines)` is the dialect that says the same.
    """

    system_text: str
    """The system message."""
    guidelines: str
    """What follows `Guidelines:` and, if there is one, the space after it."""


def texts_of_prompt(row: PublishedRow, where: str) -> list[tuple[Role, str]]:
    """Return role and text of each message of a row's `prompt`, a list of {role, content}."""
    texts: list[tuple[Role, str]] = []
    for message in objects_in(row, "prompt", where):
        role, content = _ROLES.get(str(message.get("role"))), message.get("content")
        if role is None or not isinstance(content, str):
            refuse(where, "prompt", dict(message), "messages with a role (system, user, assistant) and a content")
        texts.append((role, content))
    return texts


def with_pictures(
    texts: Sequence[tuple[Role, str]], pictures: Sequence[ImageRef], where: str
) -> tuple[PublishedMessage, ...]:
    """Give each message the pictures of its marks; raises DataError unless there are as many marks as pictures."""
    marks = sum(text.count(MARK) for _, text in texts)
    if marks != len(pictures):
        raise DataError(f"{where}: {marks} {MARK} marks and {len(pictures)} pictures; they must be as many")
    return tuple(_dealt(texts, iter(pictures)))


def _dealt(texts: Iterable[tuple[Role, str]], pictures: Iterator[ImageRef]) -> Iterator[PublishedMessage]:
    for role, text in texts:
        yield PublishedMessage(role=role, text=text, pictures=tuple(next(pictures) for _ in range(text.count(MARK))))


def prompt_of(texts: Sequence[tuple[Role, str]], where: str) -> PublishedPrompt:
    """Return the texts of the system message and of the first user message's guidelines.

    Raises DataError when the first message is not the system's, the second not the user's, or that has no guidelines.
    """
    if [role for role, _ in texts[:2]] != ["system", "user"]:
        raise DataError(f"{where}: the prompt must begin with a system message and a user message")
    _, word, guidelines = texts[1][1].rpartition("Guidelines:")
    if not word:
        raise DataError(f"{where}: the user message has no section Guidelines:, so its wording cannot be taken over")
    return PublishedPrompt(system_text=texts[0][1], guidelines=guidelines.removeprefix(" "))

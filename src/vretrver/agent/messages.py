"""What is sent to a policy: messages of text and finished pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..images import Picture
from ..records import Address

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPicture:
    """One picture at its place in a message."""

    address: Address
    """The picture's name in prompt, tool call, observation and trajectory."""
    picture: Picture
    """The final bytes."""
    tokens: int
    """Visual tokens it costs."""


Piece = str | ShownPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    """Who speaks."""
    pieces: tuple[Piece, ...]
    """Text and pictures in order; neighbouring texts are one run, nothing is put between pieces."""

    @property
    def pictures(self) -> tuple[ShownPicture, ...]:
        """The message's pictures in order."""
        return tuple(piece for piece in self.pieces if not isinstance(piece, str))

    @property
    def text(self) -> str:
        """The message's texts joined, pictures left out."""
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    @property
    def visual_tokens(self) -> int:
        """Visual tokens of the message's pictures."""
        return sum(shown.tokens for shown in self.pictures)

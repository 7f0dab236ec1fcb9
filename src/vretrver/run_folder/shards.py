"""Parts of a run that several processes, on as many machines, work on side by side."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from ..errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A part of the queries: those whose id falls to it."""

    index: int = 0
    """Number of the shard, from 0."""
    count: int = 1
    """Shards in all."""

    def __post_init__(self) -> None:
        """Refuse a shard outside its count with ConfigError."""
        if not 0 <= self.index < self.count:
            raise ConfigError(f"there is no shard {self.index} of {self.count}; shards count from 0")

    def holds(self, qid: str) -> bool:
        """Say whether a query falls to this shard, the same on every machine."""
        digest = hashlib.blake2b(qid.encode("utf-8", "replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return the shard that `I/N` names; raises ConfigError for another form, or a shard outside its count."""
        index, slash, count = text.partition("/")
        if not (slash and index.isascii() and index.isdigit() and count.isascii() and count.isdigit()):
            raise ConfigError(f"--shard {text}: write I/N, as in 0/4 for the first of four")
        return cls(index=int(index), count=int(count))

"""What is known of windows already, by everything that decides what they come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..records import ImagePart, ImageRef, Part
from .policy import PolicyLimits
from .task import WindowTask
from .trajectory import Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowKey:
    """What a window's record is kept under: two windows of one key come to the same, as far as a policy repeats.

    How texts on pictures are read is not in it, nor what a clock decides: a window that met a deadline is not kept.
    """

    qid: str
    """The query."""
    plan: str
    """Name and parameters of the plan."""
    index: int
    """Number of the window in its plan."""
    turns: int | None = None
    """Most turns before the answer is forced; None is the dialect's."""
    shown: str
    """Hash of the parts of the query and of the candidates in the order shown: ids, texts, pictures by content."""
    agent: str
    """Hash of configuration with the budget that counted, policy and weights, and what the policy can take."""
    position: str = ""
    """What the query had spent when the window became due, of what its budget bounds; see `Account.position`."""


class Memo(Protocol):
    """Keeps the records of windows. Every method may be called from any thread."""

    def known(self, key: WindowKey) -> Trajectory | None:
        """Return the record of a window that was kept."""
        ...

    def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
        """Keep a record; it is on disk when this returns."""
        ...


def window_key(task: WindowTask, pictures: Sequence[ImageRef | None], *, agent: str, position: str = "") -> WindowKey:
    """Return the key of a window.

    Args:
        task: query and candidates.
        pictures: the pictures of query and candidates in order, pinned; None for one that cannot be read.
        agent: as of `agent_key`.
        position: what the query had spent when the window became due.
    """
    pinned = iter(pictures)
    items = [
        [task.query.instruction, [_part(part, pinned) for part in task.query.parts]],
        *([one.did, [_part(part, pinned) for part in one.parts]] for one in task.candidates),
    ]
    return WindowKey(
        qid=task.query.qid,
        plan=task.step.plan,
        index=task.step.index,
        turns=task.turns,
        shown=_hash(items),
        agent=agent,
        position=position,
    )


def agent_key(config: str, policy: str, revision: int, limits: PolicyLimits) -> str:
    """Return the hash of everything but the window that decides what becomes of it.

    Args:
        config: hash of the configuration, with the budget that counts.
        policy: fingerprint of the policy.
        revision: of its weights.
        limits: what it can take; how many requests at once decides nothing.
    """
    return _hash([config, policy, revision, limits.pictures, limits.context_tokens])


def _part(part: Part, pinned: Iterator[ImageRef | None]) -> list[object]:
    if not isinstance(part, ImagePart):
        return ["text", part.text]
    image = next(pinned)
    return ["picture", None if image is None else [image.sha256, image.page]]


def _hash(value: list[Any]) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()

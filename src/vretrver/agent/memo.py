"""What is known of windows already, by everything that decides what they come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..records import ImageRef
from .task import WindowTask
from .trajectory import Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowKey:
    """What a window's record is kept under: two windows of one key come to the same, as far as a policy repeats."""

    qid: str
    """The query."""
    plan: str
    """Name and parameters of the plan."""
    index: int
    """Number of the window in its plan."""
    shown: str
    """Hash of the query's parts and of the candidates as shown: ids, texts, pictures by content."""
    agent: str
    """Hash of configuration, policy and weights."""


class Memo(Protocol):
    """Keeps the records of windows. Every method may be called from any thread."""

    def known(self, key: WindowKey) -> Trajectory | None:
        """Return the record of a window that was kept."""
        ...

    def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
        """Keep a record; it is on disk when this returns."""
        ...


def window_key(task: WindowTask, pictures: Sequence[ImageRef | None], *, agent: str) -> WindowKey:
    """Return the key of a window.

    Args:
        task: query and candidates.
        pictures: the pictures of query and candidates in order, pinned; None for one that cannot be read.
        agent: hash of configuration, policy and weights.
    """
    texts = [[task.query.instruction, task.query.text], *([one.did, one.text] for one in task.candidates)]
    images = [None if one is None else [one.sha256, one.page] for one in pictures]
    counts = [len(task.query.pictures), *(len(one.pictures) for one in task.candidates)]
    shown = hashlib.sha256(json.dumps([texts, counts, images], ensure_ascii=True).encode()).hexdigest()
    return WindowKey(qid=task.query.qid, plan=task.step.plan, index=task.step.index, shown=shown, agent=agent)


def agent_key(config: str, policy: str, revision: int) -> str:
    """Return the hash of configuration, policy and weights."""
    return hashlib.sha256(json.dumps([config, policy, revision]).encode()).hexdigest()

"""Runs one session by hand: a test writes the completions, and sees the requests and the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.drawn import DrawnFolder

from vretrver.agent.budget import Account, Budget
from vretrver.agent.dialects import dialect_named
from vretrver.agent.effects import Do
from vretrver.agent.policy import Completion, PolicyLimits, Request, Sampling
from vretrver.agent.session import Opened, SessionSetup, rank_window
from vretrver.agent.task import WindowStep, WindowTask
from vretrver.agent.trajectory import Trajectory
from vretrver.records import Candidate, Query

STEP = WindowStep(plan="reference(50,20,10)", index=0, round=0, places=(0, 1, 2, 3, 4))
WIDE = "[0, 0, 1000, 1000]"
"""The box that holds a whole picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A session that was played to its end."""

    trajectory: Trajectory
    """The record."""
    requests: tuple[Request, ...]
    """What the session asked for, in order."""

    @property
    def replies(self) -> list[str]:
        """The text of the last message of every request after the first."""
        return [request.messages[-1].text for request in self.requests[1:]]


def zoom(target: object, box: str = WIDE) -> str:
    """Return a `zoom_in` call; `target` and `box` are JSON."""
    return (
        f'<tool_call>{{"name": "zoom_in", "arguments": {{"target_image": {target}, "bbox_2d": {box}}}}}</tool_call>'
    )


def select(*targets: object) -> str:
    """Return a `select_images` call; the targets are JSON."""
    written = ", ".join(map(str, targets))
    return f'<tool_call>{{"name": "select_images", "arguments": {{"target_images": [{written}]}}}}</tool_call>'


def answer(*numbers: int) -> str:
    """Return a turn that answers."""
    return f"<think>done</think><answer>{list(numbers)}</answer>"


def window(candidates: Sequence[Candidate], query: Query, session: str = "s") -> WindowTask:
    """Return a task over the candidates."""
    return WindowTask(session=session, query=query, candidates=tuple(candidates), step=STEP)


def setup(drawn: DrawnFolder, **changes: Any) -> SessionSetup:
    """Return a setup with the default dialect and a stopped clock; `changes` replace its fields."""
    dialect = changes.pop("dialect", dialect_named("vretrver"))
    fields: dict[str, Any] = {
        "dialect": dialect,
        "images": drawn.store,
        "views": dialect.views,
        "sampling": Sampling(),
        "policy": "by hand",
        "policy_limits": PolicyLimits(),
        "config": "none",
        "clock": lambda: 0.0,
    }
    return SessionSetup(**{**fields, **changes})


def play(
    task: WindowTask,
    run: SessionSetup,
    turns: Sequence[str | Completion],
    *,
    budget: Budget | None = None,
    opened: Opened | None = None,
    between: Callable[[], None] | None = None,
) -> Played:
    """Send the turns in one after another; the session must end with the last of them.

    Args:
        task: the window.
        run: the session's setup.
        turns: what the policy writes.
        budget: what the session may cost.
        opened: as of `rank_window`.
        between: called before each turn, to change the world behind the session's back.
    """
    account = Account(budget or Budget(), run.clock)
    session = rank_window(task, run, account=account, opened=opened)
    requests: list[Request] = []
    coming = iter(turns)
    sent: Any = None
    while True:
        try:
            effect = session.send(sent)
        except StopIteration as stop:
            trajectory: Trajectory = stop.value
            break
        if isinstance(effect, Do):
            sent = effect.work()
        else:
            assert isinstance(effect, Request)
            requests.append(effect)
            sent = _completion(task, coming, between)
    left = list(coming)
    assert not left, f"the session ended as {trajectory.stop} before these turns: {left}"
    return Played(trajectory=trajectory, requests=tuple(requests))


def _completion(
    task: WindowTask, coming: Iterator[str | Completion], between: Callable[[], None] | None
) -> Completion:
    if between is not None:
        between()
    turn = next(coming, None)
    assert turn is not None, "the session asks for more turns than were written"
    return turn if isinstance(turn, Completion) else Completion(session=task.session, text=turn)

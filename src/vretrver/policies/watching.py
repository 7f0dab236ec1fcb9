"""Scripted policies that know the window: what a request does not say they learn from the reranker's events."""

from __future__ import annotations

from collections.abc import Callable

from ..agent.events import Event, WindowBegan
from ..agent.policy import Completion, PolicyLimits
from ..agent.task import WindowTask
from ..errors import PolicyError
from .scripted import Moment, ScriptedPolicy

KnowingScript = Callable[[Moment, WindowTask], str | Completion]
"""Writes one turn of a window."""


class WatchingPolicy(ScriptedPolicy):
    """A scripted policy whose script is told query and candidates.

    Hand `watch` to the reranker: a window it was not told of is a failed completion that says so. `watch` is called
    on the thread that owns the policy.

    Args:
        script: writes a turn from all that was said and the window.
        name: part of the fingerprint.
        limits: what the policy pretends to take.
    """

    def __init__(self, script: KnowingScript, *, name: str, limits: PolicyLimits | None = None) -> None:
        super().__init__(self._told, name=name, limits=limits)
        self._knowing = script
        self._tasks: dict[str, WindowTask] = {}

    def watch(self, event: Event) -> None:
        """Learn which window a session is about; it is forgotten when the session is released."""
        if isinstance(event, WindowBegan):
            self._tasks[event.session] = event.task

    def release(self, session: str) -> None:
        """Forget a session and its window."""
        super().release(session)
        self._tasks.pop(session, None)

    def close(self) -> None:
        """Forget everything."""
        super().close()
        self._tasks.clear()

    def _told(self, moment: Moment) -> str | Completion:
        task = self._tasks.get(moment.session)
        if task is None:
            raise PolicyError(
                f"session {moment.session}: {self.fingerprint} was not told of the window; pass watch=policy.watch "
                "to the reranker"
            )
        return self._knowing(moment, task)

"""A scripted policy that takes its time over each round of turns, as a model does, and can be woken meanwhile."""

from __future__ import annotations

import threading
import time

from vretrver.agent.policy import Completion, PolicyLimits
from vretrver.policies.scripted import Script, ScriptedPolicy


class PacedPolicy(ScriptedPolicy):
    """Writes all pending turns `seconds` after it was first asked for them.

    Args:
        script: writes a turn.
        name: part of the fingerprint.
        seconds: what a round of turns takes.
        limits: what the policy pretends to take.
    """

    def __init__(self, script: Script, *, name: str, seconds: float, limits: PolicyLimits | None = None) -> None:
        super().__init__(script, name=name, limits=limits)
        self.seconds = seconds
        self.rounds = 0
        """Rounds of turns written."""
        self._ready = 0.0
        self._woken = threading.Event()

    def wake(self) -> None:
        """End the current wait, or the next one; any thread may call it."""
        self._woken.set()

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        """Wait until the round's time is over and write its turns; a wake or the end of patience returns none."""
        if not self._pending:
            return []
        now = time.monotonic()
        self._ready = self._ready or now + self.seconds
        left = self._ready - now
        woken = self._woken.wait(max(0.0, left if patience is None else min(left, patience)))
        self._woken.clear()
        if woken or time.monotonic() < self._ready:
            return []
        self._ready = 0.0
        self.rounds += 1
        return super().collect()

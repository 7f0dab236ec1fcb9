"""A journal over a policy that counts what it writes, for the tests of the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vretrver.agent.policy import Completion, PolicyLimits, Request
from vretrver.policies.journal import JournaledPolicy
from vretrver.policies.scripted import Moment, ScriptedPolicy


class Paid:
    """A policy that counts what it writes; every text is another unless `text` says what to write."""

    def __init__(self, text: Callable[[Moment], str | Completion] | None = None) -> None:
        self.turns = 0
        self.moments: list[Moment] = []
        self._text = text

    def policy(self) -> ScriptedPolicy:
        return ScriptedPolicy(self._write, name="paid", limits=PolicyLimits(in_flight=3))

    def _write(self, moment: Moment) -> str | Completion:
        self.turns += 1
        self.moments.append(moment)
        return self._text(moment) if self._text is not None else f"turn {self.turns}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A journal over a policy that counts."""

    policy: JournaledPolicy
    paid: Paid

    def texts(self, *requests: Request) -> dict[str, str]:
        """Submit, and return the text of every session."""
        for request in requests:
            self.policy.submit(request)
        said: dict[str, str] = {}
        while done := self.policy.collect():
            said |= {completion.session: completion.text for completion in done}
        return said

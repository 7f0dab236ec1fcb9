"""Pins that real sessions over one window come out the same whether their prefill is shared or not."""

from __future__ import annotations

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import answer, setup, window, zoom

from vretrver.agent.driver import Driver
from vretrver.agent.policy import Completion, Request
from vretrver.agent.session import rank_window
from vretrver.agent.trajectory import Trajectory
from vretrver.policies.scripted import Moment, ScriptedPolicy

NAMES = ["group/0", "group/1", "group/2", "group/3"]


class CountingPolicy:
    """A scripted policy that writes down how many sessions each request named."""

    def __init__(self) -> None:
        self._scripted = ScriptedPolicy(_turn, name="test")
        self.fingerprint, self.limits = self._scripted.fingerprint, self._scripted.limits
        self.named: list[int] = []
        """Sessions of each request, in order."""

    def submit(self, request: Request) -> None:
        self.named.append(len(request.sessions))
        self._scripted.submit(request)

    def collect(self) -> list[Completion]:
        return self._scripted.collect()

    def cancel(self, session: str) -> None:
        self._scripted.cancel(session)

    def release(self, session: str) -> None:
        self._scripted.release(session)

    def close(self) -> None:
        self._scripted.close()


def _turn(moment: Moment) -> str:
    """Look at another candidate in every second session, then answer."""
    return answer(2, 1) if moment.said else zoom(1 + int(moment.session[-1]) % 2)


def _rollouts(drawn: DrawnFolder, *, share_prefill: bool) -> tuple[list[int], dict[int, Trajectory]]:
    policy = CountingPolicy()
    driver: Driver[Trajectory] = Driver(policy, share_prefill=share_prefill)
    tasks = [window(drawn.candidates(2), drawn.query(picture=3), session=name) for name in NAMES]
    records = dict(driver.run(rank_window(task, setup(drawn)) for task in tasks))
    return policy.named, records


def test_a_shared_prefill_changes_the_requests_and_not_the_trajectories(drawn: DrawnFolder) -> None:
    apart, alone = _rollouts(drawn, share_prefill=False)
    together, joined = _rollouts(drawn, share_prefill=True)
    assert apart == [1] * 8
    assert together == [4, 1, 1, 1, 1]
    assert joined == alone
    assert [record.session for _, record in sorted(joined.items())] == NAMES
    looked = [record.turns[0].observations[0].did for _, record in sorted(joined.items())]
    assert looked == ["1:1", "1:2", "1:1", "1:2"]


@pytest.mark.parametrize("other", ["text", "candidates"])
def test_windows_of_other_queries_or_candidates_are_not_joined(drawn: DrawnFolder, other: str) -> None:
    first = window([drawn.candidate(1, pictures=[], text="same")], drawn.query(), session=NAMES[0])
    query = drawn.query(text="a bowl") if other == "text" else drawn.query()
    second = window([drawn.candidate(2, pictures=[], text="same")], query, session=NAMES[1])
    policy = CountingPolicy()
    driver: Driver[Trajectory] = Driver(policy, share_prefill=True)
    records = dict(driver.run(rank_window(task, setup(drawn)) for task in (first, second)))
    assert policy.named[:2] == [1, 1]
    assert [record.candidates for _, record in sorted(records.items())] == [["1:1"], ["1:2"]]

"""Pins that rollouts of one window share one opening, and come out as sessions that opened by themselves."""

from __future__ import annotations

from dataclasses import replace

from tests.drawn import DrawnFolder, draw
from tests.unit.agent.sessions import answer, setup, window, zoom

from vretrver.agent.budget import Account, Budget
from vretrver.agent.driver import Driver
from vretrver.agent.policy import Completion, FinishReason, Request
from vretrver.agent.session import rank_group, rank_window
from vretrver.agent.trajectory import Trajectory
from vretrver.policies.scripted import Moment, ScriptedPolicy


class Listening(ScriptedPolicy):
    """A scripted policy that writes its requests down."""

    def __init__(self) -> None:
        super().__init__(_turn, name="test")
        self.requests: list[Request] = []

    def submit(self, request: Request) -> None:
        self.requests.append(request)
        super().submit(request)


def _turn(moment: Moment) -> str:
    """Look at another candidate in every second session, then answer."""
    return answer(2, 1) if moment.said else zoom(1 + int(moment.session[-1]) % 2)


def test_a_group_opens_once_and_its_rollouts_are_those_that_opened_alone(drawn: DrawnFolder) -> None:
    policy = Listening()
    task = window(drawn.candidates(2), drawn.query(picture=3), session="group")
    ((_, group),) = Driver[tuple[Trajectory, ...]](policy).run([rank_group(task, setup(drawn), 4)])
    assert [(request.session, request.after, request.read_only) for request in policy.requests[:5]] == [
        ("group", None, True),
        *[(f"group/{number}", "group", False) for number in range(4)],
    ]
    assert [len(request.messages) for request in policy.requests] == [2, 0, 0, 0, 0, 1, 1, 1, 1]

    alone = Listening()
    tasks = [replace(task, session=f"group/{number}") for number in range(4)]
    records = dict(Driver[Trajectory](alone).run(rank_window(one, setup(drawn)) for one in tasks))
    assert group == tuple(records[number] for number in range(4))
    assert [record.session for record in group] == ["group/0", "group/1", "group/2", "group/3"]
    assert [record.observations(0)[0].cuts[0].did for record in group] == ["1:1", "1:2", "1:1", "1:2"]


def test_rollouts_draw_from_streams_of_their_own(drawn: DrawnFolder) -> None:
    policy = Listening()
    task = window(drawn.candidates(2), drawn.query(), session="7/q")
    list(Driver[tuple[Trajectory, ...]](policy).run([rank_group(replace(task, stream="q"), setup(drawn), 2)]))
    assert [request.stream for request in policy.requests[1:3]] == ["q/0", "q/1"]


def test_a_picture_that_is_replaced_after_the_opening_is_shown_to_no_rollout(drawn: DrawnFolder) -> None:
    def turn(moment: Moment) -> str:
        if not moment.said:
            draw(99).save(drawn.path / "1.png")
            return zoom(1)
        return answer(2, 1)

    task = window(drawn.candidates(2), drawn.query(), session="group")
    policy = ScriptedPolicy(turn, name="test")
    ((_, group),) = Driver[tuple[Trajectory, ...]](policy).run([rank_group(task, setup(drawn), 2)])
    changed = "the picture is not available (the file has changed since it was recorded; index it again)"
    assert [one.turns[0].calls[0].reason for one in group] == [changed, changed]
    assert [len(one.observations(0)) for one in group] == [0, 0]


def test_the_opening_of_a_group_has_the_deadline_of_its_account(drawn: DrawnFolder) -> None:
    class Late(Listening):
        def collect(self, *, patience: float | None = None) -> list[Completion]:
            done = super().collect(patience=patience)
            return [replace(one, finish=FinishReason.DEADLINE) if one.session == "group" else one for one in done]

    policy = Late()
    task = window(drawn.candidates(2), drawn.query(), session="group")
    account = Account(Budget(seconds=5.0), lambda: 100.0)
    run = setup(drawn, clock=lambda: 100.0)
    ((_, group),) = Driver[tuple[Trajectory, ...]](policy).run([rank_group(task, run, 2, account=account)])
    assert [request.deadline for request in policy.requests] == [105.0] * 5
    assert [(request.after, len(request.messages)) for request in policy.requests[1:3]] == [(None, 2), (None, 2)]
    assert [one.ranking for one in group] == [("1:2", "1:1")] * 2

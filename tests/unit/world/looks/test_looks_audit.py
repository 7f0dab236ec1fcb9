"""Pins how errors are told apart: literal sessions over one drawn window, with one thing wrong in each."""

from __future__ import annotations

import pytest

from vretrver.agent.answers import Verdict
from vretrver.agent.policy import FinishReason, Sampling
from vretrver.agent.task import WindowStep
from vretrver.agent.trajectory import CutRecord, PictureShown, StopReason, Trajectory, Turn
from vretrver.geometry import Box
from vretrver.records import ImageRef
from vretrver.world.draw.world import Detail
from vretrver.world.looks.audit import TrajectoryAuditor, totals

TRUTH = TrajectoryAuditor(
    {"q.jpg": Box(left=300, top=300, right=360, bottom=340), "a.jpg": Box(left=100, top=100, right=160, bottom=140)},
    {
        "q.jpg": Detail(kind="emblem", values=("star", "moon")),
        "a.jpg": Detail(kind="print", values=("A", "7", "K")),
    },
)
FIRST = "<think>Want red plain mug.\n1 red plain mug yes\n2 red plain cap no\nUndecided 1.\n</think>"


def look(path: str, box: tuple[int, int, int, int], *, did: str | None, address: int) -> PictureShown:
    """Return one region that the first turn was shown."""
    cut = CutRecord(address=address, did=did, image=ImageRef(path=path), asked=(0, 0, 1, 1), box=box)
    return PictureShown(cuts=(cut,), turn=0, call=0, width=128, height=128, tokens=16, sha256="")


def session(
    *, first: str = FIRST, said: str, box: tuple[int, int, int, int] = (60, 60, 188, 188), order: str = "ba"
) -> Trajectory:
    """Return a session that looked at candidate 1 and then said something."""
    turns = (first, f"<think>{said}\n</think>")
    return Trajectory(
        session="s", qid="1:1", dialect="vretrver", form="ranking", policy="p", revision=0, sampling=Sampling(),
        config="c", step=WindowStep(plan="x", index=0, round=0, places=(0, 1)), candidates=("a", "b"), prompt=(),
        shown=(look("a.jpg", box, did="a", address=1),),
        turns=tuple(Turn(text=text, finish=FinishReason.STOP) for text in turns), stop=StopReason.ANSWERED,
        verdict=Verdict.RANKED if order else Verdict.FAILED, ranking=tuple(order) or None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("trajectory", "cause"),
    [
        (session(said="1 code A= A+7=7+K=K+", order=""), "protocol"),
        (session(first=FIRST.replace("mug yes", "cap no"), said="1 code A= A+7=7+K=K+"), "ruled-out"),
        (session(said="1 nothing", box=(400, 400, 528, 528)), "not-shown"),
        (session(said="1 code A= A+7=7+K=X-"), "misread"),
        (session(said="1 code A= A+7=7+K=K+"), "compared"),
    ],
)
def test_the_cause_of_a_miss_is_the_first_thing_that_went_wrong(trajectory: Trajectory, cause: str) -> None:
    assert TRUTH.cause(trajectory, "a", asks_picture=False, pictured=True) == cause


def test_a_query_whose_label_was_not_shown_is_a_cause_where_its_picture_asks() -> None:
    assert TRUTH.cause(session(said="1 code A7K"), "a", asks_picture=True, pictured=True) == "not-shown"


def test_marks_count_as_read_with_and_without_signs() -> None:
    assert [r.right for r in TRUTH.readings(session(said="1 code A= A+2=7-K=K+"))] == [True]
    assert [r.right for r in TRUTH.readings(session(said="1 code A-7-K-"))] == [True]
    assert [r.right for r in TRUTH.readings(session(said="1 code A7K"))] == [True]
    assert [r.right for r in TRUTH.readings(session(said="2 code A7K"))] == [False]


def test_totals_are_shares_over_all_sessions() -> None:
    audits = [TRUTH.audit(session(said="1 code A7K")), TRUTH.audit(session(said="1 nothing", box=(0, 0, 128, 128)))]
    assert totals(audits) == {
        "call_valid": 1.0,
        "zoom_holds_label": 0.5,
        "label_read": 1.0,
        "zooms": 1.0,
        "selects": 0.0,
    }

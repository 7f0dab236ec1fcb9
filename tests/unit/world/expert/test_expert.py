"""Pins what the expert says, and that it keeps what is promised of it in every window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.world.expert.practices import SESSIONS, practised, sessions, windows

from vretrver.agent.answers import Repairs
from vretrver.agent.messages import Message
from vretrver.agent.trajectory import StopReason, Trajectory, Turn
from vretrver.world.draw.render import label_place
from vretrver.world.draw.world import Detail
from vretrver.world.expert.policy import Flaws
from vretrver.world.expert.seen import sights
from vretrver.world.expert.speech import reading, trait_line
from vretrver.world.expert.wanted import Criteria
from vretrver.world.expert.windows import Practice

Pair = tuple[Practice, Trajectory]


@pytest.fixture(scope="module")
def usual() -> list[Pair]:
    """Sessions at the usual rate of flaws."""
    return practised(windows(360))


@pytest.fixture(scope="module")
def clumsy() -> list[Pair]:
    """Sessions full of missed looks and wrong calls."""
    return practised(windows(240, seed=2), flaws=Flaws(missed_zoom=300, wrong_call=200))


def missed(practice: Practice, record: Trajectory, turn: int) -> set[int]:
    """Return the items whose label the zooms of a turn, from 0, did not show."""
    return {item for item, holds in zooms(practice, record, turn) if not holds}


def zooms(practice: Practice, record: Trajectory, turn: int) -> Iterator[tuple[int, bool]]:
    """Yield (item, whether the whole label was in it) of a turn's zooms, from the pixels that were shown."""
    for shown in record.observations(turn):
        look = shown.cuts[0]
        if look.box is not None:
            item = int(str(look.address))
            shot = practice.items[item - 1].shot(0) if item else practice.query_shot
            left, top, right, bottom = label_place(shot).box
            inside = look.box[0] <= left + 4 and look.box[1] <= top + 4
            yield item, inside and look.box[2] >= right - 4 and look.box[3] >= bottom - 4


def read_in(practice: Practice, record: Trajectory, turns: int) -> set[int]:
    """Return the items whose label was shown in the first turns."""
    return {item for turn in range(turns) for item, holds in zooms(practice, record, turn) if holds}


def numbers(record: Trajectory) -> list[int]:
    """Return the numbers of the answer."""
    return [] if record.answer is None else [*record.answer.numbers]


def first_call(turn: Turn) -> int:
    """Return the item that a turn's first call is about."""
    arguments = turn.calls[0].arguments or {}
    return int(arguments.get("target_image", (arguments.get("target_images") or [-1])[0]))


def test_the_sessions_that_are_pinned_are_what_it_writes() -> None:
    again = "write them again with python -m tests.unit.world.expert.practices if the change was meant"
    assert SESSIONS.read_text(encoding="utf-8") == sessions(), again


@pytest.mark.parametrize("which", ["usual", "clumsy"])
def test_every_session_ends_with_a_whole_ranking(which: str, request: pytest.FixtureRequest) -> None:
    for practice, record in request.getfixturevalue(which):
        assert record.stop is StopReason.ANSWERED
        assert record.repairs == Repairs()
        assert sorted(numbers(record)) == list(range(1, len(practice.items) + 1))
        assert not record.forced
        assert len(record.turns) <= 4


@pytest.mark.parametrize("which", ["usual", "clumsy"])
def test_the_right_candidate_is_first_once_everything_about_it_is_known(
    which: str, request: pytest.FixtureRequest
) -> None:
    pairs: list[Pair] = request.getfixturevalue(which)
    known = 0
    for practice, record in pairs:
        read = read_in(practice, record, len(record.turns))
        pictured = practice.shape.pool in ("pictures", "pages")
        alone = "Undecided " in record.turns[0].text and f"Undecided {practice.target}.\n" in record.turns[0].text
        asked = practice.wanted.detail is not None or 0 in read
        misprinted = practice.wanted.detail not in (None, practice.items[practice.target - 1].detail)
        if not misprinted and (alone or (asked and (practice.target in read or not pictured))):
            known += 1
            assert (numbers(record) or [0])[0] == practice.target, record.session
    assert known > 0.7 * len(pairs)


@pytest.mark.parametrize("which", ["usual", "clumsy"])
def test_a_look_that_missed_is_followed_by_the_whole_picture_and_a_new_zoom(
    which: str, request: pytest.FixtureRequest
) -> None:
    mended = 0
    for practice, record in request.getfixturevalue(which):
        for number, (after, then) in enumerate(zip(record.turns[1:], record.turns[2:], strict=False)):
            gone = missed(practice, record, number) - read_in(practice, record, number + 1)
            for item in gone:
                assert f"{item or 'Query'} nothing\n" in after.text
            if not gone or not after.calls or after.calls[0].outcome != "executed":
                continue
            assert after.calls[0].name == "select_images"
            larger = set((after.calls[0].arguments or {})["target_images"])
            assert gone <= larger or len(larger) == 4
            if then.calls and then.calls[0].outcome == "executed":
                again = {(call.arguments or {}).get("target_image") for call in then.calls}
                assert larger <= again or len(then.calls) == 4
                mended += 1
    assert mended >= (1 if which == "usual" else 20)


def test_a_call_that_was_refused_is_followed_by_one_that_is_right(clumsy: list[Pair]) -> None:
    written_again = 0
    for practice, record in clumsy:
        for number, (turn, after) in enumerate(zip(record.turns, record.turns[1:], strict=False), start=1):
            refused = [call for call in turn.calls if call.outcome == "refused"]
            assert len(refused) <= 1
            if refused:
                reason = refused[0].reason or ""
                assert any(why in reason for why in ("there is no candidate", "empty or inverted", "has no picture"))
            if refused and after.calls and after.calls[0].outcome == "executed":
                assert first_call(after) not in read_in(practice, record, number)
                written_again += 1
    assert written_again > 10


def test_every_candidate_is_described_and_what_is_undecided_is_listed(usual: list[Pair]) -> None:
    for practice, record in usual:
        lines = record.turns[0].text.removeprefix("<think>").partition("</think>")[0].splitlines()
        count = len(practice.items)
        assert lines[0].startswith("Want ")
        assert [line.split()[0] for line in lines[1 : count + 1]] == [str(n) for n in range(1, count + 1)]
        undecided = [line.split()[0] for line in lines[1 : count + 1] if line.endswith(" yes")]
        assert lines[count + 1] == f"Undecided {', '.join(undecided)}."
        assert str(practice.target) in undecided


def test_without_tools_it_answers_at_once_with_the_first_of_what_is_undecided() -> None:
    for practice, record in practised(windows(60), tools=False):
        (turn,) = record.turns
        assert "<tool_call>" not in turn.text
        assert record.stop is StopReason.ANSWERED
        if practice.shape.pool == "pictures":
            line = next(line for line in turn.text.splitlines() if line.startswith("Undecided "))
            undecided = [int(n) for n in line.removeprefix("Undecided ").rstrip(".").split(", ")]
            assert numbers(record)[: len(undecided)] == undecided


def test_a_turn_is_the_same_every_time(usual: list[Pair]) -> None:
    again = practised(windows(36))
    pairs = zip(again, usual, strict=False)
    assert all(one[1].without_timing() == two[1].without_timing() for one, two in pairs)


WANTED = Criteria(traits=(("colour", "red"), ("product", "mug")), detail=None)


@pytest.mark.parametrize(
    ("values", "said"),
    [(("red", "mug"), "3 red mug yes\n"), (("red", "cap"), "3 red cap no\n"), (("blue", "mug"), "3 blue no\n")],
)
def test_a_candidate_is_described_until_a_trait_differs(values: tuple[str, str], said: str) -> None:
    assert trait_line(3, values, WANTED) == said


@pytest.mark.parametrize(
    ("seen", "wanted", "said"),
    [
        (
            Detail(kind="print", values=("A", "7", "K")),
            Detail(kind="print", values=("A", "K", "K")),
            "code A= A+K=7-K=K+",
        ),
        (Detail(kind="print", values=("A", "7", "K")), None, "code A7K"),
        (
            Detail(kind="print", values=("A", "7", "K")),
            Detail(kind="emblem", values=("star", "moon")),
            "code A-7-K-",
        ),
        (
            Detail(kind="stitch", values=("bar", "cross", "bar")),
            Detail(kind="emblem", values=("star", "moon")),
            "patch with bar- cross- bar-",
        ),
        (
            Detail(kind="emblem", values=("star", "moon")),
            Detail(kind="emblem", values=("moon", "star")),
            "moon star- star moon- badge",
        ),
    ],
)
def test_a_label_is_read_mark_by_mark(seen: Detail, wanted: Detail | None, said: str) -> None:
    assert reading("2", seen, wanted) == f"2 {said}\n"


def test_a_message_without_pictures_shows_nothing() -> None:
    assert sights(Message(role="user", pieces=("<tool_response>\nRefused: no.\n</tool_response>",))) == []

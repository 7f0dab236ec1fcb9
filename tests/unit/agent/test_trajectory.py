"""Pins the views of a trajectory: looks, tokens, prompt hash, the record without its times; and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.drawn import DrawnFolder, draw
from tests.unit.agent.sessions import answer, play, select, setup, window, zoom

from vretrver.agent.answers import Verdict
from vretrver.agent.bench import Bench
from vretrver.agent.observations import Cut, Read
from vretrver.agent.recording import ShownList
from vretrver.agent.trajectory import STOPS, MessageRecord, StopReason, TextShown, Trajectory
from vretrver.records import Address


def _record(drawn: DrawnFolder, *turns: str, **changes: object) -> Trajectory:
    return play(window(drawn.candidates(2), drawn.query()), setup(drawn, **changes), turns).trajectory


def test_only_executed_calls_count_as_looks(drawn: DrawnFolder) -> None:
    record = _record(drawn, zoom(1) + zoom(9) + select(1, 2), zoom(3), answer(1, 2))
    assert record.looks == 2
    assert len(record.observations(0)) == 3


def test_the_prompt_hash_depends_on_words_and_pixels_and_on_nothing_later(drawn: DrawnFolder) -> None:
    first = _record(drawn, answer(1, 2))
    assert _record(drawn, zoom(1), answer(2, 1)).prompt_sha256 == first.prompt_sha256
    task = window(drawn.candidates(2), drawn.query(text="a bowl"))
    assert play(task, setup(drawn), [answer(1, 2)]).trajectory.prompt_sha256 != first.prompt_sha256
    draw(77).save(drawn.path / "1.png")
    assert _record(drawn, answer(1, 2)).prompt_sha256 != first.prompt_sha256


def test_two_runs_differ_in_their_times_alone(drawn: DrawnFolder) -> None:
    ticks = iter(range(100))
    slow = _record(drawn, zoom(1), answer(1, 2), clock=lambda: float(next(ticks)))
    still = _record(drawn, zoom(1), answer(1, 2))
    assert [turn.seconds for turn in slow.turns] == [1.0, 1.0]
    assert slow != still
    assert slow.without_timing() == still.without_timing() == still


def test_a_session_without_turns_used_no_tokens(drawn: DrawnFolder) -> None:
    assert replace(_record(drawn, answer(1, 2)), turns=()).tokens == 0


def test_what_was_shown_is_in_the_order_the_model_met_it(drawn: DrawnFolder) -> None:
    record = _record(drawn, zoom(1) + zoom(9) + select(1, 2), zoom(3), answer(1, 2))
    assert [one.cuts[0].address for one in record.shown] == [1, 2, 1, 1, 2]
    assert [(one.turn, one.call) for one in record.shown] == [(None, None)] * 2 + [(0, 0), (0, 2), (0, 2)]
    assert (record.pictures, record.observations(0)) == (record.shown[:2], record.shown[2:])
    assert record.observations(1) == ()


def test_messages_name_what_was_shown_by_its_place(drawn: DrawnFolder) -> None:
    record = _record(drawn, zoom(2) + zoom(2), answer(1, 2))
    assert [piece for piece in record.prompt[1].pieces if isinstance(piece, int)] == [0, 1]
    reply = record.turns[0].reply
    assert reply is not None
    assert [piece for piece in reply.pieces if isinstance(piece, int)] == [2, 3]


def test_the_stream_that_turns_were_drawn_from_is_recorded(drawn: DrawnFolder) -> None:
    task = replace(window(drawn.candidates(2), drawn.query()), stream="9:1/3")
    assert play(task, setup(drawn), [answer(1, 2)]).trajectory.stream == "9:1/3"
    same = replace(task, stream=task.session)
    assert play(same, setup(drawn), [answer(1, 2)]).trajectory.stream == "", "empty is the session's name"


def test_a_text_that_was_read_is_recorded_in_a_form_that_can_be_stored(drawn: DrawnFolder) -> None:
    run = setup(drawn)
    bench = Bench(window(drawn.candidates(1), drawn.query()), drawn.store, views=run.views, boxes=run.dialect.boxes)
    shown, address = ShownList(), Address(item=1)
    cut = Cut(address=address, image=bench.pinned(address))
    shown.note(Read(cuts=(cut,), text="SALE \ud800", made_by="ocr-9"), bench, turn=2, call=1)
    (text,) = shown.records
    assert isinstance(text, TextShown)
    assert (text.text, text.made_by, text.turn, text.call) == ("SALE ?", "ocr-9", 2, 1)
    assert shown.pictures == 0


def test_every_stop_reason_has_a_sentence() -> None:
    assert list(STOPS) == list(StopReason)
    assert all(sentence.endswith(".") for sentence in STOPS.values())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ranking": None}, "the verdict ranked contradicts the ranking"),
        ({"verdict": Verdict.FAILED}, "the verdict failed contradicts the ranking"),
        ({"ranking": ("1:1",)}, "the ranking is not an order of the candidates"),
        ({"ranking": ("1:1", "1:9")}, "the ranking is not an order of the candidates"),
        ({"shown": ()}, "a message shows picture 0, which the record does not have"),
        ({"prompt": (MessageRecord(role="user", pieces=("a", -1)),)}, "a message shows picture -1"),
        ({"prompt": (MessageRecord(role="user", pieces=(2,)),)}, "a message shows picture 2"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(
    drawn: DrawnFolder, changes: dict[str, Any], problem: str
) -> None:
    record = _record(drawn, answer(1, 2))
    with pytest.raises(ValueError, match=problem):
        replace(record, **changes)


def test_what_was_shown_is_of_something_and_only_what_could_be_shown_is_in_messages(drawn: DrawnFolder) -> None:
    record = _record(drawn, answer(1, 2))
    first, *others = record.shown
    with pytest.raises(ValueError, match="something was shown that has no cut"):
        replace(record, shown=(replace(first, cuts=()), *others))
    with pytest.raises(ValueError, match="a message shows picture 0, which the record does not have"):
        replace(record, shown=(replace(record.pictures[0], refused="gone"), *others))

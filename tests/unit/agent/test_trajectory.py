"""Pins the views of a trajectory: looks, tokens, prompt hash, and the record without its times."""

from __future__ import annotations

from dataclasses import replace

from tests.drawn import DrawnFolder, draw
from tests.unit.agent.sessions import answer, play, select, setup, window, zoom

from vretrver.agent.trajectory import Trajectory


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

"""Pins what the two dialects tell, accept and refuse; the whole prompts are pinned by the golden files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import answer, play, select, setup, window, zoom

from vretrver.agent.dialects import dialect_named
from vretrver.agent.dialects.released import released
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.trajectory import StopReason
from vretrver.errors import ConfigError


def _crop(target: object, box: str = "[10, 10, 50, 50]", name: str = "crop_image") -> str:
    arguments = f'{{"bbox_2d": {box}, "target_image": {target}}}'
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


def test_an_unknown_dialect_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="dialects are vretrver, vretrver/no-tools, vretrver/reading, released"):
        dialect_named("qwen")


def test_the_default_dialect_answers_all_calls_in_one_message_in_order(drawn: DrawnFolder) -> None:
    run = setup(drawn)
    turn = zoom(1, "[0, 0, 500, 1000]") + zoom(9) + select(2, 1)
    played = play(window(drawn.candidates(2), drawn.query()), run, [turn, answer(1, 2)])
    reply = played.trajectory.turns[0].reply
    assert reply is not None
    assert (reply.role, reply.pieces) == (
        "user",
        (
            "<tool_response>\nPicture 1, region [0, 0, 1000, 1000]: ", 2,
            "\nRefused: there is no candidate 9; candidates are 1 to 2.\nPicture 2: ", 3, "\nPicture 1: ", 4,
            "\n</tool_response>",
        ),
    )  # fmt: skip


def test_the_default_dialect_says_which_region_it_shows(drawn: DrawnFolder) -> None:
    drawn.ref(1, (800, 400))
    turns = [zoom(1, "[500, 500, 510, 510]"), answer(1)]
    played = play(window(drawn.candidates(1), drawn.query()), setup(drawn), turns)
    assert played.replies[0].startswith("<tool_response>\nPicture 1, region [425, 345, 585, 665]: ")
    (seen,) = played.trajectory.observations(0)
    assert (seen.cuts[0].asked, seen.cuts[0].box) == ((500, 500, 510, 510), (340, 138, 468, 266))


def test_the_default_dialect_carries_out_four_calls_of_a_turn(drawn: DrawnFolder) -> None:
    played = play(window(drawn.candidates(5), drawn.query()), setup(drawn), [zoom(1) * 5, answer(1)])
    calls = played.trajectory.turns[0].calls
    assert [call.outcome for call in calls] == ["executed"] * 4 + ["refused"]
    assert calls[4].reason == "a turn has at most 4 calls"


def test_without_tools_none_are_told_and_a_call_is_refused_before_the_answer_is_asked_for(drawn: DrawnFolder) -> None:
    run = setup(drawn, dialect=vretrver(tools=False))
    played = play(window(drawn.candidates(2), drawn.query()), run, [zoom(1), answer(2, 1)])
    assert run.dialect.name == dialect_named("vretrver/no-tools").name == "vretrver/no-tools"
    assert "tool" not in played.requests[0].messages[0].text
    assert played.trajectory.turns[0].calls[0].reason == "there is no tool 'zoom_in'; no tools are given"
    assert played.requests[1].grammar is not None
    assert played.requests[1].grammar.whole_turn
    assert (played.trajectory.forced, played.trajectory.ranking) == (True, ("1:2", "1:1"))


def test_the_released_dialect_stops_at_the_end_of_a_call(drawn: DrawnFolder) -> None:
    played = play(window(drawn.candidates(1), drawn.query()), setup(drawn, dialect=released()), [answer(1)])
    assert played.requests[0].stop == ("</tool_call>",)


@pytest.mark.parametrize("name", ["crop_image", "zoom_in", "crop_image_normalized"])
@pytest.mark.parametrize("target", ["1", '"1"', "1.0"])
def test_the_released_names_and_targets_mean_one_tool_and_one_picture(
    drawn: DrawnFolder, name: str, target: str
) -> None:
    run = setup(drawn, dialect=released())
    played = play(window(drawn.candidates(2), drawn.query()), run, [_crop(target, name=name), answer(1, 2)])
    (call,) = played.trajectory.turns[0].calls
    assert (call.name, call.outcome) == ("crop_image", "executed")
    assert [seen.cuts[0].did for seen in played.trajectory.observations(0)] == ["1:1"]


@pytest.mark.parametrize("target", ["true", '"one"', "[1, 2]", "null", '"9999999999999"', "{}"])
def test_the_released_targets_that_are_no_number_are_refused(drawn: DrawnFolder, target: str) -> None:
    run = setup(drawn, dialect=released())
    played = play(window(drawn.candidates(2), drawn.query()), run, [_crop(target), answer(1, 2)])
    (call,) = played.trajectory.turns[0].calls
    assert call.outcome == "refused"
    assert call.reason is not None
    assert call.reason.startswith("wrong arguments: target_image: ")
    assert played.replies[0].startswith("The action is not valid: wrong arguments: target_image: ")


def test_the_released_dialect_carries_out_one_call_a_turn_and_shows_the_padded_crop(drawn: DrawnFolder) -> None:
    drawn.ref(1, (640, 480))
    run = setup(drawn, dialect=released())
    turns = [_crop(1, "[290, 80, 380, 200]") + _crop(2), answer(1, 2)]
    played = play(window(drawn.candidates(2), drawn.query()), run, turns)
    first, second = played.trajectory.turns[0].calls
    assert (first.outcome, second.outcome, second.reason) == ("executed", "refused", "a turn has at most 1 call")
    (seen,) = played.trajectory.observations(0)
    assert (seen.cuts[0].box, seen.cuts[0].padding, seen.width, seen.height) == (
        (226, 31, 444, 248),
        (64, 48),
        224,
        224,
    )
    assert played.replies == ["Here is the cropped picture (224x224):\n"]


def test_the_released_selection_says_which_pictures_it_shows(drawn: DrawnFolder) -> None:
    run = setup(drawn, dialect=released())
    played = play(window(drawn.candidates(3), drawn.query(picture=4)), run, [select(3, 0), answer(1, 2, 3)])
    assert played.replies == ["Here are the selected pictures (84x56), candidates 3, 0, 0 being the query:\n"]
    assert [seen.cuts[0].address for seen in played.trajectory.observations(0)] == [3, 0]


def test_the_released_loop_ends_after_three_turns_of_looks_the_last_of_which_is_not_shown(drawn: DrawnFolder) -> None:
    run = setup(drawn, dialect=released())
    played = play(window(drawn.candidates(2), drawn.query()), run, [_crop(1), _crop(2), _crop(1)])
    assert played.trajectory.stop is StopReason.MAX_TURNS
    assert [turn.calls[0].outcome for turn in played.trajectory.turns] == ["executed"] * 3
    assert [len(played.trajectory.observations(turn)) for turn in range(3)] == [1, 1, 0]  # the last is never sent


def test_the_released_loop_ends_at_a_turn_without_call_or_answer(drawn: DrawnFolder) -> None:
    run = setup(drawn, dialect=released())
    played = play(window(drawn.candidates(2), drawn.query()), run, ["2 is best."])
    assert (played.trajectory.stop, played.trajectory.ranking) == (StopReason.MALFORMED, None)


def test_the_released_texts_may_come_from_the_published_data(drawn: DrawnFolder) -> None:
    dialect = released(system_text="THEIR SYSTEM", guidelines="THEIR GUIDELINES")
    query = replace(drawn.query(picture=3), instruction="Find the item.")
    played = play(window(drawn.candidates(2), query), setup(drawn, dialect=dialect), [answer(1, 2)])
    system, user = played.trajectory.prompt
    assert system.pieces == ("THEIR SYSTEM",)
    assert user.pieces == (
        "Query:", 0, "Find the item. a cupCandidates:(1) ", 1, "(2) ", 2, "\n\nGuidelines: THEIR GUIDELINES",
    )  # fmt: skip

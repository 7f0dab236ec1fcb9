"""Replays the published example trajectories (spec 2.10) under the `released` dialect.

Their pictures are not published at native size: drawn stand-ins take their place, of sizes chosen to hold the boxes
(640 x 480 for the sofas, 480 x 640 for the dresses, 256 x 256 for the plant, 336 x 280 for the others). Which queries
have a picture is told for the plant alone, and guessed for the others. So what is pinned is the calls, the regions
for these sizes, and the answers; not what the published model saw.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import play, setup, window

from vretrver.agent.dialects.released import released
from vretrver.agent.trajectory import StopReason, Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One published trajectory."""

    query: str
    """What is asked, in our words."""
    size: tuple[int, int]
    """Width and height of the stand-ins in pixels."""
    calls: tuple[tuple[str, str], ...]
    """Name and arguments of the call of each turn, as published."""
    seen: tuple[tuple[tuple[int, list[int] | None], ...], ...]
    """Per turn: picture number and region shown, None for the whole."""
    answer: tuple[int, ...]
    """The published answer."""
    query_picture: bool = True
    """Whether the query has a picture."""


EXAMPLES = {
    "sofa": Example(
        query="a sofa",
        size=(640, 480),
        calls=(
            ("select_images", '{"target_images": [1, 4]}'),
            ("crop_image", '{"bbox_2d": [290, 80, 380, 200], "target_image": 1}'),
        ),
        seen=(((1, None), (4, None)), ((1, [226, 31, 444, 248]),)),
        answer=(1, 4, 3, 5, 2),
        query_picture=False,
    ),
    "barn": Example(
        query="a barn",
        size=(336, 280),
        calls=(("select_images", '{"target_images": [2, 5]}'),),
        seen=(((2, None), (5, None)),),
        answer=(5, 2, 1, 3, 4),
        query_picture=False,
    ),
    "dress": Example(
        query="a green metallic knitted dress",
        size=(480, 640),
        calls=(("crop_image", '{"bbox_2d": [0, 0, 180, 250], "target_image": 3}'),),
        seen=(((3, [0, 0, 228, 314]),),),
        answer=(4, 3, 2, 1, 5),
    ),
    "monitor": Example(
        query="a smaller monitor and an extra laptop",
        size=(336, 280),
        calls=(("select_images", '{"target_images": [2, 5]}'),),
        seen=(((2, None), (5, None)),),
        answer=(2, 5, 1, 4, 3),
    ),
    "shirt": Example(
        query="more buttons, blue, lighter",
        size=(336, 280),
        calls=(("select_images", '{"target_images": [3, 4]}'),),
        seen=(((3, None), (4, None)),),
        answer=(4, 3, 2, 1, 5),
    ),
    "plant": Example(
        query="whom is the plant named after",
        size=(256, 256),
        calls=(("crop_image", '{"bbox_2d": [125, 88, 145, 108], "target_image": 0}'),),
        seen=(((0, [99, 62, 170, 133]),),),
        answer=(1, 2, 4, 3, 5),
    ),
}


def _replay(drawn: DrawnFolder, example: Example) -> Trajectory:
    for number in range(6):
        drawn.ref(number, example.size)
    query = drawn.query(picture=0 if example.query_picture else None, text=example.query)
    turns = [
        f'<think>Let me look.</think><tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'
        for name, arguments in example.calls
    ]
    answer = f"<think>Now I know.</think><answer>[{','.join(map(str, example.answer))}]</answer>"
    task = window(drawn.candidates(5), query)
    return play(task, setup(drawn, dialect=released()), [*turns, answer]).trajectory


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_published_trajectory_replays(drawn: DrawnFolder, name: str) -> None:
    example = EXAMPLES[name]
    record = _replay(drawn, example)
    assert [(call.name, call.outcome) for turn in record.turns for call in turn.calls] == [
        (called, "executed") for called, _ in example.calls
    ]
    cuts = [[shown.cuts[0] for shown in record.observations(turn)] for turn in range(len(record.turns))]
    seen = [tuple((cut.address, cut.box and [*cut.box]) for cut in turn) for turn in cuts]
    assert seen == [*example.seen, ()]
    assert record.stop is StopReason.ANSWERED
    assert record.ranking == tuple(f"1:{number}" for number in example.answer)
    assert not record.repairs.any
    assert not record.forced


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("sofa", [(644, 476), (644, 476), (224, 224)]),
        ("dress", [(224, 308)]),
        ("plant", [(84, 84)]),
        ("barn", [(336, 280), (336, 280)]),
    ],
)
def test_pictures_and_crops_are_shown_at_the_nearest_multiples_of_28_pixels(
    drawn: DrawnFolder, name: str, sizes: list[tuple[int, int]]
) -> None:
    record = _replay(drawn, EXAMPLES[name])
    shown = [(seen.width, seen.height) for seen in record.shown if seen.turn is not None]
    assert shown == sizes

"""Pins what the two tools show, and that every refusal says why."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel
from tests.drawn import DrawnFolder, draw
from tests.unit.agent.sessions import select, window, zoom

from vretrver.agent.answers import RankingForm
from vretrver.agent.bench import Bench
from vretrver.agent.budget import Account, Budget
from vretrver.agent.dialects import dialect_named
from vretrver.agent.observations import Seen
from vretrver.agent.parsing import parse_turn
from vretrver.agent.refusals import MAX_CHARS, Refused
from vretrver.agent.tools import Executed, SelectImages, ZoomIn, execute, signature
from vretrver.records import Address

TOOLS = (SelectImages(), ZoomIn())
LARGE = (800, 400)


@pytest.fixture
def bench(drawn: DrawnFolder) -> Bench:
    """Candidate 1 has one picture, 2 has two, 3 has none; the query is text."""
    for number in (1, 2, 3):
        drawn.ref(number, LARGE)
    candidates = [
        drawn.candidate(1),
        drawn.candidate(2, pictures=[2, 3]),
        drawn.candidate(3, pictures=[], text="a cup without a picture"),
    ]
    dialect = dialect_named("vretrver")
    return Bench(window(candidates, drawn.query()), drawn.store, views=dialect.views, boxes=dialect.boxes)


def _run(text: str, bench: Bench, *, tokens_left: int | None = None) -> Executed:
    (call,) = parse_turn(text, RankingForm()).calls
    return execute(call, TOOLS, bench, account=Account(Budget(look_tokens=tokens_left), lambda: 0.0))


def _pixels(look: Seen) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(look.shown.picture.data)), dtype=np.int16)


def test_zoom_shows_the_region_of_the_original(bench: Bench) -> None:
    outcome = _run(zoom(1, "[250, 250, 750, 750]"), bench)
    (look,) = outcome.observations
    assert outcome.reason is None
    assert isinstance(look, Seen)
    (cut,) = look.cuts
    assert cut.box is not None
    assert cut.box.to_list() == [200, 100, 600, 300]
    assert (cut.asked, cut.address) == ((250, 250, 750, 750), Address(item=1))
    assert (look.shown.picture.width, look.shown.picture.height, look.shown.tokens) == (736, 352, 253)
    drawn = draw(1, LARGE).crop((200, 100, 600, 300)).resize((736, 352), Image.Resampling.BILINEAR)
    assert np.abs(_pixels(look) - np.asarray(drawn, dtype=np.int16)).mean() < 12


def test_select_shows_whole_pictures_in_the_order_asked_repeats_included(bench: Bench) -> None:
    outcome = _run(select("[2, 2]", 1, 2, 1), bench)
    assert [str(look.cuts[0].address) for look in outcome.observations] == ["[2, 2]", "1", "2", "1"]
    assert [look.cuts[0].image.path for look in outcome.observations] == ["3.png", "1.png", "2.png", "1.png"]
    assert {look.cuts[0].box for look in outcome.observations} == {None}
    assert [look.tokens for look in outcome.observations] == [253] * 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (zoom(9), "there is no candidate 9; candidates are 1 to 3"),
        (zoom(3), "candidate 3 has no picture"),
        (zoom(0), "the query has no picture"),
        (zoom("[1, 2]"), "candidate 1 has 1 picture, not 2"),
        (zoom("[2, 3]"), "candidate 2 has 2 pictures, not 3"),
        (zoom(1, "[900, 0, 100, 1000]"), "the box [900, 0, 100, 1000] is empty or inverted"),
        (zoom(1, "[0, 0, 1001, 5]"), "the box [0, 0, 1001, 5] leaves the picture: values go from 0 to 1000"),
        (zoom(-1), "wrong arguments: target_image: Value error, -1 is not a picture address: items count from 0"),
        (zoom("[1, 0]"), "wrong arguments: target_image: Value error, [1, 0] is not a picture address"),
        (zoom("[1, 1, 1]"), "wrong arguments: target_image: Value error, [1, 1, 1] is not a picture address"),
        (zoom("true"), "wrong arguments: target_image: Value error, True is not a picture address"),
        (zoom('"../../etc/passwd"'), "wrong arguments: target_image: Value error, '../../etc/passwd' is not a pict"),
        (zoom(1, "[0, 0, 10]"), "wrong arguments: bbox_2d: List should have at least 4 items"),
        (zoom(1, "[0, 0, 10, 10, 10]"), "wrong arguments: bbox_2d: List should have at most 4 items"),
        (zoom(1, "[0.5, 0, 10, 10]"), "wrong arguments: bbox_2d.0: Input should be a valid integer"),
        (zoom(1, '["0", 0, 10, 10]'), "wrong arguments: bbox_2d.0: Input should be a valid integer"),
        (zoom(1, "null"), "wrong arguments: bbox_2d: Input should be a valid list"),
        (select(), "wrong arguments: target_images: List should have at least 1 item"),
        (select(1, 1, 1, 1, 1), "wrong arguments: target_images: List should have at most 4 items"),
        (select(1, 9), "there is no candidate 9; candidates are 1 to 3"),
        (
            '<tool_call>{"name": "zoom_in", "arguments": {}}</tool_call>',
            "wrong arguments: target_image: Field required",
        ),
        (
            '<tool_call>{"name": "select_images", "arguments": {"target_images": [1], "url": "x"}}</tool_call>',
            "wrong arguments: url: Extra inputs are not permitted",
        ),
        (
            '<tool_call>{"name": "open_url", "arguments": {}}</tool_call>',
            "there is no tool 'open_url'; tools are select_images, zoom_in",
        ),
        ("<tool_call>?</tool_call>", "the call is not valid JSON"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_the_reason(bench: Bench, text: str, reason: str) -> None:
    outcome = _run(text, bench)
    assert outcome.observations == ()
    assert outcome.reason is not None
    assert outcome.reason.startswith(reason)


@pytest.mark.parametrize("text", [zoom("9" * 4000), zoom(1, f"[{'9' * 4000}, 0, 1, 1]"), select("9" * 4000)])
def test_a_reason_repeats_no_more_than_a_little_of_what_was_written(bench: Bench, text: str) -> None:
    reason = _run(text, bench).reason
    assert reason is not None
    assert len(reason) <= MAX_CHARS


def test_a_look_beyond_the_budget_is_refused_and_one_within_it_is_not(bench: Bench) -> None:
    assert (
        _run(zoom(1), bench, tokens_left=252).reason
        == "the look would cost more than the 252 visual tokens that are left"
    )
    assert _run(zoom(1), bench, tokens_left=253).reason is None
    assert _run(select(1, 2), bench, tokens_left=505).reason is not None
    assert _run(select(1, 2), bench, tokens_left=506).reason is None


def test_no_budget_changes_the_reason_of_a_call_that_is_wrong_anyway(bench: Bench) -> None:
    assert _run(zoom(3), bench, tokens_left=0).reason == "candidate 3 has no picture"


def test_a_picture_that_vanished_or_changed_is_refused_and_never_another_one_shown(
    bench: Bench, drawn: DrawnFolder
) -> None:
    assert _run(select(1, 2), bench).reason is None
    draw(9, LARGE).save(drawn.path / "1.png")
    (drawn.path / "2.png").unlink()
    changed = "the picture is not available (the file has changed since it was recorded; index it again)"
    gone = "the picture is not available (cannot be read: No such file or directory)"
    assert [_run(text, bench).reason for text in (zoom(1), select(1))] == [changed, changed]
    assert [_run(text, bench).reason for text in (zoom(2), select(2))] == [gone, gone]


def test_a_tool_that_shows_nothing_or_gives_no_reason_is_a_refusal_with_one(bench: Bench) -> None:
    class Blind(SelectImages):
        def run(self, arguments: BaseModel, bench: Bench) -> list[Seen]:
            return []

    class Silent(SelectImages):
        def run(self, arguments: BaseModel, bench: Bench) -> list[Seen]:
            raise Refused("")

    (call,) = parse_turn(select(1), RankingForm()).calls
    assert execute(call, (Blind(),), bench).reason == "there was nothing to show"
    assert execute(call, (Silent(),), bench).reason == "refused without a reason"


def test_without_tools_every_call_is_refused(bench: Bench) -> None:
    (call,) = parse_turn(zoom(1), RankingForm()).calls
    assert execute(call, (), bench).reason == "there is no tool 'zoom_in'; no tools are given"


def test_a_signature_names_the_arguments_and_no_titles() -> None:
    line = signature(ZoomIn())
    assert line.startswith('{"name": "zoom_in", "description": ')
    assert '"bbox_2d": {"items": {"type": "integer"}, "maxItems": 4, "minItems": 4, "type": "array"}' in line
    assert "title" not in line

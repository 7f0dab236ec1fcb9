"""Pins that all a model is told of a refused call is worded by the dialect: codes and facts, one in another."""

from __future__ import annotations

import re

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import select, window, zoom

from vretrver.agent.bench import Bench
from vretrver.agent.details import DetailCode, Words, detail
from vretrver.agent.dialects import dialect_named
from vretrver.agent.dialects.vretrver import TOOLS
from vretrver.agent.parsing import parse_turn
from vretrver.agent.refusals import WORDS, RefusalCode, Refused, refusal
from vretrver.agent.tools import execute

CODES: Words = {
    code: "/".join([code, *(fact for fact in re.findall(r"\{[^{}]*\}", template) if "|" not in fact)])
    for code, template in WORDS.items()
}
"""Words without a word: each code with its facts."""

LONE = '{"name": "zoom_in", "arguments": {"target_image": "\\ud800"}}'


def raw(json: str) -> str:
    """Return a call."""
    return f"<tool_call>{json}</tool_call>"


def compare(targets: str, boxes: str) -> str:
    """Return a call of `compare`."""
    arguments = f'{{"target_images": {targets}, "bboxes_2d": {boxes}}}'
    return raw(f'{{"name": "compare", "arguments": {arguments}}}')


def told(text: str, drawn: DrawnFolder, words: Words, *, name: str = "vretrver") -> str | None:
    """Return why the one call of a turn is refused; candidates have one picture, two, and none."""
    candidates = [drawn.candidate(1), drawn.candidate(2, pictures=[2, 3]), drawn.candidate(3, pictures=[], text="x")]
    dialect = dialect_named(name)
    tools = tuple(TOOLS.values()) if name == "vretrver" else dialect.tools
    bench = Bench(window(candidates, drawn.query()), drawn.store, views=dialect.views, boxes=dialect.boxes)
    (call,) = parse_turn(text, dialect.form).calls
    return execute(call, tools, bench, words=words).reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (zoom(9), "no_candidate/9/3"),
        (zoom(3), "no_picture/the_candidate/3"),
        (zoom(0), "no_picture/the_query"),
        (zoom("[1, 2]"), "fewer_pictures/the_candidate/1/1/2"),
        (zoom(1, "[900, 0, 100, 1000]"), "box_empty/[900, 0, 100, 1000]"),
        (zoom(-1), "arguments/wrong_at/target_image/address_range/-1"),
        (zoom("[1]"), "arguments/wrong_at/target_image/address_form/[1]"),
        (zoom(1, "[0, 0, 10]"), "arguments/wrong_at/bbox_2d/too_few/4/3"),
        (zoom(1, "[0, 0, 10, 10, 10]"), "arguments/wrong_at/bbox_2d/too_many/4/5"),
        (zoom(1, "[0.5, 0, 10, 10]"), "arguments/wrong_at/bbox_2d.0/no_integer"),
        (zoom(1, "null"), "arguments/wrong_at/bbox_2d/no_list"),
        (select(), "arguments/wrong_at/target_images/too_few/1/0"),
        (raw('{"name": "zoom_in", "arguments": {}}'), "arguments/wrong_at/target_image/missing"),
        (
            raw('{"name": "select_images", "arguments": {"target_images": [1], "url": "x"}}'),
            "arguments/wrong_at/url/unknown",
        ),
        (compare("[1, 2, 2]", "[[0, 0, 9, 9], [0, 0, 9, 9]]"), "boxes_mismatch/3/2"),
        (raw('{"name": "read_text", "arguments": {"target_image": 1}}'), "no_reader"),
        (raw("?"), "call_json/json_at/json_value/1/1/0"),
        (raw("{'name': 1}"), "call_json/json_at/json_name/1/2/1"),
        (raw('{"name" 1}'), "call_json/json_at/json_colon/1/9/8"),
        (raw('{"name": 1'), "call_json/json_at/json_comma/1/11/10"),
        (raw("{} {}"), "call_json/json_at/json_extra/1/4/3"),
        (raw('{"name'), "call_json/json_at/json_string/1/2/1"),
        (raw('{"na\nme": 1}'), "call_json/json_at/json_control/1/5/4"),
        (raw('{"na\\xme": 1}'), "call_json/json_at/json_escape/1/5/4"),
        (raw('{"na\\u12me": 1}'), "call_json/json_at/json_unicode/1/6/5"),
        (raw('{"name": NaN}'), "call_json/json_constant/NaN"),
        (raw('{"name": 1, "name": 1}'), "call_json/json_keys"),
        (raw('{"name": 1e999}'), "call_json/json_infinite"),
        (raw(f'{{"name": {"9" * 5000}}}'), "call_json/json_digits/4300/5000"),
        (raw(LONE), "call_json/json_surrogate/'\\ud800'/51"),
    ],
)
def test_a_dialect_words_every_part_of_a_refusal(drawn: DrawnFolder, text: str, said: str) -> None:
    assert told(text, drawn, CODES) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"bbox_2d": [0, 0, 9, 9], "target_image": true}', "arguments/wrong_at/target_image/target_kind"),
        ('{"bbox_2d": [0, 0, 9, 9], "target_image": "a"}', "arguments/wrong_at/target_image/target_text/'a'"),
        ('{"bbox_2d": [0, 0, 9, 9], "target_image": -1}', "arguments/wrong_at/target_image/address_range/-1"),
        ('{"bbox_2d": [0, 0, 9, "x"], "target_image": 1}', "arguments/wrong_at/bbox_2d.3/number_text"),
        ('{"bbox_2d": [0, 0, 9, null], "target_image": 1}', "arguments/wrong_at/bbox_2d.3/no_number"),
        ('{"bbox_2d": [0, 0, 9, "inf"], "target_image": 1}', "arguments/wrong_at/bbox_2d.3/not_finite"),
    ],
)
def test_the_released_dialect_words_its_own_arguments(drawn: DrawnFolder, arguments: str, said: str) -> None:
    text = raw(f'{{"name": "crop_image", "arguments": {arguments}}}')
    assert told(text, drawn, CODES, name="released") == said


def test_only_the_dialect_of_thousandths_tells_how_a_box_is_written(drawn: DrawnFolder) -> None:
    ours, theirs = (dialect_named(name).wording.refusals for name in ("vretrver", "released"))
    empty = refusal(RefusalCode.BOX_EMPTY, box=[9, 9, 1, 1])
    assert empty.worded(ours) == (
        "the box [9, 9, 1, 1] is empty or inverted: write [x1, y1, x2, y2] with x1 < x2, y1 < y2"
    )
    assert empty.worded(theirs) == "the box [9, 9, 1, 1] is empty or inverted"


def test_a_picture_whose_reason_names_its_path_is_told_without_it(drawn: DrawnFolder) -> None:
    (drawn.path / "1.png").write_bytes(b"junk")
    assert (told(zoom(1), drawn, CODES) or "").startswith("unavailable/read_reason/")


@pytest.mark.parametrize(("limit", "said"), [(1, "at most 1 call"), (4, "at most 4 calls")])
def test_a_word_follows_its_number(limit: int, said: str) -> None:
    assert refusal(RefusalCode.CALLS_PER_TURN, limit=limit).worded() == f"a turn has {said}"


def test_no_reason_is_a_reason_in_the_dialects_words() -> None:
    assert Refused("").refusal.worded({**WORDS, RefusalCode.NO_REASON: "nein"}) == "nein"


def test_a_detail_is_cut_by_itself() -> None:
    value = detail(DetailCode.ADDRESS_FORM, value="9" * 4000)
    assert len(value.worded(WORDS)) == 160
    assert len(WORDS) == len(RefusalCode) + len(DetailCode)  # no code of one kind is one of the other

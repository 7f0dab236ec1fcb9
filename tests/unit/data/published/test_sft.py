"""Pins V-Retrver's supervised JSON: roles, marks and pictures, and that malformed rows are named by number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vretrver.agent.dialects.released import released
from vretrver.data.published.rows import PathMap
from vretrver.data.published.sft import SftRow, read_sft
from vretrver.errors import DataError
from vretrver.records import ImageRef

USER = "Query:<image>a dress in blueCandidates:(1) <image>(2) a text\n\nGuidelines: Rank them."
ROW: dict[str, object] = {
    "conversations": [
        {"from": "system", "value": "You rank."},
        {"from": "human", "value": USER},
        {"from": "gpt", "value": '<think>?</think><tool_call>{"name": "select_images"}</tool_call>'},
        {"from": "human", "value": "Here it is:\n<image>"},
        {"from": "gpt", "value": "<think>!</think><answer>[2,1]</answer>"},
    ],
    "images": ["/data/q.jpg", "/data/c1.jpg", "/data/c1.jpg"],
}


def read(folder: Path, *rows: object) -> list[SftRow]:
    path = folder / "V-Retrver_SFT.json"
    path.write_text(json.dumps(rows))
    return list(read_sft(path, paths=PathMap(["/data"])))


def picture(path: str) -> ImageRef:
    return ImageRef(path=path, root="/data")


def turns(*speakers: str) -> dict[str, object]:
    return {"conversations": [{"from": name, "value": "x"} for name in speakers], "images": []}


def test_a_conversation_keeps_its_texts_and_deals_the_pictures_to_the_marks(tmp_path: Path):
    (row,) = read(tmp_path, ROW)
    roles = [message.role for message in row.messages]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    assert row.messages[1].text == USER
    assert row.messages[1].pictures == (picture("q.jpg"), picture("c1.jpg"))
    assert row.messages[3].pictures == (picture("c1.jpg"),)
    assert row.messages[4].pictures == ()
    assert row.where.endswith("V-Retrver_SFT.json: row 1")


def test_its_texts_make_a_released_dialect(tmp_path: Path):
    (row,) = read(tmp_path, ROW)
    assert (row.prompt.system_text, row.prompt.guidelines) == ("You rank.", "Rank them.")
    dialect = released(system_text=row.prompt.system_text, guidelines=row.prompt.guidelines)
    assert dialect.wording.system(dialect.tools, dialect.form) == "You rank."


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({**ROW, "images": ["/data/q.jpg"]}, "row 2: 3 <image> marks and 1 pictures; they must be as many"),
        ({**ROW, "images": None}, "row 2: 3 <image> marks and 0 pictures"),
        (
            {**ROW, "images": ["/data/q.jpg", "/data/c.jpg", "/else/c.jpg"]},
            "row 2: picture path '/else/c.jpg' is abs",
        ),
        ({**ROW, "images": "q.jpg"}, "row 2: images must be a list of texts, got 'q.jpg'"),
        ({"images": []}, "row 2: conversations must be a list of objects, got 'None'"),
        (turns(), "row 2: conversations must be .* got none"),
        (turns("human"), "row 2: conversations must be .* got user"),
        (turns("gpt", "human"), "got assistant, user"),
        (turns("human", "system", "gpt"), "got user, system, assistant"),
        (turns("human", "gpt", "human"), "gpt last"),
        (turns("human", "robot"), "row 2: from must be system, human or gpt, got 'robot'"),
        ({"conversations": [{"from": "human", "value": 3}], "images": []}, "row 2: value must be a text, got '3'"),
        ("text", "row 2: must be an object with conversations and images, got a str"),
    ],
)
def test_a_malformed_row_is_named_by_its_number(tmp_path: Path, wrong: object, message: str):
    with pytest.raises(DataError, match=message):
        read(tmp_path, ROW, wrong)


def test_malformed_rows_can_be_left_out_and_reported(tmp_path: Path):
    path = tmp_path / "sft.json"
    path.write_text(json.dumps([turns("gpt"), turns("human", "gpt"), 5]))
    said: list[str] = []
    assert [row.where for row in read_sft(path, refused=said.append)] == [f"{path}: row 2"]
    assert [sentence.split(": ")[1] for sentence in said] == ["row 1", "row 3"]


def test_a_row_without_the_texts_has_no_prompt(tmp_path: Path):
    (row,) = read(tmp_path, turns("human", "gpt"))
    with pytest.raises(DataError, match="row 1: the prompt must begin with a system message"):
        _ = row.prompt
    (row,) = read(tmp_path, turns("system", "human", "gpt"))
    with pytest.raises(DataError, match="row 1: the user message has no section Guidelines:"):
        _ = row.prompt


@pytest.mark.parametrize(
    ("text", "message"),
    [("[{]", r"bad\.json:1: cannot be read as JSON"), ("{}", "must hold a JSON list of conversations, got a dict")],
)
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        list(read_sft(path))

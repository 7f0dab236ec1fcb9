"""Pins the tables that are written into the README: between their comments, from the results there are."""

from __future__ import annotations

import pytest
from measure.results_page import (
    OTHERS,
    complete_block,
    demo_block,
    looks_block,
    shapes_block,
    whole_block,
    with_blocks,
)

ARM = {
    "hit@1": [0.812, 0.75, 0.86],
    "mrr": [0.9, 0.85, 0.94],
    "looks": 3.14,
    "tokens": 700.4,
    "seconds": 0.27,
    "failed": 2,
}
RUN = {
    "queries": 210,
    "pool": 300,
    "coarse": {"hit@1": [0.2, 0.15, 0.26], "hit@20": [1.0, 0.98, 1.0], "mrr": [0.4, 0.36, 0.45]},
    "agent": ARM,
    "agent_without_evidence": {**ARM, "hit@1": [0.21, 0.16, 0.27]},
    "oracle": {**ARM, "hit@1": [1.0, 0.98, 1.0]},
}
DEMO = {"machine": {"cores": 2}, "first": {**RUN, "wall_seconds": 123.4}, "again": {**RUN, "wall_seconds": 15.6}}


def cell(value: float) -> dict[str, object]:
    interval = [value, value - 0.03, value + 0.03]
    costs = {"zooms": 4.46, "selects": 0.154, "tokens": 806.2, "visual_tokens": 261.4, "seconds": 0.322}
    rates = {
        "hit@1": interval,
        "end_to_end_hit@1": interval,
        "mrr": interval,
        "format_valid": 0.99,
        "call_valid": 1.0,
    }
    return {"queries": 500, "guess": 0.21, **rates, **costs}


LOOKS = {
    "coarse": {task: {"hit@1": 0.2, "hit@20": 0.99} for task in ("0", "4", "7")},
    "arms": {
        "agent": {task: {"5": cell(0.95), "20": cell(0.9)} for task in ("0", "4", "7")},
        "fake-looks": {task: {"20": cell(0.24)} for task in ("0", "4", "7")},
    },
}


def test_the_table_of_the_demonstration() -> None:
    block = demo_block(DEMO)
    assert "| agent | 0.812 [0.750, 0.860] | 0.900 [0.850, 0.940] | 3.1 | 700 | 0.27 |" in block
    assert "| coarse stage | 0.200 [0.150, 0.260] | 0.400 [0.360, 0.450] |  |  |  |" in block
    said = " ".join(block.split())
    assert "210 queries over 300 pictures" in said
    assert "for 1.000 of the queries; 2 got no usable answer. The first run took 123 s" in said
    assert all(len(line) <= 118 for line in block.splitlines() if not line.startswith("|"))


@pytest.mark.parametrize("results", [LOOKS, {"command": "x", "results": LOOKS}])
def test_the_table_of_looks_holds_the_arms_there_are_over_the_largest_windows(results: dict[str, object]) -> None:
    lines = looks_block(results).splitlines()
    assert lines[0] == "| hit@1, asked with | text | picture | picture and text |"
    assert lines[2] == "| coarse stage | 0.200 | 0.200 | 0.200 |"
    assert lines[3] == "| a guess among those whose thumbnails fit | 0.210 | 0.210 | 0.210 |"
    assert lines[4].startswith("| the agent | 0.900 [0.870, 0.930] |")
    assert [line.partition("|")[2].partition("|")[0].strip() for line in lines[4:6]] == [
        "the agent",
        "its looks show nothing new",
    ]
    assert "500 queries a column" in lines[7]
    table = lines[lines.index("| text / picture / picture and text; windows of | 5 | 20 |") :]
    assert table[2] == "| hit@1 | 0.950 / 0.950 / 0.950 | 0.900 / 0.900 / 0.900 |"
    assert table[5] == "| calls that are carried out | 1.0000 / 1.0000 / 1.0000 | 1.0000 / 1.0000 / 1.0000 |"
    assert table[6] == "| zooms | 4.5 / 4.5 / 4.5 | 4.5 / 4.5 / 4.5 |"
    assert table[-1] == "| seconds | 0.32 / 0.32 / 0.32 | 0.32 / 0.32 / 0.32 |"


def test_the_table_of_the_other_task_shapes_has_one_in_a_row() -> None:
    arms = {"agent": {task: {"20": {**cell(0.9), "looks": 3.14}} for task in OTHERS}}
    coarse = {task: {"hit@1": 0.2} for task in OTHERS}
    held = {"complete-answers": {task: {"20": {**cell(0.91), "format_valid": 1.0}} for task in OTHERS}}
    free = {"command": "python -m x", "results": {"coarse": coarse, "arms": arms}}
    block = shapes_block(free, {"results": {"arms": held}})
    lines = block.splitlines()
    assert (
        lines[2]
        == "| text: its product sheet, a text | 0.200 | 0.900 [0.870, 0.930] / 0.910 | 0.990 / 1.000 | 3.1 | 0.32 |"
    )
    assert sum(line.startswith("|") for line in lines) == 2 + len(OTHERS)
    said = " ".join(block.split())
    assert (
        "500 queries a row, end to end; exact: answers in the exact format, free and constrained (`python -m x`; "
        in said
    )
    assert said.endswith("constrained: `--name looks_complete_shapes` and `arms=[complete-answers]`).")


def test_the_table_of_whole_pictures_puts_them_beside_the_agent_in_the_same_windows() -> None:
    shown = {task: {"5": {**cell(0.96), "visual_tokens": 2880.0}} for task in ("0", "4", "7")}
    arms = {"whole-taught": shown, "whole-candidates": {task: {"5": cell(0.0)} for task in ("0", "4", "7")}}
    whole = {"config": {"whole_tokens": 576}, "results": {"arms": arms}}
    lines = whole_block(whole, {"results": LOOKS}).splitlines()
    agent, taught = "0.950 [0.920, 0.980]", "0.960 [0.930, 0.990]"
    assert lines[2] == f"| the agent, which looks | {agent} | {agent} | {agent} | 261 / 261 / 261 | 806 / 806 / 806 |"
    assert lines[3].endswith(
        f"without looks | {taught} | {taught} | {taught} | 2,880 / 2,880 / 2,880 | 806 / 806 / 806 |"
    )
    assert lines[6].startswith("500 queries a column, windows of 5 ")
    assert lines[6].endswith("whole pictures take 576 visual tokens each")


def test_the_table_of_complete_answers_has_what_holding_them_changes() -> None:
    arms = {"complete-answers": LOOKS["arms"]["agent"]}
    lines = complete_block({"command": "python -m x", "results": {"arms": arms}}).splitlines()
    assert lines[0] == "| text / picture / picture and text; windows of | 5 | 20 |"
    assert lines[4] == "| answers in the exact format | 0.990 / 0.990 / 0.990 | 0.990 / 0.990 / 0.990 |"
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["hit@1", "MRR", "answers in the exact format"]
    assert lines[6] == "500 queries a figure (`python -m x`)."


def test_tables_stand_between_their_comments_and_twice_is_once() -> None:
    text = "a\n<!-- begin demo -->\nold\n<!-- end demo -->\nb\n<!-- begin looks -->\n<!-- end looks -->\nc\n"
    once = with_blocks(text, {"demo": DEMO})
    assert once.startswith("a\n<!-- begin demo -->\n| stage |")
    assert "old" not in once
    assert once.endswith("<!-- begin looks -->\n<!-- end looks -->\nc\n")
    both = with_blocks(once, {"demo": DEMO, "looks": LOOKS})
    assert with_blocks(both, {"demo": DEMO, "looks": LOOKS}) == both
    with pytest.raises(ValueError, match="no comments <!-- begin looks -->"):
        with_blocks("nothing", {"looks": LOOKS})

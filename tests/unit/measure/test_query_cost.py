"""Pins that docs/models.md says what measure/query_cost.py counts and reckons, and that the count still holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from measure.query_cost import DEVICES, MODELS, SCENARIOS, Cost, Device, Model, count_tokens, reckon_seconds

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "models.md").read_text()
ROWS: list[dict[str, Any]] = json.loads((ROOT / "measure" / "results" / "query_cost.json").read_text())["rows"]


def table_after(words: str) -> list[list[str]]:
    """Return the cells of the rows of the table whose header holds these words."""
    lines = PAGE[PAGE.index(words) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_token_table_is_the_result_file() -> None:
    kept = ("first_prompt", "longest", "read_once", "read_again", "written")
    shown = [[int(cell.replace(",", "")) for cell in row[2:]] for row in table_after("| dialect, pictures |")]
    assert shown == [[row["tokens"][key] for key in kept] for row in ROWS]


def test_the_table_of_seconds_is_the_result_file() -> None:
    wanted = []
    for row, model in ((ROWS[3], "V-Retrver-7B"), (ROWS[1], "Qwen3-VL-8B-Instruct")):
        devices = row["seconds_reckoned"][model].values()
        wanted.append([device[kind]["query"] for device in devices for kind in ("alone", "of 16")])
    assert [[float(cell) for cell in row[1:]] for row in table_after("| seconds of a query")] == wanted


def test_sizes_on_the_page_are_the_models() -> None:
    for model in MODELS:
        assert re.search(
            rf"{model.name}`.*\| {2 * model.parameters / 1e9:.1f} GB \| {model.cache_bytes:,} bytes", PAGE
        )
    for device in DEVICES:
        assert f"{device.name} {device.flops / 1e12:.0f}" in PAGE


def test_the_count_is_still_what_it_was() -> None:
    cost = count_tokens(SCENARIOS[1])
    tokens = ROWS[1]["tokens"]
    assert {name: getattr(cost, name) for name in tokens} == tokens


def test_seconds_follow_from_operations_and_bytes() -> None:
    cost = Cost(windows=1, first_prompt=0, longest=1000, visual=100, written=10, read_once=1000, read_again=0)
    model = Model(name="m", parameters=3e9, vision=1e9, cache_bytes=1_000_000)
    device = Device(name="d", flops=1e13, bandwidth=1e11)
    # 2 x 2e9 x 1000 + 2 x 1e9 x 4 x 100 = 4.8e12 at 4e12 a second; 10 x (4e9 + 1e9) bytes at 6e10 a second
    assert reckon_seconds(cost, model, device) == {"reading": 1.2, "writing": 0.8, "query": 2.0}
    assert reckon_seconds(cost, model, device, at_once=4)["writing"] == 0.3

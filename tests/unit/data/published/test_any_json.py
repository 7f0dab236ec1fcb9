"""Pins that no JSON, however wrong, ends a reader of published files with anything but a DataError."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vretrver.data.published.lamra import read_lamra
from vretrver.data.published.rows import PathMap
from vretrver.data.published.sft import read_sft
from vretrver.errors import DataError

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["", "a", "../a", "<image>"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "value", "x"]), inner),
    max_leaves=8,
)
messages = st.fixed_dictionaries({"from": st.sampled_from(["system", "human", "gpt"]) | values, "value": values})
rows = st.fixed_dictionaries({"conversations": st.lists(messages, max_size=3) | values, "images": values})
quick = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@quick
@given(value=st.lists(rows | values, max_size=3) | values)
def test_sft(tmp_path: Path, value: object):
    path = tmp_path / "sft.json"
    path.write_text(json.dumps(value))
    with suppress(DataError):
        for row in read_sft(path, paths=PathMap(["/d"])):
            assert row.messages[-1].role == "assistant"
            assert all(len(message.pictures) == message.text.count("<image>") for message in row.messages)


@quick
@given(three=st.tuples(*[st.lists(st.lists(scalars | st.lists(scalars), max_size=3) | scalars, max_size=2)] * 3))
def test_lamra(tmp_path: Path, three: tuple[object, object, object]):
    for ending, value in zip(("query_names", "cand_names", "scores"), three, strict=True):
        (tmp_path / f"x_{ending}.json").write_text(json.dumps(value))
    with suppress(DataError):
        read_lamra(tmp_path / "x_scores.json")


@pytest.mark.parametrize("text", ["[" * 100_000, "[]]", '["\\ud800"]'])
def test_texts_that_break_parsers(tmp_path: Path, text: str):
    path = tmp_path / "sft.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError):
        list(read_sft(path))

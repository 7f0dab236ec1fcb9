"""Pins how configurations are read: what counts over what, and that nothing unknown passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from vretrver.config import Section, config_hash, load_config, resolved
from vretrver.errors import ConfigError


class Data(Section):
    """A part."""

    seed: int = 1
    items: int = 5


class Run(Section):
    """A whole."""

    steps: int = 10
    data: Data = Data()
    tags: tuple[str, ...] = ()


def test_an_option_counts_over_the_environment_over_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("steps: 2\ndata: {seed: 2, items: 2}\n")
    environ = {"VRETRVER_DATA__SEED": "3", "VRETRVER_DATA__ITEMS": "3"}
    found = load_config(tmp_path / "c.yaml", Run, sets=["data.items=4"], environ=environ)
    assert found == Run(steps=2, data=Data(seed=3, items=4), tags=())


def test_values_of_options_are_yaml() -> None:
    assert load_config(None, Run, sets=["tags=[a, b]", "data={seed: 7}"], environ={}).tags == ("a", "b")
    assert load_config(None, Run, sets=["tags=[a, b]", "data={seed: 7}"], environ={}).data.seed == 7


def test_variables_of_the_environment_that_are_no_key_of_it_are_passed_over() -> None:
    environ = {"VRETRVER_API_KEY": "x", "VRETRVER_OTHER__SEED": "9", "STEPS": "9"}
    assert load_config(None, Run, environ=environ) == Run()


@pytest.mark.parametrize(
    ("text", "sets", "said"),
    [
        ("stepz: 3", [], r"c\.yaml: unknown key stepz, got '3'"),
        ("data: {seed: one}", [], r"c\.yaml: data\.seed: .*got 'one'"),
        ("steps: 3", ["data.sead=1"], "data.sead"),
        ("steps: 3", ["steps"], "--set steps: write key=value"),
        ("steps: 3", ["steps.more=1"], "--set steps.more=1: steps is not a mapping"),
        ("steps: 3", ["steps=[1"], r"--set steps=\[1: the value is not valid YAML"),
        ("- 3", [], "a configuration is a mapping of keys to values, got list"),
        ("a: [", [], "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, sets: list[str], said: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(tmp_path / "c.yaml", Run, sets=sets, environ={})
    assert "\n" not in str(caught.value)


class Free(Section):
    """A part that is passed on as it is."""

    values: dict[str, object] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-8", 1e-8),
        ("1e-2", 0.01),
        ("1E5", 100000.0),
        ("-2.5e3", -2500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("3", 3),
        ("-7", -7),
        ("1_000", 1000),
        ("0x10", 16),
        ("1:30", "1:30"),
        ("010", "010"),
        ("1.2.3", "1.2.3"),
        ("e5", "e5"),
        ("no", False),
        (".inf", float("inf")),
    ],
)
def test_numbers_are_read_as_people_write_them(tmp_path: Path, text: str, value: object) -> None:
    (tmp_path / "c.yaml").write_text(f"values:\n  key: {text}\n")
    for found in (
        load_config(tmp_path / "c.yaml", Free, environ={}),
        load_config(None, Free, sets=[f"values.key={text}"], environ={}),
    ):
        assert (found.values["key"], type(found.values["key"])) == (value, type(value))


def test_a_text_that_looks_like_a_number_is_still_a_text_in_the_resolved_file(tmp_path: Path) -> None:
    config = Free(values={"a": "1e-8", "b": "1:30", "c": 1e-8, "d": "010"})
    (tmp_path / "c.yaml").write_text(resolved(config))
    assert load_config(tmp_path / "c.yaml", Free, environ={}) == config


def test_a_key_that_appears_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("data:\n  seed: 1\n  items: 2\n  seed: 3\n")
    with pytest.raises(ConfigError, match=r"c\.yaml:4: not valid YAML \(the key 'seed' appears twice\)"):
        load_config(tmp_path / "c.yaml", Run, environ={})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_configuration_may_begin_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "c.yaml").write_text("steps: 3\r\ntags: [größe]\r\n", encoding=encoding)
    assert load_config(tmp_path / "c.yaml", Run, environ={}) == Run(steps=3, tags=("größe",))


def test_an_unknown_key_in_the_environment_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"data\.sead"):
        load_config(None, Run, environ={"VRETRVER_DATA__SEAD": "3"})


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml", Run, environ={})


def test_the_resolved_file_reads_back_as_the_same_configuration(tmp_path: Path) -> None:
    config = Run(steps=4, tags=("a",))
    (tmp_path / "c.yaml").write_text(resolved(config))
    again = load_config(tmp_path / "c.yaml", Run, environ={})
    assert again == config
    assert config_hash(again) == config_hash(config)
    assert config_hash(config) != config_hash(Run())
    assert resolved(Run()) == "steps: 10\ndata:\n  seed: 1\n  items: 5\ntags: []\n"

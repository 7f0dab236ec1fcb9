"""Pins how configurations are read: what counts over what, and that nothing unknown passes."""

from __future__ import annotations

from pathlib import Path

import pytest

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
        ("stepz: 3", [], r"c\.yaml: stepz: Extra inputs are not permitted, got '3'"),
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

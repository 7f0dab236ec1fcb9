"""Pins what an agent is told and shown: by its spec, else its model's folder, else the dialect."""

from __future__ import annotations

import pytest
from tests.tiny_models import folder_of

from vretrver.agent.dialects import dialect_named
from vretrver.agent.dialects.released import released
from vretrver.assembly.spec import AgentSpec, ViewsSpec
from vretrver.assembly.told import config_of
from vretrver.errors import ConfigError
from vretrver.geometry import PixelBudget
from vretrver.world.tiny.views import VIEWS


def test_sizes_follow_the_folder_and_otherwise_the_dialect() -> None:
    shipped, script = config_of(AgentSpec(policy="shipped")), config_of(AgentSpec())
    assert (shipped.dialect.name, shipped.views) == ("vretrver", VIEWS)
    assert script.views == dialect_named("vretrver").views
    other = config_of(AgentSpec(policy=f"local:{folder_of('qwen2_5_vl')}")).views
    assert other is not None
    assert other.candidate == PixelBudget(cell=28, tokens=64)


def test_sizes_of_the_spec_count_over_those_of_the_folder_on_its_cell() -> None:
    folder = f"local:{folder_of('qwen2_5_vl')}"
    views = config_of(AgentSpec(policy=folder, views=ViewsSpec(candidate=9, text_chars=50))).views
    assert views is not None
    assert (views.candidate, views.text_chars) == (PixelBudget(cell=28, tokens=9), 50)
    assert views.query == PixelBudget(cell=28, tokens=256)


def test_answers_change_the_form_and_none_leaves_it() -> None:
    assert config_of(AgentSpec()).dialect == dialect_named("vretrver")
    assert config_of(AgentSpec(answers="ranking-or-none")).dialect.form.name == "ranking-or-none"
    with pytest.raises(ConfigError, match="released has one form of answer, ranking, not ranking-or-none"):
        config_of(AgentSpec(answers="ranking-or-none"), dialect=released(system_text="published"))


def test_a_spec_without_values_is_the_configuration_without_values() -> None:
    from vretrver.agent.config import AgentConfig

    assert config_of(AgentSpec()).sha256 == AgentConfig().sha256


def test_tools_are_off_unless_a_spec_turns_them_on() -> None:
    default = config_of(AgentSpec())
    assert [tool.name for tool in default.dialect.tools] == ["select_images", "zoom_in"]
    more = config_of(AgentSpec(tools=("select_images", "zoom_in", "read_text", "compare")))
    assert [tool.name for tool in more.dialect.tools] == ["select_images", "zoom_in", "read_text", "compare"]
    assert more.sha256 != default.sha256
    assert config_of(AgentSpec(tools=("select_images", "zoom_in"))).sha256 == default.sha256


def test_the_hash_of_the_default_configuration_changes_on_purpose_only() -> None:
    """Records, journals of runs and folders go by it; last changed when the details of refusals came into it."""
    assert config_of(AgentSpec()).sha256 == "fd29c2c7f6aafab4c539a32cfd991540cd628f4b4dd147b7b3a1badbfe6be80a"


@pytest.mark.parametrize("dialect", ["released", "vretrver/no-tools"])
def test_tools_are_of_the_default_dialect(dialect: str) -> None:
    with pytest.raises(
        ConfigError, match=f"dialect {dialect} has its own tools; tools are chosen for vretrver alone"
    ):
        config_of(AgentSpec(dialect=dialect, tools=("read_text",)))


def test_the_reader_reads_and_may_say_that_none_fits() -> None:
    dialect = config_of(AgentSpec(policy="reader")).dialect
    assert (dialect.name, [tool.name for tool in dialect.tools]) == ("vretrver/reading", ["read_text"])
    assert (dialect.form.name, dialect.calls_per_turn) == ("ranking-or-none", 20)
    assert config_of(AgentSpec(policy="reader", dialect="vretrver")).dialect == dialect_named("vretrver")

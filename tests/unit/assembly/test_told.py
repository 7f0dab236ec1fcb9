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

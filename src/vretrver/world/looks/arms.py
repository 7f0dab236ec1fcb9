"""The arms: which model ranks, what it is shown, and what its looks return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...agent.ablation import without_evidence
from ...agent.bench import Views
from ...agent.dialect import Dialect
from ...agent.dialects.vretrver import vretrver
from ...agent.tools import SelectImages
from ...errors import ConfigError
from ...geometry import Box
from ..tiny.views import VIEWS, shown_at
from .config import ArmName, LooksConfig
from .tools import OracleZoom

Model = Literal["agent", "twin", "taught"]
"""A key of the configuration that names a model's folder."""

_MODELS: dict[Model, str] = {
    "agent": "the agent",
    "twin": "the twin without tools",
    "taught": "an agent trained on whole pictures",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to rank."""

    name: ArmName
    """Its name."""
    folder: Path
    """The model that ranks."""
    dialect: Dialect
    """Texts, tools and rules."""
    views: Views
    """At what size pictures are shown."""
    complete: bool
    """Constrain answers to naming every candidate once."""


def arm_named(name: ArmName, config: LooksConfig, labels: Mapping[str, Box]) -> Arm:
    """Return an arm.

    Args:
        name: which.
        config: the experiment.
        labels: picture path -> where its label is.

    Raises:
        ConfigError: the arm needs a model that the configuration does not name.
    """
    looking, blind = vretrver(), vretrver(tools=False)
    whole, larger = shown_at(config.whole_tokens), shown_at(config.larger_tokens)
    arms: dict[ArmName, tuple[Model, Dialect, Views]] = {
        "agent": ("agent", looking, VIEWS),
        "oracle-boxes": ("agent", replace(looking, tools=(SelectImages(), OracleZoom(labels=labels))), VIEWS),
        "fake-looks": ("agent", without_evidence(looking), VIEWS),
        "complete-answers": ("agent", looking, VIEWS),
        "whole-candidates": ("agent", looking, whole),
        "whole-taught": ("taught", blind, whole),
        "no-tools": ("twin", blind, VIEWS),
        "larger-thumbnails": ("twin", blind, larger),
    }
    model, dialect, views = arms[name]
    folder: Path | None = getattr(config, model)
    if folder is None:
        raise ConfigError(f"the arm {name} ranks with {_MODELS[model]}; name its folder with {model}")
    return Arm(name=name, folder=folder, dialect=dialect, views=views, complete=name == "complete-answers")

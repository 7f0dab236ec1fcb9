"""The arms: which model ranks, what it is shown, and what its looks return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...agent.ablation import without_evidence
from ...agent.bench import Views
from ...agent.dialect import Dialect
from ...agent.dialects.vretrver import vretrver
from ...agent.tools import SelectImages
from ...errors import ConfigError
from ...geometry import Box, PixelBudget
from ...models.tiny.views import VIEWS
from .config import ArmName, LooksConfig
from .tools import OracleZoom


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to rank."""

    name: ArmName
    """Its name."""
    twin: bool
    """Whether the twin without tools ranks, not the agent."""
    dialect: Dialect
    """What the model is told, and what its calls do."""
    views: Views
    """At what size pictures are shown."""


def arm_named(name: ArmName, config: LooksConfig, labels: Mapping[str, Box]) -> Arm:
    """Return an arm.

    Args:
        name: which.
        config: the experiment.
        labels: picture path -> where its label is.

    Raises:
        ConfigError: the arm needs the twin, and the configuration names none.
    """
    looking, blind = vretrver(), vretrver(tools=False)
    whole = PixelBudget(tokens=config.whole_tokens)
    larger = PixelBudget(tokens=config.larger_tokens)
    arms = {
        "agent": (False, looking, VIEWS),
        "oracle-boxes": (False, replace(looking, tools=(SelectImages(), OracleZoom(labels=labels))), VIEWS),
        "fake-looks": (False, without_evidence(looking), VIEWS),
        "whole-candidates": (False, looking, replace(VIEWS, query=whole, candidate=whole)),
        "no-tools": (True, blind, VIEWS),
        "larger-thumbnails": (True, blind, replace(VIEWS, query=larger, candidate=larger)),
    }
    twin, dialect, views = arms[name]
    if twin and config.twin is None:
        raise ConfigError(f"the arm {name} ranks with the twin without tools; name its folder with twin")
    return Arm(name=name, twin=twin, dialect=dialect, views=views)

"""What an agent is, as data: read from YAML, environment and command line, and sent to any process.

Keys of servers are never part of it; they stay in environment variables of the process that opens the agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from .._validation import first_problem
from ..agent.bench import Views
from ..agent.budget import Budget
from ..agent.policy import Sampling
from ..agent.reranker import WORKERS
from ..config import Section, load_config
from ..errors import ConfigError
from ..geometry import PixelBudget, SizeRule
from ..policies.named import LocalOptions
from .plans import PlanSpec, ReferencePlan

SECTION = "agent"
"""Environment variables are named `VRETRVER_AGENT__BUDGET__SECONDS`."""


class ViewsSpec(Section):
    """Sizes of pictures in visual tokens; None leaves what the model's folder or the dialect says."""

    query: int | None = Field(default=None, ge=1)
    """Pictures of the query."""
    candidate: int | None = Field(default=None, ge=1)
    """Pictures of candidates in the prompt."""
    select: int | None = Field(default=None, ge=1)
    """Whole pictures a look returns."""
    zoom: int | None = Field(default=None, ge=1)
    """Regions a look returns."""
    text_chars: int | None = Field(default=None, ge=1)
    """Most characters shown of one text."""

    def over(self, views: Views) -> Views:
        """Return views with these sizes in them, on the cell that the views have."""

        def rule(tokens: int | None, before: SizeRule) -> SizeRule:
            return before if tokens is None else PixelBudget(cell=before.cell, tokens=tokens)

        return Views(
            query=rule(self.query, views.query),
            candidate=rule(self.candidate, views.candidate),
            select=rule(self.select, views.select),
            zoom=rule(self.zoom, views.zoom),
            text_chars=views.text_chars if self.text_chars is None else self.text_chars,
        )


class AgentSpec(Section):
    """An agent: what ranks, what it is told and shown, in which windows, and what that may cost."""

    policy: str = "first-k"
    """What writes the turns, as in `policies.named.NAMES`."""
    model: str | None = None
    """The model of a server; None takes it from VRETRVER_MODEL."""
    local: LocalOptions | None = None
    """How a model folder is run; None is its defaults, and the only value for other policies."""
    dialect: str | None = None
    """What the model is told; None takes what its folder says, else `vretrver`."""
    answers: Literal["ranking", "ranking-or-none"] | None = None
    """What an answer is: an order, or an order that may be marked as having nothing that fits; None is the dialect's.
    """
    tools: tuple[Literal["select_images", "zoom_in", "read_text", "compare"], ...] | None = Field(
        default=None, min_length=1
    )
    """What the agent may call, of the default dialect; None is what the dialect offers by itself."""
    views: ViewsSpec | None = None
    """Sizes of pictures; None takes what the model's folder says, else the dialect's."""
    plan: PlanSpec = ReferencePlan()
    """Which windows there are."""
    sampling: Sampling = Sampling()
    """How completions are drawn."""
    complete_answers: bool = True
    """Constrain answers to naming every candidate once, where the policy can."""
    budget: Budget = Budget()
    """What one query may cost."""
    roots: dict[str, str] = Field(default_factory=dict)
    """Root name -> folder, or URL of a store, where pictures are read; without the empty name it is the working
    directory."""
    journal: Path | None = None
    """File in which turns are kept, so that a run that was killed pays for none of them twice."""
    workers: int = Field(default=WORKERS, ge=0)
    """Threads that open pictures and run tools; 0 does both on the thread that ranks."""

    def with_values(self, values: Mapping[str, Any]) -> AgentSpec:
        """Return the spec with values in place of its own; sections are merged, a plan is replaced.

        Args:
            values: key, or `section.key`, -> value.

        Raises:
            ConfigError: a value is wrong.
        """
        merged = self.model_dump()
        for name, value in values.items():
            section, _, key = name.partition(".")
            if key:
                merged[section] = {**(merged.get(section) or {}), key: value}
            else:
                merged[section] = value
        try:
            return AgentSpec.model_validate(merged)
        except ValidationError as error:
            raise ConfigError(f"agent: {first_problem(error, whole='the options', value=True)}") from error


def agent_spec(
    file: Path | None = None,
    *,
    sets: Sequence[str] = (),
    values: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> AgentSpec:
    """Return the spec of a file, with what the environment and the command line say instead.

    Args:
        file: YAML; None starts from the defaults.
        sets: overrides `a.b=value`, the value in YAML.
        values: overrides that count over all others, as of `AgentSpec.with_values`.
        environ: environment; None takes the process's. Variables are named `VRETRVER_AGENT__SAMPLING__SEED`.

    Raises:
        ConfigError: naming the file or override, the key, and what is wrong.
    """
    spec = load_config(file, AgentSpec, sets=sets, environ=environ, section=SECTION)
    return spec.with_values(values) if values else spec

"""What an agent is told and shown: by its spec, else by its model's folder, else by the dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..agent.answers import FORMS
from ..agent.bench import Views
from ..agent.config import AgentConfig
from ..agent.dialect import Dialect
from ..agent.dialects import dialect_named
from ..agent.dialects.vretrver import offering
from ..errors import ConfigError
from ..models.agent_recipe import AgentRecipe, agent_recipe_of, views_for
from ..policies.named import model_folder
from .spec import AgentSpec

DIALECTS = {"reader": "vretrver/reading"}
"""Policy -> the dialect it is written for, where that is not the default."""

_OWN_ANSWERS = ("released",)
"""Dialects whose texts tell one form of answer, whatever is configured."""


def config_of(spec: AgentSpec, *, dialect: Dialect | None = None, views: Views | None = None) -> AgentConfig:
    """Return the configuration of the reranker that a spec describes.

    Args:
        spec: the agent.
        dialect: what the model is told, where a name does not say it, as with the texts of a published file.
        views: sizes where neither spec nor folder says any; None is the dialect's.

    Raises:
        ConfigError: the dialect is unknown, or does not know the form of answer or the tools, or the policy's folder
            cannot be used.
    """
    chosen = _answering(dialect or dialect_named(dialect_name(spec)), spec.answers)
    chosen = _offering(chosen, spec.tools)
    return AgentConfig(
        dialect=chosen,
        views=views_of(spec, views or chosen.views),
        planner=spec.plan.planner(),
        sampling=spec.sampling,
        complete_answers=spec.complete_answers,
        budget=spec.budget,
    )


def dialect_name(spec: AgentSpec) -> str:
    """Return the name of the dialect of a spec: its own, else its policy's, else its model's folder's, or `vretrver`.

    Raises:
        ConfigError: the policy's folder cannot be used.
    """
    if spec.dialect is not None:
        return spec.dialect
    if spec.policy in DIALECTS:
        return DIALECTS[spec.policy]
    recipe = _recipe(spec.policy)
    return "vretrver" if recipe is None else recipe.dialect


def views_of(spec: AgentSpec, default: Views) -> Views:
    """Return at what size pictures are shown.

    Args:
        spec: the agent; sizes it names count over everything.
        default: sizes where the policy's folder says none, brought onto the cell of its model.

    Raises:
        ConfigError: the policy's folder cannot be used.
    """
    recipe, folder = _recipe(spec.policy), model_folder(spec.policy)
    views = default
    if folder is not None:
        views = recipe.views if recipe is not None else views_for(folder, default)
    return views if spec.views is None else spec.views.over(views)


def _answering(dialect: Dialect, answers: str | None) -> Dialect:
    """Return a dialect with a form of answer; None leaves the one it has."""
    if answers is None or answers == dialect.form.name:
        return dialect
    if dialect.name in _OWN_ANSWERS:
        raise ConfigError(f"dialect {dialect.name} has one form of answer, {dialect.form.name}, not {answers}")
    return replace(dialect, form=FORMS[answers])


def _offering(dialect: Dialect, tools: Sequence[str] | None) -> Dialect:
    """Return a dialect with the tools that are named; None leaves those it has."""
    if tools is None:
        return dialect
    if not dialect.name.startswith("vretrver") or not dialect.tools:
        raise ConfigError(f"dialect {dialect.name} has its own tools; tools are chosen for vretrver alone")
    return offering(dialect, tools)


def _recipe(policy: str) -> AgentRecipe | None:
    folder = model_folder(policy)
    return None if folder is None else agent_recipe_of(folder)

"""How the agent in a folder was trained: the dialect, and the size at which it was shown pictures.

Written beside the weights by whatever trains an agent. A published checkpoint has no such file: it is shown what the
dialect prescribes, at sizes that are multiples of its own cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..agent.bench import Views
from ..files import replace_file
from ..geometry import PixelBudget, SizeRule, SmartResize
from .folder import open_folder
from .recipe_file import budget_tokens, read_recipe, recipe_text

RECIPE_FILE = "vretrver_agent.json"
"""Name of the file in a model's folder."""

FORMAT = 1
"""Version of the file."""

ROLES = ("query", "candidate", "select", "zoom")
"""Fields of `Views` that hold sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecipe:
    """How an agent was trained, and is to be used."""

    dialect: str
    """Name of the dialect."""
    views: Views
    """At what size pictures were shown, and how much of a text."""

    def to_json(self) -> str:
        """Return the content of the file; the cell is the model's own and is not written.

        Raises:
            ConfigError: a size is not a pixel budget.
        """
        tokens = {role: budget_tokens(getattr(self.views, role), role) for role in ROLES}
        fields = {"dialect": self.dialect, "visual_tokens": tokens, "text_chars": self.views.text_chars}
        return recipe_text(fields, version=FORMAT)


def write_agent_recipe(folder: Path, recipe: AgentRecipe) -> None:
    """Write the file into an agent's folder; raises ConfigError when a size is not a pixel budget."""
    replace_file(folder / RECIPE_FILE, recipe.to_json().encode())


def agent_recipe_of(folder: Path) -> AgentRecipe | None:
    """Return the recipe in an agent's folder, None where it has none.

    Raises:
        ConfigError: the folder holds no model that can be run, or its file is damaged.
    """

    def parsed(value: Mapping[str, Any]) -> AgentRecipe:
        cell = open_folder(folder).geometry.cell
        rules = {role: PixelBudget(cell=cell, tokens=int(value["visual_tokens"][role])) for role in ROLES}
        return AgentRecipe(dialect=str(value["dialect"]), views=Views(**rules, text_chars=int(value["text_chars"])))

    return read_recipe(folder / RECIPE_FILE, parsed, version=FORMAT)


def views_for(folder: Path, views: Views) -> Views:
    """Return views whose sizes are multiples of the cell of a folder's model, with the same visual tokens.

    Raises:
        ConfigError: the folder holds no model that can be run.
    """
    cell = open_folder(folder).geometry.cell
    rules: dict[str, Any] = {role: _on_cell(getattr(views, role), cell) for role in ROLES}
    return replace(views, **rules)


def _on_cell(rule: SizeRule, cell: int) -> SizeRule:
    return replace(rule, cell=cell) if isinstance(rule, PixelBudget | SmartResize) else rule

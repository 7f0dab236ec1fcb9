"""What an agent's folder says of how it was trained: the dialect, and at what size it was shown pictures.

Written beside the weights by whatever trains an agent. A published checkpoint has no such file: it is shown what the
dialect says, at sizes that are multiples of its own cell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..agent.bench import Views
from ..errors import ConfigError
from ..files import replace_file
from ..geometry import PixelBudget, SizeRule, SmartResize
from .folder import open_folder

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
            ConfigError: a size is no pixel budget.
        """
        tokens: dict[str, int] = {}
        for role in ROLES:
            rule = getattr(self.views, role)
            if not isinstance(rule, PixelBudget):
                raise ConfigError(f"a recipe is written with pixel budgets only, {role} has {rule}")
            tokens[role] = rule.tokens
        value = {
            "format": FORMAT,
            "dialect": self.dialect,
            "visual_tokens": tokens,
            "text_chars": self.views.text_chars,
        }
        return json.dumps(value, indent=2) + "\n"


def write_agent_recipe(folder: Path, recipe: AgentRecipe) -> None:
    """Write the file into an agent's folder; raises ConfigError when a size is no pixel budget."""
    replace_file(folder / RECIPE_FILE, recipe.to_json().encode())


def agent_recipe_of(folder: Path) -> AgentRecipe | None:
    """Return what an agent's folder says, None where it says nothing.

    Raises:
        ConfigError: the folder holds no model that can be run, or its file is damaged.
    """
    path = folder / RECIPE_FILE
    if not path.is_file():
        return None
    cell = open_folder(folder).geometry.cell
    try:
        value: Mapping[str, Any] = json.loads(path.read_bytes())
        if value["format"] != FORMAT:
            raise ConfigError(f"{path}: format {value['format']}, but this version reads {FORMAT}; train again")
        rules = {role: PixelBudget(cell=cell, tokens=int(value["visual_tokens"][role])) for role in ROLES}
        return AgentRecipe(dialect=str(value["dialect"]), views=Views(**rules, text_chars=int(value["text_chars"])))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path}: is damaged ({error}); train again, or copy the file again") from error


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

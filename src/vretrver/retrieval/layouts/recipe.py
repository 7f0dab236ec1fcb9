"""What an encoder's folder says of how it was trained: layout, size of pictures, cut of texts.

Written by `vretrver train embed` beside the weights. A published checkpoint has no such file: its layout's own sizes
hold then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ...errors import ConfigError
from ...geometry import PixelBudget, SizeRule, SmartResize
from .wording import Wording

RECIPE_FILE = "vretrver_encoder.json"
"""Name of the file in a model's folder."""

FORMAT = 1
"""Version of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How items are given to an encoder."""

    layout: str
    """Name of the layout."""
    pictures: SizeRule
    """At what size pictures are shown."""
    text_tokens: int
    """Tokens of an item's texts that are kept."""

    def to_json(self) -> str:
        """Return the content of the file; the cell is the model's own and is not written."""
        rule = self.pictures
        if not isinstance(rule, PixelBudget):
            raise ConfigError(f"a recipe is written with a pixel budget only, got {rule}")
        value = {
            "format": FORMAT,
            "layout": self.layout,
            "picture_tokens": rule.tokens,
            "text_tokens": self.text_tokens,
        }
        return json.dumps(value, indent=2) + "\n"


def recipe_of(folder: Path, wording: Wording, *, cell: int) -> Recipe:
    """Return a folder's recipe, or its layout's own where the folder has none.

    Raises:
        ConfigError: the folder was trained in another layout, or its file is damaged.
    """
    path = folder / RECIPE_FILE
    if not path.is_file():
        rule = SmartResize(cell=cell, least_tokens=wording.least_tokens, tokens=wording.picture_tokens)
        return Recipe(layout=wording.name, pictures=rule, text_tokens=wording.text_tokens)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise ConfigError(f"{path}: format {value['format']}, but this version reads {FORMAT}; train again")
        recipe = Recipe(
            layout=str(value["layout"]),
            pictures=PixelBudget(cell=cell, tokens=int(value["picture_tokens"])),
            text_tokens=int(value["text_tokens"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path}: is damaged ({error}); train again, or copy the file again") from error
    if recipe.layout != wording.name:
        raise ConfigError(f"{folder}: was trained in the layout {recipe.layout}; name it {recipe.layout}:{folder}")
    return recipe

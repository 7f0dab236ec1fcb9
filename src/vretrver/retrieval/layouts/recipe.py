"""How the encoder in a folder was trained: layout, size of pictures, length of texts.

Written by `vretrver train embed` beside the weights. A published checkpoint has no such file; it
gets the sizes of its layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConfigError
from ...geometry import PixelBudget, SizeRule, SmartResize
from ...models.recipe_file import budget_tokens, read_recipe, recipe_text
from .templates import PromptTemplate

RECIPE_FILE = "vretrver_encoder.json"
"""Name of the file in a model's folder."""

FORMAT = 1
"""Version of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRecipe:
    """How items are given to an encoder."""

    layout: str
    """Name of the layout."""
    pictures: SizeRule
    """Size at which pictures are shown."""
    text_tokens: int
    """Tokens of an item's texts that are kept."""

    def to_json(self) -> str:
        """Return the content of the file; raises ConfigError when the size is not a pixel budget."""
        tokens = budget_tokens(self.pictures, "pictures")
        fields = {"layout": self.layout, "picture_tokens": tokens, "text_tokens": self.text_tokens}
        return recipe_text(fields, version=FORMAT)


def encoder_recipe_of(folder: Path, template: PromptTemplate, *, cell: int) -> EncoderRecipe:
    """Return a folder's recipe, or its layout's own where the folder has none.

    Raises:
        ConfigError: the folder was trained in another layout, or its file is damaged.
    """

    def parsed(value: Mapping[str, Any]) -> EncoderRecipe:
        return EncoderRecipe(
            layout=str(value["layout"]),
            pictures=PixelBudget(cell=cell, tokens=int(value["picture_tokens"])),
            text_tokens=int(value["text_tokens"]),
        )

    recipe = read_recipe(folder / RECIPE_FILE, parsed, version=FORMAT)
    if recipe is None:
        rule = SmartResize(cell=cell, least_tokens=template.least_tokens, tokens=template.picture_tokens)
        return EncoderRecipe(layout=template.name, pictures=rule, text_tokens=template.text_tokens)
    if recipe.layout != template.name:
        raise ConfigError(f"{folder}: was trained in the layout {recipe.layout}; name it {recipe.layout}:{folder}")
    return recipe

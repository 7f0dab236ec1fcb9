"""Recipe files: what a model folder trained here says of how it was trained, one JSON object with a format number.

`agent_recipe` and the layouts of encoders each have a file and fields of their own; both are written and read here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigError
from ..geometry import PixelBudget, SizeRule

T = TypeVar("T")


def recipe_text(fields: Mapping[str, object], *, version: int) -> str:
    """Return the content of a recipe file.

    Args:
        fields: what it says.
        version: version of the file's format.
    """
    return json.dumps({"format": version, **fields}, indent=2) + "\n"


def read_recipe(path: Path, parse: Callable[[Mapping[str, Any]], T], *, version: int) -> T | None:
    """Return the recipe in a file, None where the folder has none.

    Args:
        path: the file.
        parse: makes the recipe of the file's object; KeyError, TypeError and ValueError mean that it is damaged.
        version: the only version of the format that is read.

    Raises:
        ConfigError: the file has another format, or is damaged.
    """
    if not path.is_file():
        return None
    try:
        value: Mapping[str, Any] = json.loads(path.read_bytes())
        if value["format"] != version:
            raise ConfigError(f"{path}: format {value['format']}, but this version reads {version}; train again")
        return parse(value)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path}: is damaged ({error}); train again, or copy the file again") from error


def budget_tokens(rule: SizeRule, name: str) -> int:
    """Return the visual tokens of a pixel budget, the one kind of size rule that recipes keep.

    Its cell is the model's own and is not written.

    Raises:
        ConfigError: it is another kind of rule; the message calls it `name`.
    """
    if not isinstance(rule, PixelBudget):
        raise ConfigError(f"a recipe is written with pixel budgets only, {name} has {rule}")
    return rule.tokens

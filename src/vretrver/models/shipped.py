"""The small models that lie in the package: an agent and an encoder, trained on the drawn catalogue alone.

They are for the demonstration, for tests, and to try commands out with a learned model: a picture that is not of the
catalogue means nothing to them. `make models` makes them again.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError

SHIPPED = "shipped"
"""What they are named by on the command line, as a policy and as an encoder."""

AGENT, ENCODER = "agent", "encoder"
"""Their folders."""

LAYOUT = "lamra"
"""The encoder's layout."""

KNOWN = "the shipped models know the drawn catalogue only; here they show how things work, not how well"
"""What a command says when they are used on anything else."""

_NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json")

_RECIPES = {AGENT: "vretrver_agent.json", ENCODER: "vretrver_encoder.json"}
"""How each was trained, and is to be used."""


def shipped_folder(name: str) -> Path:
    """Return the folder of a shipped model, in hub layout.

    Args:
        name: `AGENT` or `ENCODER`.

    Raises:
        ConfigError: this copy of the package lacks it.
    """
    folder = Path(__file__).parents[1] / SHIPPED / name
    lacking = [needed for needed in (*_NEEDED, _RECIPES[name]) if not (folder / needed).is_file()]
    if lacking:
        raise ConfigError(
            f"{folder}: the shipped {name} is not there ({lacking[0]} is missing); it is for the demonstration on "
            "the drawn catalogue: make it with `make models`, or install a release"
        )
    return folder

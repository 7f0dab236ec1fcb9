"""The small models shipped with the package: an agent and an encoder, trained on the drawn catalogue alone.

They are for the demonstration, for tests, and to try commands out with a learned model: pictures from
elsewhere mean nothing to them. `make models` trains them again.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError

SHIPPED = "shipped"
"""Their name on the command line, as a policy and as an encoder."""

AGENT, ENCODER = "agent", "encoder"
"""Their folders."""

LAYOUT = "lamra"
"""The encoder's layout."""

KNOWN = (
    "the shipped models know the drawn catalogue only; on anything else they demonstrate the code path, not quality"
)
"""What a command says when they are used on anything else."""

_NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json")

_RECIPES = {AGENT: "vretrver_agent.json", ENCODER: "vretrver_encoder.json"}
"""Recipe file of each."""


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

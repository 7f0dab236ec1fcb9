"""Policies by name, as the command line and configuration files write them."""

from __future__ import annotations

from pathlib import Path

from ..agent.policy import Policy
from ..errors import ConfigError, DataError
from .scripted import first_k, misbehaving, replay, shuffled

NAMES = "first-k, random[:SEED], misbehaving[:SEED], replay:FILE"
"""What can be named."""


def policy_named(spec: str) -> Policy:
    """Return a policy for `name` or `name:argument`.

    Raises:
        ConfigError: the name is unknown or its argument is not what it takes.
        DataError: a recording cannot be read.
    """
    name, _, argument = spec.partition(":")
    if name == "first-k" and not argument:
        return first_k()
    if name == "random":
        return shuffled(_seed(spec, argument))
    if name == "misbehaving":
        return misbehaving(_seed(spec, argument))
    if name == "replay" and argument:
        return replay(_turns(Path(argument)))
    raise ConfigError(f"unknown policy {spec!r}; policies are {NAMES}")


def _seed(spec: str, argument: str) -> int:
    if argument and not (argument.isascii() and argument.isdigit()):
        raise ConfigError(f"policy {spec!r}: the seed must be a whole number, as in random:7")
    return int(argument or 0)


def _turns(path: Path) -> list[str]:
    """Read recorded turns: a text file, turns divided by lines that hold only `---`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the recording cannot be read ({error}); give a UTF-8 text file") from error
    return [turn.strip("\n") for turn in text.split("\n---\n")]

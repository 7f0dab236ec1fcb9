"""Configuration files: YAML checked by a pydantic model, with overrides from the environment and the command line.

Later sources win: the model's defaults, the file, environment variables `VRETRVER_<SECTION>__<KEY>`, `--set a.b=c`.
A configuration that is one section of every program's, such as the agent's, begins its variables with the section's
name. Unknown keys are errors. The resolved configuration and its hash go into every run folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ._validation import first_problem
from .errors import ConfigError

PREFIX = "VRETRVER_"
"""Prefix of environment variables; one without `__` is not a configuration key (it may hold a secret)."""


class Section(BaseModel):
    """A part of a configuration: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


C = TypeVar("C", bound=BaseModel)


def load_config(
    path: Path | None,
    model: type[C],
    *,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    section: str | None = None,
) -> C:
    """Return a checked configuration.

    Args:
        path: a YAML file; None starts from the defaults.
        model: the pydantic model it must fit.
        sets: overrides `a.b=value`, the value in YAML.
        environ: environment; None takes that of the process.
        section: what the names of environment variables begin with before the keys; None is nothing.

    Raises:
        ConfigError: something is wrong; the message names the file or override, and the key.
    """
    values = {} if path is None else values_of(path)
    for name, text in sorted((os.environ if environ is None else environ).items()):
        if name.startswith(PREFIX) and "__" in name:
            keys = name.removeprefix(PREFIX).lower().split("__")
            if section is not None and keys.pop(0) != section:
                continue
            if keys[0] in model.model_fields:
                put_value(values, keys, _value(text, name), name)
    for override in sets:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {override}: write key=value, as in --set train.steps=100")
        put_value(values, key.split("."), _value(text, f"--set {override}"), f"--set {override}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        source = "configuration" if path is None else str(path)
        raise ConfigError(f"{source}: {first_problem(error, whole='the file', value=True)}") from error


def resolved(config: BaseModel) -> str:
    """Return a configuration as YAML, every default written out."""
    text: str = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    return text


def config_hash(config: BaseModel) -> str:
    """Return the SHA-256 of a resolved configuration."""
    return hashlib.sha256(json.dumps(config.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def values_of(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, unchecked; raises ConfigError where the file does not hold one."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the configuration cannot be read ({error}); give a YAML file") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a configuration is a mapping of keys to values, got {type(values).__name__}")
    return values


def _value(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: the value is not valid YAML ({str(error).splitlines()[0]})") from error


def put_value(values: dict[str, Any], keys: Sequence[str], value: Any, where: str) -> None:
    """Set a nested key, creating the mappings above it."""
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {key} is not a mapping, so nothing can be set below it")
    values[keys[-1]] = value

"""Configuration files: YAML checked by a pydantic model, with overrides from the environment and the command line.

Later sources win: the model's defaults, the file, environment variables `VRETRVER_<SECTION>__<KEY>`, `--set a.b=c`.
A configuration that is one section of every program's, such as the agent's, begins its variables with the section's
name. Unknown keys are errors. The resolved configuration and its hash go into every run folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ._validation import first_problem, key_hint, place_of, shown_value
from .errors import ConfigError, DataError
from .lines import text_lines

PREFIX = "VRETRVER_"
"""Prefix of environment variables; one without `__` is not a configuration key (it may hold a secret)."""


class _Loader(yaml.SafeLoader):
    """YAML with the numbers of version 1.2, which people expect, and no key twice.

    YAML 1.1, which PyYAML reads, takes `1e-8` for text, `1:30` for 90 and `010` for 8.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping; raises YAMLError for a key that appears twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and str(key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} appears twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("int", "float")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*\.[0-9]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?$"
        r"|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
    ),
    list("-+.0123456789"),
)


class _Dumper(yaml.SafeDumper):
    """Puts texts that `_Loader` would take for something else in quotes."""


_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


class Section(BaseModel):
    """A part of a configuration: frozen, and strict about its keys.

    Raises:
        ConfigError: made in Python with an unknown key or a wrong value; `model_validate` raises what pydantic does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            name = type(self).__name__
            raise ConfigError(f"{name}: {_problem_of(error, type(self), whole='the values')}") from error

    # As with BaseModel's own `__init__`, validation builds inner sections without it: faults keep their places.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


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
        raise ConfigError(f"{source}: {_problem_of(error, model)}") from error


def _problem_of(error: ValidationError, model: type[BaseModel], *, whole: str = "the file") -> str:
    """Return what is wrong, in the words of a person who writes the values."""
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "missing":
        return f"the key {place_of(first['loc'])} is missing; the keys are {_keys(model)}"
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        hint = key_hint(model, first["loc"])
        return f"unknown key {place_of(first['loc'])}, got {shown_value(first['input'])}; {hint}"
    return first_problem(error, whole=whole, value=True)


def _keys(model: type[BaseModel]) -> str:
    """Return the keys of a configuration, those that must be set first."""
    fields = sorted(model.model_fields.items(), key=lambda field: not field[1].is_required())
    return ", ".join(f"{name} (must be set)" if field.is_required() else name for name, field in fields)


def resolved(config: BaseModel) -> str:
    """Return a configuration as YAML, every default written out."""
    return to_yaml(config.model_dump(mode="json"))


def to_yaml(values: Mapping[str, Any]) -> str:
    """Return values as YAML that `load_config` reads as the same values."""
    text: str = yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False)
    return text


def config_hash(config: BaseModel) -> str:
    """Return the SHA-256 of a resolved configuration."""
    return hashlib.sha256(json.dumps(config.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def values_of(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, unchecked; raises ConfigError where the file does not hold one."""
    try:
        values = yaml.load("".join(line for _, line in text_lines(path)), _Loader)  # noqa: S506 - a safe loader
    except DataError as error:
        raise ConfigError(f"{error}; give a YAML file") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}{_line_of(error)}: not valid YAML ({_problem(error)})") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a configuration is a mapping of keys to values, got {type(values).__name__}")
    return values


def _value(text: str, where: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: the value is not valid YAML ({_problem(error)})") from error


def _problem(error: yaml.YAMLError) -> str:
    """Return what is wrong, not where the parser was when it found out."""
    said = getattr(error, "problem", None) or str(error)
    return str(said).splitlines()[0]


def _line_of(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark is not None else ""


def put_value(values: dict[str, Any], keys: Sequence[str], value: Any, where: str) -> None:
    """Set a nested key, creating the mappings above it."""
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {key} is not a mapping, so nothing can be set below it")
    values[keys[-1]] = value

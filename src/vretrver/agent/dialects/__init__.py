"""The dialects by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ...errors import ConfigError
from ..dialect import Dialect
from .released import released
from .vretrver import reading, vretrver


def dialect_named(name: str) -> Dialect:
    """Return a dialect; raises ConfigError for an unknown name."""
    makers: dict[str, Callable[[], Dialect]] = {
        "vretrver": vretrver,
        "vretrver/no-tools": partial(vretrver, tools=False),
        "vretrver/reading": reading,
        "released": released,
    }
    if name not in makers:
        raise ConfigError(f"unknown dialect {name!r}; dialects are {', '.join(makers)}")
    return makers[name]()

"""Libraries of extras: imported where they are used; a missing one gives one sentence."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import MissingDependency


def require(module: str, *, extra: str) -> Any:
    """Return an imported library.

    Args:
        module: dotted name, as in `faiss`.
        extra: the extra of this package that installs it.

    Raises:
        MissingDependency: it is not installed; the message holds the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingDependency(f"{module} is not installed; run: pip install 'vretrver[{extra}]'") from error

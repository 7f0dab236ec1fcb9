"""Dialects whose tools only seem to look: they take the evidence away and leave everything else as it is.

An agent that does as well with them did not use what its looks showed.
"""

from __future__ import annotations

from dataclasses import replace

from .dialect import Dialect


def without_evidence(dialect: Dialect) -> Dialect:
    """Return a dialect that tells the model the same, and whose looks show nothing new.

    Raises:
        ConfigError: a tool cannot be run without its evidence.
    """
    return replace(dialect, tools=tuple(tool.blinded() for tool in dialect.tools))

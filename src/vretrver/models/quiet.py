"""Keeps transformers from drawing progress bars and repeating what our own errors say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._optional import require


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the library's progress bars and its log below errors for a while.

    Raises:
        MissingDependency: the extra `models` is not installed.
    """
    log = require("transformers", extra="models").utils.logging
    bar, level = log.is_progress_bar_enabled(), log.get_verbosity()
    log.disable_progress_bar()
    log.set_verbosity_error()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bar:
            log.enable_progress_bar()

"""What every test of the proofs leaves behind: nothing. Training flushes subnormal numbers for the whole thread."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _ordinary_arithmetic() -> Iterator[None]:
    """Give the thread its subnormal numbers back."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)

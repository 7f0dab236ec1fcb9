"""Fixtures that all tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.drawn import DrawnFolder, drawn_folder


@pytest.fixture
def drawn(tmp_path: Path) -> DrawnFolder:
    """An empty folder that pictures are drawn into as they are named."""
    path = tmp_path / "pictures"
    path.mkdir()
    return drawn_folder(path)


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember nothing in the home of whoever runs the tests, and find nothing there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(autouse=True)
def _ordinary_arithmetic() -> Iterator[None]:
    """Give the thread its subnormal numbers back: training flushes them, and hypothesis cannot do without."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)

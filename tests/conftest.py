"""Fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drawn import DrawnFolder, drawn_folder


@pytest.fixture
def drawn(tmp_path: Path) -> DrawnFolder:
    """An empty folder that pictures are drawn into as they are named."""
    path = tmp_path / "pictures"
    path.mkdir()
    return drawn_folder(path)

"""Fixtures of tests that train: a small gallery and the small models' tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.world.gallery import draw_gallery
from vretrver.world.tiny.tokenizer import save_tokenizer
from vretrver.world.vocabulary import tiny_tokenizer

SEED, ITEMS = 3, 20


@pytest.fixture(scope="session")
def gallery_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery of a catalogue of 20 products."""
    path = tmp_path_factory.mktemp("gallery") / "small.gallery"
    draw_gallery(path, seed=SEED, items=ITEMS)
    return path


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small models' tokenizer."""
    folder = tmp_path_factory.mktemp("tokens")
    save_tokenizer(tiny_tokenizer(), folder)
    return folder

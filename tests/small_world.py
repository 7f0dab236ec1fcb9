"""Fixtures of tests that train: a small gallery, the small models' tokenizer, and threads that are given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

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


@pytest.fixture
def torch_settings() -> Iterator[None]:
    """Give other tests their threads and their subnormal numbers back."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)

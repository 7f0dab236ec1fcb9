"""A model and a policy of its own for each test of the local policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.tiny_models import loaded

from vretrver.models.loading import LocalModel
from vretrver.models.vision import Vision
from vretrver.policies.local.policy import LocalPolicy


@pytest.fixture
def model() -> LocalModel:
    """The small Qwen3-VL with a memory of pictures and a revision of its own."""
    shared = loaded("qwen3_vl")
    return replace(shared, vision=Vision(shared.model.model.visual, shared.folder.geometry))


@pytest.fixture
def policy(model: LocalModel) -> LocalPolicy:
    return LocalPolicy(model, slice_tokens=4)

"""Pins that what torch is told for a command is taken back when it ends, also by an error."""

from __future__ import annotations

import pytest
import torch

from vretrver.training.computing import computing

TINY = torch.tensor([1e-40])


def flushes() -> bool:
    """Say whether subnormal numbers become zero."""
    return not (TINY * 1).item()


@pytest.mark.parametrize("subnormal", [False, True])
def test_threads_and_subnormal_numbers_are_as_before_afterwards(subnormal: bool) -> None:
    before = torch.get_num_threads()

    def stopped() -> None:
        with computing(before + 1, subnormal=subnormal):
            assert torch.get_num_threads() == before + 1
            assert flushes() is not subnormal
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert torch.get_num_threads() == before
    assert not flushes()

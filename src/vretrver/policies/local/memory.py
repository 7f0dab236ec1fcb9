"""Tells want of memory from other errors: it ends a turn, they end the program."""

from __future__ import annotations

from collections.abc import Callable

import torch

NO_MEMORY = "there is not enough memory for the conversations at once; lower in_flight, or show pictures smaller"


def out_of_memory(error: Exception) -> bool:
    """Say whether an error is want of memory; torch has no type of its own for it on the CPU."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def fits(work: Callable[..., object], *given: object) -> bool:
    """Do some work and say whether memory lasted; where it did not, nothing that the work held is held any more."""
    try:
        work(*given)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return False
    return True

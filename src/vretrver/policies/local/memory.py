"""Tells want of memory from other errors: it ends a turn, they end the program."""

from __future__ import annotations

import torch

NO_MEMORY = "there is not enough memory for the conversations at once; lower in_flight, or show pictures smaller"


def out_of_memory(error: Exception) -> bool:
    """Say whether an error is want of memory; torch has no type of its own for it on the CPU."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)

"""How torch computes on a CPU while a command runs; the previous settings are restored afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._optional import require


@contextmanager
def computing(threads: int, *, subnormal: bool = False) -> Iterator[None]:
    """Set the number of threads, and flush subnormal numbers, until the context ends.

    Args:
        threads: threads of torch on a CPU.
        subnormal: keep numbers too small for a normal exponent; training flushes them, since they are many times
            slower and make no difference to what is learned.

    Raises:
        MissingDependency: torch is not installed.
    """
    torch = require("torch", extra="models")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(not subnormal)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)

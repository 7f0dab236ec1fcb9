"""What this process holds: conversations, threads, files, memory."""

from __future__ import annotations

import gc
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What this process holds."""

    conversations: int
    """Conversations of the policy."""
    threads: int
    """Threads."""
    files: int
    """Open files."""
    resident_mb: float
    """Memory in use."""


def held(policy: Any) -> Held:
    """Return what this process holds now; a system without /proc has no open files and no memory."""
    gc.collect()
    proc = Path("/proc/self")
    pages = int((proc / "statm").read_text().split()[1]) if proc.is_dir() else 0
    return Held(
        conversations=len(policy._conversations),
        threads=threading.active_count(),
        files=len(os.listdir(proc / "fd")) if proc.is_dir() else 0,
        resident_mb=round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1),
    )

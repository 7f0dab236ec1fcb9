"""PDF documents are opened by another process: a page can take all memory, hang or crash whoever renders it.

One such process serves all threads of this one, one request after another.
"""

from __future__ import annotations

import atexit
import sys
from pathlib import Path

from .helper import HelperProcess

DOCUMENT_MEMORY = 2**30
"""Most bytes of address space the process may take, PDFium and the document included."""

WORKER = Path(__file__).with_name("pdf_worker.py")
"""The program of the process."""


def pdf_helper(*, memory: int = DOCUMENT_MEMORY) -> HelperProcess:
    """Return a process that opens documents in at most `memory` bytes of address space."""
    return HelperProcess(
        [sys.executable, "-P", str(WORKER), str(memory)],
        crashed=f"it crashes the renderer or needs more than {memory >> 20} MiB, the limit",
    )


SHARED = pdf_helper()
"""The process that serves this one."""

atexit.register(SHARED.close)

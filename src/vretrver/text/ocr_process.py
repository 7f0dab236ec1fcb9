"""Pictures are read by other processes: a reading can take all memory, hang or crash whoever does it.

The process is told a page and sent the bytes of its file; it opens no file itself.
"""

from __future__ import annotations

import sys
from dataclasses import asdict

from ..errors import PictureError
from ..images import ImageLimits
from ..pictures.helper import HelperProcess
from ..records import ImageRef, TextLine
from .stored import lines_from_json

OCR_SECONDS = 120.0
"""Longest time for one picture or page; a dense page takes 10 on one core."""

OCR_MEMORY = 4 * 2**30
"""Most bytes of address space one process may take, the decoded picture included."""


class OcrProcess:
    """A process that reads pictures one after another.

    Args:
        limits: what a picture may cost.
        seconds: after this time a picture is refused.
    """

    def __init__(self, limits: ImageLimits, *, seconds: float = OCR_SECONDS) -> None:
        self._limits = limits
        self._seconds = seconds
        self._helper = HelperProcess(
            [sys.executable, "-P", "-m", "vretrver.text.ocr_worker", str(OCR_MEMORY)],
            crashed=f"it crashes the reader of text or needs more than {OCR_MEMORY >> 20} MiB, the limit",
            environment={"OMP_NUM_THREADS": "1"},
        )

    def read(self, image: ImageRef, data: bytes, sha256: str) -> tuple[TextLine, ...]:
        """Return the lines of a page of a file; raises PictureError when it is refused, late or crashes the process.

        Args:
            image: the page.
            data: the bytes of its file.
            sha256: their hash.
        """
        request = {"path": image.path, "root": image.root, "page": image.page, "limits": asdict(self._limits)}
        head, lines = self._helper.ask(request, data=data, sha256=sha256, seconds=self._seconds)
        if "refused" in head:
            raise PictureError(image, str(head["refused"]))
        return lines_from_json(lines.decode())

    def kill(self) -> None:
        """End the process at once; a picture that is being read is refused."""
        self._helper.kill()

    def close(self) -> None:
        """End the process."""
        self._helper.close()

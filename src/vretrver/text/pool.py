"""OCR on several pictures at once, each in a process of its own, as many as there are cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from ..errors import PictureError
from ..images import ImageStore
from ..records import ImageRef
from .files import Unseen
from .ocr import ocr_name
from .ocr_process import OCR_SECONDS, OcrProcess
from .reader import PageText

MOST_PROCESSES = 16
"""Most processes at once; each takes about 0.8 GiB."""


def processes_at_once() -> int:
    """Return how many processes read pictures: one a core that this process may use."""
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutcome:
    """What came of a picture."""

    image: ImageRef
    """The picture."""
    text: PageText
    """What was read, or why it was refused."""
    lasting: bool = True
    """False where its file is gone or has changed: the same content may be read another time."""


class OcrPool:
    """Reads pictures as they are handed in; results come as they are ready. Leave it to end the processes at once.

    Args:
        images: opens the files; its limits hold in the processes too.
        workers: number of processes; they are started as they are needed.
        seconds: longest time of one picture.
    """

    def __init__(self, images: ImageStore, *, workers: int, seconds: float = OCR_SECONDS) -> None:
        self._images = images
        self._workers = workers
        self._free: SimpleQueue[OcrProcess] = SimpleQueue()
        self._processes = [OcrProcess(images.limits, seconds=seconds) for _ in range(workers)]
        for process in self._processes:
            self._free.put(process)
        self._threads = ThreadPoolExecutor(workers)
        self._running: set[Future[ReadOutcome]] = set()

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes, whatever they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.kill()
        self._threads.shutdown()
        for process in self._processes:
            process.close()

    def submit(self, image: ImageRef, unseen: Unseen) -> Iterator[ReadOutcome]:
        """Hand a picture in and yield what is ready; waits while every process has a picture more to do."""
        self._running.add(self._threads.submit(self._read, image, unseen))
        yield from self._ready(most=2 * self._workers)

    def finish(self) -> Iterator[ReadOutcome]:
        """Yield what is still to come."""
        yield from self._ready(most=0)

    def _ready(self, *, most: int) -> Iterator[ReadOutcome]:
        while self._running:
            timeout = None if len(self._running) > most else 0
            done, self._running = wait(self._running, timeout, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            if timeout == 0:
                return

    def _read(self, image: ImageRef, unseen: Unseen) -> ReadOutcome:
        try:
            data = self._images.read_bytes(image)
        except PictureError as error:
            return ReadOutcome(image=image, text=PageText(lines=(), reader="", refused=error.reason), lasting=False)
        process = self._free.get()
        try:
            lines, refused = process.read(image, data, image.sha256 or ""), ""
        except PictureError as error:
            lines, refused = (), error.reason
        finally:
            self._free.put(process)
        return ReadOutcome(
            image=image, text=PageText(lines=lines or unseen.lines, reader=ocr_name(), refused=refused)
        )

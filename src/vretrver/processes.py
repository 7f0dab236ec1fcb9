"""Work that is shared out over processes: spawned, ended with their parent, results in the order of the jobs."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def mapped(work: Callable[[Job], Result], jobs: Sequence[Job], *, workers: int, chunk: int = 1) -> Iterator[Result]:
    """Yield the result of every job, in the order of the jobs.

    Args:
        work: a function at the head of a module, so that another process can import it.
        jobs: what it is called with; job and result must be picklable.
        workers: processes; with one, or with no more jobs than a chunk, the work is done in this process. More need a
            main module that can be imported again.
        chunk: jobs handed to a process at a time.

    Raises:
        Exception: what `work` raised; jobs that were not begun are dropped.
    """
    if workers <= 1 or len(jobs) <= chunk:
        yield from map(work, jobs)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads of torch hold
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=leave_with_parent)
    try:
        yield from pool.map(work, jobs, chunksize=chunk)
    finally:
        pool.shutdown(cancel_futures=True)


def leave_with_parent() -> None:
    """End this worker when its parent is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

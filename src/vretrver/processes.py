"""Work divided among processes: spawned, ended together with their parent, results in the order of the jobs."""

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
        work: a module-level function, so that another process can import it.
        jobs: its arguments, one a call; jobs and results must be picklable.
        workers: number of processes; with one, or with at most one chunk of jobs, the work is done in this process.
            With more, the main module must be importable again.
        chunk: jobs handed to a process at a time.

    Raises:
        Exception: whatever `work` raised; jobs that have not started are dropped.
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
    """End this worker when its parent is killed; otherwise it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

"""Threads for the work of `Do` effects. The process ends without them: work may hang, and nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Job = tuple[Future[Any], Callable[[], Any]]

IDLE_SECONDS = 1.0
"""Most seconds that `Workers` waits at its end for a thread that has nothing to do."""


class Workers(Executor):
    """A pool of daemon threads.

    As a context manager it ends without waiting for work: what has not begun is dropped, what hangs goes on alone.
    `ThreadPoolExecutor` would wait for it, there and again when the process ends.

    Args:
        count: threads, at least 1; they start as work comes.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"a pool has at least one thread, got {count}")
        self.count = count
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._working: set[threading.Thread] = set()
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do work on a thread; raises RuntimeError when the pool is shut down."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is shut down and takes no work; open another")
            self._jobs.put((future, partial(fn, *args, **kwargs)))
            if len(self._threads) < self.count:
                name = f"vretrver-{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._serve, name=name, daemon=True))
                self._threads[-1].start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work.

        Args:
            wait: whether to wait for the work there is; otherwise only idle threads are waited for.
            cancel_futures: whether to drop what has not begun.
        """
        with self._lock:
            self._closed = True
            if cancel_futures:
                self._drop()
            for _ in self._threads:
                self._jobs.put(None)
        for thread in self._threads:
            if wait:
                thread.join()
            elif thread not in self._working:
                thread.join(IDLE_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop what has not begun and wait for nothing."""
        self.shutdown(wait=False, cancel_futures=True)

    def _drop(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is not None:
                job[0].cancel()

    def _serve(self) -> None:
        me = threading.current_thread()
        while (job := self._jobs.get()) is not None:
            self._working.add(me)
            _carry_out(*job)
            self._working.discard(me)
            del job  # what the work holds is given back before the next work comes


def _carry_out(future: Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the work
        future.set_exception(error)
    else:
        future.set_result(result)

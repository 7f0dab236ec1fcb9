"""A process of its own for work that can take all memory, hang or crash: asked over pipes, killed when it is late.

A program that serves such a process reads requests from standard input and answers on standard output: one JSON line
each, then as many bytes as its `bytes` says. Its first answer, to no request, says that it is ready.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import Any

Answer = tuple[dict[str, Any], bytes]
"""Fields, among them `refused` with a reason where the request failed, and the bytes that follow."""


class HelperProcess:
    """A process that answers requests about files, one after another; threads may share it.

    It is started when it is first needed, ends with this process, and is replaced after it was killed.

    Args:
        command: its command line.
        crashed: the reason of a request during which it ended, as in `it crashes the renderer`.
        environment: variables beside those of this process.
    """

    def __init__(self, command: Sequence[str], *, crashed: str, environment: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._crashed = crashed
        self._environment = dict(environment or {})
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._loaded: str | None = None

    def ask(self, request: dict[str, Any], *, data: bytes, sha256: str, seconds: float) -> Answer:
        """Return the answer about a file.

        Args:
            request: what the program reads, without `bytes`.
            data: the file; sent when it is not the one of the request before.
            sha256: its hash.
            seconds: after this time the process is killed and the request refused.
        """
        with self._lock:
            try:
                process = self._running()
            except (OSError, ValueError):
                self._stop()
                return {"refused": "the process that opens it cannot be started"}, b""
            payload = b"" if self._loaded == sha256 else data
            deadline = _Deadline(process, seconds)
            try:
                answer = self._exchange(process, {**request, "bytes": len(payload)}, payload)
            except (OSError, ValueError):  # the process is gone, at once or in the middle of its answer
                self._stop()
                reason = f"it takes longer than {seconds:g} s, the limit" if deadline.passed else self._crashed
                return {"refused": reason}, b""
            except BaseException:  # interrupted: what is still to come would be taken for the next answer
                self._stop()
                raise
            finally:
                deadline.cancel()
            self._loaded = sha256 if answer[0]["loaded"] else None
            if deadline.passed:  # killed after it had answered
                self._stop()
            return answer

    def close(self) -> None:
        """End the process; the next request starts another."""
        with self._lock:
            self._stop()

    def kill(self) -> None:
        """End the process at once, also while another thread waits for its answer, which is then refused."""
        process = self._process
        if process is not None and self._owner == os.getpid():
            process.kill()

    def _exchange(self, process: subprocess.Popen[bytes], request: dict[str, Any], payload: bytes) -> Answer:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the process has no pipes")
        process.stdin.write(json.dumps(request).encode() + b"\n" + payload)
        process.stdin.flush()
        return _read(process)

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process, started anew when there is none, it ended, or this process is a fork of its owner."""
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        if self._owner == os.getpid():
            self._stop()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self._environment},
        )
        self._owner = os.getpid()
        self._loaded = None
        _read(self._process)
        return self._process

    def _stop(self) -> None:
        process, self._process, self._loaded = self._process, None, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not yet sent has no reader any more
                    continue


class _Deadline:
    """Kills a process when the time is over."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.passed = False
        self._process = process
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.start()

    def cancel(self) -> None:
        """Leave the process alone from now on."""
        self._timer.cancel()

    def _kill(self) -> None:
        self.passed = True
        self._process.kill()


def _read(process: subprocess.Popen[bytes]) -> Answer:
    """Read one answer; raises ValueError where it is cut short."""
    if process.stdout is None:
        raise ValueError("the process has no output")
    head = json.loads(process.stdout.readline())
    payload = process.stdout.read(head["bytes"])
    if len(payload) < head["bytes"]:
        raise ValueError("the answer is cut short")
    return head, payload

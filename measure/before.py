"""Runs a script with the code of an earlier commit, in a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]

KERNEL_BEFORE = "a636fa1"
"""The last commit of the first kernel: one window after another, pictures opened on the driver's thread."""


@contextmanager
def code_of(reference: str) -> Iterator[Path]:
    """Yield the `src` folder of a commit, for as long as the block runs.

    Raises:
        subprocess.CalledProcessError: there is no such commit.
    """
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", reference, "src"]
    packed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
        yield Path(folder) / "src"


def run_child(script: Path, arguments: Sequence[str], *, code: Path = ROOT / "src") -> str:
    """Run a script with the package of a `src` folder and return what it printed; its errors go to this process's.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(code)}
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    return done.stdout

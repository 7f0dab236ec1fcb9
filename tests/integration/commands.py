"""Runs `vretrver` as a user does, in a process of its own, on a machine as bad as a test wants."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REFUSED = 1
"""Exit code of a command that could not do what it was asked."""


def run(
    *arguments: str | Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    without: str = "",
    most_bytes: int | None = None,
    stdout: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed.

    Args:
        arguments: of the command.
        cwd: where it runs.
        environment: variables to add.
        without: a library that is not installed.
        most_bytes: largest file that can be written, as on a disk that is full.
        stdout: where its output goes; None returns it.
    """
    lines = ["import sys"]
    if without:
        lines.append(f"sys.modules[{without!r}] = None")
    if most_bytes is not None:
        lines.append(f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes}))")
    lines.append("from vretrver.cli.main import main; main()")
    command = [sys.executable, "-c", "\n".join(lines), *map(str, arguments)]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("VRETRVER_")}
    with (stdout or Path(os.devnull)).open("w") as file:
        return subprocess.run(
            command, cwd=cwd, env=variables | dict(environment or {}), stdin=subprocess.DEVNULL, text=True,
            stdout=file if stdout else subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120,
        )  # fmt: skip


def sentence_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence a command was refused with; it must have ended with it and printed no data."""
    assert done.returncode == REFUSED, done.stderr
    assert not done.stdout, done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("vretrver: "), done.stderr
    return last

"""Runs `vretrver`: in this process where that is enough, in one of its own on a machine as bad as a test wants."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from vretrver.cli.main import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command left behind."""

    code: int
    """Exit code."""
    stdout: str
    """Data."""
    stderr: str
    """Messages."""


def call(*arguments: str | Path, cwd: Path) -> Done:
    """Run a command in this process."""
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        patch.object(sys, "argv", ["vretrver", *map(str, arguments)]),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


def run(*arguments: str | Path, cwd: Path, most_bytes: int | None = None, stdout: Path | None = None) -> Done:
    """Run a command in a process of its own.

    Args:
        arguments: of the command.
        cwd: where it runs.
        most_bytes: largest file that can be written, as on a disk that is full.
        stdout: where its output goes; None returns it.
    """
    lines = ["from vretrver.cli.main import main"]
    if most_bytes is not None:
        lines.append(f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes}))")
    command = [sys.executable, "-c", "\n".join([*lines, "main()"]), *map(str, arguments)]
    with (stdout or Path(os.devnull)).open("w") as file:
        output = file if stdout else subprocess.PIPE
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, text=True, timeout=300
        )
    return Done(code=done.returncode, stdout=done.stdout or "", stderr=done.stderr)


def sentence_of(done: Done) -> str:
    """Return the sentence a command was refused with; it must have ended with it and printed no data."""
    assert done.code == 1, done.stderr
    assert not done.stdout, done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("vretrver: "), done.stderr
    return last

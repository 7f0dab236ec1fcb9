"""The envelope of every result file: command, date, versions, machine; then the configuration and the result."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("vretrver", "numpy", "pillow", "pydantic", "httpx2", "torch", "transformers")
"""Distributions whose versions are told."""

RESULTS = Path(__file__).parent / "results"
"""Where result files are kept."""


def envelope(
    name: str, *, arguments: Sequence[str] | None = None, libraries: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return what a result file says of its origin; what was measured goes beside it.

    Args:
        name: what was run with `python -m measure`.
        arguments: what it was told; None takes those of this process.
        libraries: further versions, by name.
    """
    return {
        "command": shlex.join(["python", "-m", "measure", name, *(sys.argv[1:] if arguments is None else arguments)]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": {
            "python": platform.python_version(),
            **{one: version(one) for one in LIBRARIES},
            **(libraries or {}),
        },
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
    }


def write_result(path: Path, result: Mapping[str, object]) -> None:
    """Write a result as indented JSON; the folder is made when it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()

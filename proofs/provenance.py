"""Says where the numbers of a result file come from: command, date, versions, machine."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("vretrver", "numpy", "pillow", "pydantic", "httpx2", "torch", "transformers")
"""Distributions whose versions are told."""

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
"""Where result files are kept."""


def provenance(module: str) -> dict[str, object]:
    """Return what a result file says of its origin.

    Args:
        module: the module that was run with `python -m`; the arguments are those of this process.
    """
    return {
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
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

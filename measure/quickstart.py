"""Times the commands of docs/quickstart.md as a new user meets them, one after another in an empty folder.

Run as `python -m measure quickstart`; it writes measure/results/quickstart.json. With --install the package is first
installed into an environment of its own, whose seconds and size are told too, and the commands run in that. The steps
with a named model need a hub and are left out.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure.before import ROOT
from measure.envelope import RESULTS, envelope, write_result

PAGE = ROOT / "docs" / "quickstart.md"

EXTRAS = ".[sources,ocr]"
"""What the page installs."""

_NEEDS_A_HUB = "seen.index"


def commands(page: str) -> Iterator[str]:
    """Yield the page's `vretrver` commands in order, each on one line."""
    for block in re.findall(r"^```sh\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("vretrver ") and _NEEDS_A_HUB not in line:
                yield re.sub(r" {2,}", " ", line)


def timed(command: list[str], folder: Path) -> float:
    """Run a command in a folder and return its seconds; raises subprocess.CalledProcessError when it fails."""
    environment = {**os.environ, "PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "XDG_STATE_HOME": str(folder)}
    started = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return round(time.monotonic() - started, 1)


def installed(folder: Path) -> tuple[Path, dict[str, float]]:
    """Install the package into an environment in a folder; returns its programs, and what that took."""
    seconds = timed([sys.executable, "-m", "venv", "venv"], folder)
    programs = folder / "venv" / "bin"
    seconds += timed([str(programs / "pip"), "install", "--quiet", f"{ROOT}{EXTRAS[1:]}"], folder)
    size = sum(path.stat().st_size for path in (folder / "venv").rglob("*") if path.is_file())
    return programs, {"seconds": round(seconds, 1), "megabytes": round(size / 1e6)}


def main() -> None:
    """Run the commands and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="into an environment of its own, first")
    parser.add_argument("--out", type=Path, default=RESULTS / "quickstart.json")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder, load = Path(made), os.getloadavg()[0]
        programs, install = installed(folder) if told.install else (Path(sys.executable).parent, None)
        steps = []
        for command in commands(PAGE.read_text(encoding="utf-8")):
            steps.append(
                {"command": command, "seconds": timed([str(programs / "vretrver"), *_words(command)], folder)}
            )
            print(f"{steps[-1]['seconds']:6.1f} s  {command}", flush=True)
    result = {"load_before": round(load, 1), "install": install, "steps": steps}
    write_result(told.out, {**envelope("quickstart"), **result})


def _words(command: str) -> list[str]:
    return shlex.split(command, comments=True)[1:]

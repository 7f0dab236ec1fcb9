"""`python -m measure NAME [ARGUMENTS]` runs one measurement; without a name, all names are listed."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

GATE = "gate"
"""The measurement that is a folder: what a thumbnail of the catalogue destroys."""

_CHILDREN = ("decode_overlap_child", "index_measure", "kernel_equality_before", "slow_server")
"""Processes that a measurement starts."""


def measurements() -> dict[str, str]:
    """Return the name of everything that can be run -> the first line of what it says of itself."""
    found = {}
    here = Path(__file__).parent
    for path in sorted([*here.glob("[!_]*.py"), here / GATE / "run.py"]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = GATE if path.parent.name == GATE else path.stem
        if name not in _CHILDREN and any(isinstance(n, ast.FunctionDef) and n.name == "main" for n in tree.body):
            found[name] = (ast.get_docstring(tree) or "").splitlines()[0]
    return found


def main() -> int:
    """Run what the command line names and return the exit code."""
    known = measurements()
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in known:
        sys.stderr.write("".join(f"{one:20} {line}\n" for one, line in known.items()))
        return 2
    sys.argv = [f"python -m measure {name}", *sys.argv[2:]]
    module = import_module("measure.gate.run" if name == GATE else f"measure.{name}")
    return int(module.main() or 0)


if __name__ == "__main__":
    sys.exit(main())

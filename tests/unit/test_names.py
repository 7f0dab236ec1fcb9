"""Pins that a public name means one thing: a class shares its name with no class and no type of another module.

Short names of shapes, as `Floats` for an array, may recur; they are a module's own way to write a type.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import vretrver

ROOT = Path(vretrver.__file__).parent


def defined(path: Path) -> dict[str, bool]:
    """Return the public names a module defines at its top, and whether each is a class."""
    names: dict[str, bool] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names[node.name] = True
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not _is_variable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {one.id: False for one in targets if isinstance(one, ast.Name)}
    return {name: is_class for name, is_class in names.items() if not name.startswith("_")}


def _is_variable(value: ast.expr | None) -> bool:
    """Say whether a type variable is made, which is nobody's type."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "TypeVar"


def test_a_class_shares_its_name_with_nothing() -> None:
    homes: dict[str, dict[str, bool]] = defaultdict(dict)
    for path in sorted(ROOT.rglob("*.py")):
        for name, is_class in defined(path).items():
            homes[name][path.relative_to(ROOT).as_posix()] = is_class
    shared = {name: [*files] for name, files in homes.items() if len(files) > 1 and any(files.values())}
    assert shared == {}

"""Pins who may import whom, and that importing the package stays light.

The table is the one of docs/architecture.md; tests/integration/test_docs.py compares the two, row by row.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "vretrver"

MAY_IMPORT: dict[str, set[str]] = {
    "_version": set(),
    "errors": set(),
    "files": {"errors"},
    "_optional": {"errors"},
    "_secrets": {"errors"},
    "prng": set(),
    "processes": set(),
    "trust": {"files"},
    "geometry": set(),
    "records": {"geometry"},
    "pictures": {"errors", "_optional", "records"},
    "images": {"errors", "geometry", "records", "pictures"},
    "text": {"errors", "_optional", "geometry", "records", "pictures", "images"},
    "_validation": set(),
    "_text": set(),
    "_json": set(),
    "agent": {"errors", "geometry", "records", "images", "_text", "_json"},
    "models": {"errors", "files", "_optional", "_secrets", "geometry", "records", "images", "agent"},
    "traces": {"errors", "files", "_validation", "agent"},
    "report": {"errors", "files", "geometry", "records", "images", "agent"},
    "run_folder": {"errors", "files", "records", "_validation", "agent"},
    "lines": {"errors"},
    "runs": {"errors", "files", "lines"},
    "data": {"errors", "_optional", "records", "images", "_json", "lines", "runs"},
    "evaluation": {"errors", "runs"},
    "config": {"errors", "_validation", "lines"},
    "_proxies": set(),
    "_http": {"errors", "_optional", "_secrets", "_proxies"},
    "_served": {"errors", "_http"},
    "retrieval": {
        "_version", "errors", "files", "_optional", "_secrets", "geometry", "records", "images", "text",
        "_text", "models", "lines", "_proxies", "_http", "_served",
    },
    "policies": {
        "errors", "files", "_optional", "_secrets", "geometry", "records", "images", "text", "_validation",
        "_text", "agent", "models", "lines", "_http", "_served",
    },
    "training": {
        "errors", "files", "_optional", "prng", "records", "images", "agent", "models", "traces", "config",
        "policies",
    },
    "assembly": {
        "errors", "files", "trust", "geometry", "records", "pictures", "images", "text", "_validation",
        "agent", "models", "traces", "run_folder", "runs", "data", "config", "retrieval", "policies",
    },
    "world": {
        "errors", "files", "_optional", "prng", "processes", "geometry", "records", "pictures", "images",
        "agent", "models", "traces", "report", "runs", "data", "evaluation", "config", "retrieval", "policies",
        "training", "assembly",
    },
    "doctor": {
        "errors", "_secrets", "geometry", "records", "images", "agent", "models", "_http", "retrieval",
        "policies", "assembly",
    },
    "cli": {
        "errors", "files", "trust", "records", "images", "text", "_text", "agent", "models", "traces",
        "report", "run_folder", "lines", "runs", "data", "config", "retrieval", "policies", "training",
        "assembly", "world", "doctor", "__init__",
    },
    "__init__": {
        "_version", "errors", "geometry", "records", "images", "agent", "traces", "data", "retrieval",
        "assembly",
    },
}  # fmt: skip
"""Unit -> the other units it may import, at module level or inside functions."""

THIRD_PARTY: dict[str, set[str]] = {
    "_http": {"httpx2"},
    "_validation": {"pydantic"},
    "agent": {"PIL", "pydantic"},
    "assembly": {"PIL", "pydantic"},
    "cli": {"rich", "typer"},
    "config": {"pydantic", "yaml"},
    "data": {"pydantic"},
    "doctor": {"PIL", "numpy"},
    "evaluation": {"numpy"},
    "images": {"PIL"},
    "models": {"PIL", "numpy", "tokenizers", "torch", "transformers"},
    "pictures": {"PIL", "pypdfium2"},
    "policies": {"PIL", "numpy", "outlines_core", "pydantic", "torch"},
    "prng": {"numpy"},
    "report": {"PIL"},
    "retrieval": {"PIL", "numpy", "torch"},
    "run_folder": {"pydantic"},
    "runs": {"numpy"},
    "text": {"PIL"},
    "traces": {"pydantic"},
    "training": {"datasets", "numpy", "pydantic", "torch", "transformers", "trl"},
    "world": {"PIL", "datasets", "numpy", "pydantic", "sentence_transformers", "torch", "transformers"},
}  # fmt: skip
"""Unit -> libraries it may import."""

HEAVY = ("torch", "transformers", "faiss", "fastapi", "numpy", "PIL", "pydantic")


def unit_of(path: Path) -> str:
    """Return the top-level unit of a file: a package folder or a module."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[tuple[str, bool]]:
    """Return (name, ours) for every import in a file: units of ours, top-level names of others."""
    package = path.relative_to(PACKAGE).parent.parts
    found: set[tuple[str, bool]] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {(alias.name.split(".")[0], False) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(((node.module or "").split(".")[0], False))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - (node.level - 1)]
            target = (*base, *((node.module or "").split(".") if node.module else ()))
            found.add((target[0] if target else "__init__", True))
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_unit_may(path: Path) -> None:
    unit = unit_of(path)
    for name, ours in imports_of(path):
        if ours:
            assert name == unit or name in MAY_IMPORT[unit], f"{unit} may not import {name}"
        elif name not in sys.stdlib_module_names:
            assert name in THIRD_PARTY.get(unit, set()), f"{unit} may not import {name}"


def test_only_the_command_line_imports_the_drawn_world() -> None:
    assert {unit for unit, needs in MAY_IMPORT.items() if "world" in needs} == {"cli"}


def test_retrieval_does_not_reach_the_agent_through_models() -> None:
    left = sorted((PACKAGE / "retrieval").rglob("*.py"))
    reached = set(left)
    while left:
        for target in targets_of(left.pop()) - reached:
            reached.add(target)
            left.append(target)
    assert {unit_of(path) for path in reached} >= {"retrieval", "models", "images"}
    assert "agent" not in {unit_of(path) for path in reached}


def targets_of(path: Path) -> set[Path]:
    """Return the files of the package that a file imports, whole modules and `from . import` alike."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            found |= {
                folder.with_suffix(".py"),
                folder / "__init__.py",
                *(folder / f"{a.name}.py" for a in node.names),
            }
    return {target for target in found if target.is_file()}


def test_no_allowance_is_unused() -> None:
    used: dict[str, set[str]] = {unit: set() for unit in MAY_IMPORT}
    for path in PACKAGE.rglob("*.py"):
        used[unit_of(path)] |= {name for name, _ in imports_of(path)}
    for unit, needs in MAY_IMPORT.items():
        if unit != "__init__":  # its names are imported when they are first asked for
            assert needs | THIRD_PARTY.get(unit, set()) <= used[unit], unit


def test_the_units_form_no_cycle() -> None:
    done: set[str] = set()
    left = dict(MAY_IMPORT)
    left["cli"] = left["cli"] - {"__init__"}
    while left:
        free = {unit for unit, needs in left.items() if needs <= done}
        assert free, f"cycle among {sorted(left)}"
        done |= free
        left = {unit: needs for unit, needs in left.items() if unit not in free}


def loaded_after(*command: str) -> set[str]:
    """Return which heavy libraries a fresh interpreter has loaded after running a statement."""
    code = f"{';'.join(command)}; import sys; print(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split()) if result.stdout.strip() else set()


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import vretrver") == set()


def test_the_command_line_loads_nothing_heavy() -> None:
    assert loaded_after("import vretrver.cli.main") == set()


def test_using_the_agent_loads_no_torch() -> None:
    loaded = loaded_after("from vretrver import Reranker, ImageStore, dialect_named")
    assert not loaded & {"torch", "transformers", "faiss", "fastapi"}

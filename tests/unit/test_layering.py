"""Pins who may import whom, and that importing the package stays light.

The table is the one of docs/architecture.md; a test there compares the two.
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
    "_proxies": set(),
    "_http": {"_optional", "_proxies", "_secrets", "errors"},
    "_served": {"_http", "errors"},
    "geometry": {"errors"},
    "records": {"errors"},
    "pictures": {"_optional", "errors", "records"},
    "images": {"errors", "geometry", "records", "pictures"},
    "runs": {"errors", "files", "records"},
    "data": {"_optional", "errors", "files", "geometry", "records", "images", "runs"},
    "retrieval": {
        "_version", "_optional", "_proxies", "_secrets", "_http", "_served", "errors", "files", "geometry", "records",
        "images", "models",
    },
    "agent": {"errors", "geometry", "records", "images"},
    "evaluation": {"errors", "records", "runs"},
    "models": {"_optional", "errors", "files", "geometry", "records", "images", "agent"},
    "config": {"errors", "files"},
    "policies": {
        "_optional", "files", "_secrets", "_http", "_served", "errors", "geometry", "records", "images", "agent",
        "models",
    },
    "training": {
        "_optional", "errors", "files", "geometry", "records", "pictures", "images", "runs", "data", "retrieval",
        "agent", "evaluation", "models", "config", "policies", "traces",
    },
    "experiments": {
        "_optional", "errors", "files", "geometry", "records", "images", "runs", "data", "retrieval", "agent",
        "evaluation", "models", "config", "policies", "traces", "training",
    },
    "traces": {"errors", "files", "records", "agent"},
    "report": {"errors", "files", "geometry", "records", "images", "agent"},
    "demo": {
        "errors", "files", "geometry", "records", "images", "runs", "data", "retrieval", "agent", "evaluation",
        "policies", "traces", "report", "models",
    },
    "doctor": {
        "_http", "_secrets", "errors", "geometry", "records", "images", "retrieval", "agent", "models", "policies",
    },
    "cli": {
        "errors", "files", "geometry", "records", "images", "runs", "data", "retrieval", "agent", "evaluation",
        "policies", "traces", "report", "demo", "doctor", "config", "models", "training", "experiments", "__init__",
    },
    "__init__": {
        "_version", "errors", "geometry", "records", "images", "runs", "retrieval", "agent", "evaluation", "traces"
    },
}  # fmt: skip
"""Unit -> the other units it may import, at module level or inside functions."""

THIRD_PARTY: dict[str, set[str]] = {
    "_http": {"httpx2"},
    "agent": {"pydantic"},
    "cli": {"typer", "rich"},
    "data": {"numpy", "PIL", "pydantic"},
    "doctor": {"numpy", "PIL"},
    "evaluation": {"numpy"},
    "config": {"pydantic", "yaml"},
    "experiments": {"numpy", "PIL", "pydantic", "torch"},
    "images": {"PIL"},
    "models": {"numpy", "PIL", "safetensors", "tokenizers", "torch", "transformers"},
    "pictures": {"PIL", "pypdfium2"},
    "policies": {"PIL", "numpy", "pydantic", "torch", "transformers"},
    "report": {"PIL"},
    "retrieval": {"numpy", "PIL", "sentence_transformers", "torch", "transformers"},
    "runs": {"numpy"},
    "traces": {"pydantic"},
    "training": {"numpy", "PIL", "pydantic", "torch", "transformers", "trl", "datasets", "sentence_transformers"},
}
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

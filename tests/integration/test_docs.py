"""Pins that the documents tell the truth: README commands run, named files exist, tables agree with the code."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.test_layering import MAY_IMPORT

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def blocks(language: str) -> list[str]:
    """Return the README's fenced blocks of a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (64, 64), (200, 30, 30)).save(tmp_path / name)
    (tmp_path / "c.txt").write_text("a mug")
    (tmp_path / "requests.jsonl").write_text(blocks("json")[0])
    lines = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("vretrver ")]
    assert len(commands) >= 6
    for line in commands:
        code = "from vretrver.cli.main import main; main()"
        command = [sys.executable, "-c", code, *shlex.split(line)[1:]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout or "--out" in line or " -o " in line, line


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for document in DOCUMENTS:
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), flags=re.MULTILINE):
            assert target in targets, f"{document.name} names make {target}"


def test_the_python_example_of_the_readme_runs(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (64, 64), (30, 30, 200)).save(tmp_path / name)
    command = [sys.executable, "-c", blocks("python")[0]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "['a.jpg', 'b.jpg'] answered\n", done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_in_code_marks_exist(document: Path) -> None:
    for target in re.findall(r"`((?:docs|tests|benchmarks|proofs|scripts|src)/[\w./-]+)`", document.read_text()):
        assert (ROOT / target).exists(), f"{document.name} names {target}"


def test_the_import_table_of_the_architecture_lists_every_unit() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert set(table) == set(MAY_IMPORT) - {"__init__", "_version"}


def test_no_figure_of_the_readme_is_without_its_file() -> None:
    for name in re.findall(r"benchmarks/results/[\w.-]+", README):
        assert (ROOT / name).exists()


def test_the_changelog_knows_the_version() -> None:
    namespace: dict[str, str] = {}
    version = (ROOT / "src" / "vretrver" / "_version.py").read_text()
    namespace["version"] = re.search(r'"(\d+\.\d+\.\d+)"', version)[1]  # type: ignore[index]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changelog or f"## [{namespace['version']}]" in changelog


def test_scripts_can_be_run() -> None:
    for script in (ROOT / ".ci" / "run", ROOT / "scripts" / "check"):
        assert os.access(script, os.X_OK), script

"""Pins that the documents tell the truth: README commands run, named files exist, tables agree with the code."""

from __future__ import annotations

import json
import os
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from measure.results_page import BLOCKS, HELD_SHAPES, read_results, with_blocks
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
    assert done.stdout == "[0, 1, 2] ranked\n", done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_in_code_marks_exist(document: Path) -> None:
    for target in re.findall(r"`((?:docs|tests|measure|configs|src)/[\w./-]+)`", document.read_text()):
        assert (ROOT / target).exists(), f"{document.name} names {target}"


def test_the_import_table_of_the_architecture_is_that_of_the_layering_test() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text, flags=re.MULTILINE)
    table = {unit: set() if needs == "nothing" else set(needs.split(", ")) for unit, needs in rows}
    wanted = {unit: needs - {"__init__"} for unit, needs in MAY_IMPORT.items()}
    assert table == {unit: needs for unit, needs in wanted.items() if unit not in ("__init__", "_version")}


def test_no_figure_of_the_readme_is_without_its_file() -> None:
    for name in re.findall(r"measure/results/[\w.-]+", README):
        assert (ROOT / name).exists()


def results(name: str) -> dict[str, Any]:
    """Return a result file."""
    loaded: dict[str, Any] = json.loads((ROOT / "measure" / "results" / f"{name}.json").read_text())
    return loaded


ARMS = [f"{what}{pool}" for what in ("sessions", "queries", "groups") for pool in ("", ", with a pool")]
"""What the driver is kept busy with."""


def test_the_figures_of_the_readme_are_those_of_the_result_files() -> None:
    fuzz, kill = results("agent_fuzz"), results("index_kill")
    drive, scale = results("driver_occupancy"), results("index_scale")["results"]["1000000"]
    fast = results("decode_rate")["sets"]["drawn 12-megapixel JPEGs"]["9 tokens"]["times_as_fast"]
    speed, busy = results("catalogue_speed"), min(drive[arm]["occupancy"] for arm in ARMS)
    for row in (
        (
            f"{fuzz['replies']:,} mutated replies and {fuzz['sessions']:,} whole sessions: broken promises | "
            f"{len(fuzz['broken'])} |"
        ),
        f"places busy | {busy:.3f}; in rounds {drive['rounds']['occupancy']:.3f} |",
        f"{kill['kills']:,} kills while indexing 20,000 items: acknowledged items lost | {kill['lost']} |",
        f"| {scale['exact']['p50_ms']:.1f} ms, {scale['exact']['ratio_of_medians']} of it |",
        (
            f"recall@50 {scale['approximate']['recall@50']:.3f} (clustered vectors): p50 | "
            f"{scale['approximate']['p50_ms']} ms |"
        ),
        f"| {fast:.1f} times as many |",
        (
            f"| {statistics.median(speed['with_files_per_second']):.0f}; {min(speed['in_memory_per_second']):.0f} to "
            f"{max(speed['in_memory_per_second']):.0f} a second |"
        ),
    ):
        assert row in README, row


def test_the_figures_of_the_local_policy_are_those_of_the_result_files() -> None:
    cpu, gpu, full = (
        results(name)["against_stock"] for name in ("local_policy", "local_policy_gpu", "local_policy_gpu_64")
    )
    rates = [row["queries_a_second"] for row in results("local_policy")["queries_a_second"]]
    stock, one, many = cpu["stock_over"], gpu["stock_over"]["own pictures"], full["stock_over"]["own pictures"]
    kept, batch, both = (cpu[f"{name}_over_own_pictures"] for name in ("no_cache", "one_at_a_time", "neither"))
    for row in (
        (
            f"| {stock['own pictures']:.1f} times as fast; {stock['one pool of candidates']:.1f} over one pool of "
            f"candidates, {stock['samples of one query']:.1f} for samples of one query | `local_policy.json` |"
        ),
        (
            "against no cache between turns; against one query at a time; against neither cache nor batch | "
            f"{kept:.1f} times; {batch:.1f} times; {both:.1f} times | `local_policy.json` |"
        ),
        (
            f"one H100, {full['queries_at_once']} queries at once: over stock transformers; against neither cache "
            f"nor batch | {many:.1f} times as fast; {full['neither_over_own_pictures']:.1f} times "
            "| `local_policy_gpu_64.json` |"
        ),
        (
            f"one H100, {gpu['queries_at_once']} at once | {one:.1f} times as fast; "
            f"{gpu['neither_over_own_pictures']:.1f} times | `local_policy_gpu.json` |"
        ),
        f"queries a second at 1, 8 and 64 at once | {rates[0]:.2f}, {rates[1]:.1f}, {rates[2]:.1f} |",
    ):
        assert row in README, row


def test_the_tables_of_demo_and_looks_are_those_of_the_result_files() -> None:
    found = read_results()
    assert set(found) == {*BLOCKS, HELD_SHAPES}
    assert with_blocks(README, found) == README, "run: python -m measure results_page"


def test_the_gate_table_of_the_readme_is_that_of_the_result_file() -> None:
    gate = results("catalogue_gate")["results"]
    kinds = ("print", "emblem", "stitch")

    def row(*shares: dict[str, float], bound: bool) -> str:
        return " | ".join(f"{s['value']:.3f}" + (f" [{s['upper']:.3f}]" if bound else "") for s in shares)

    for line in (
        row(*(gate[f"told_where-{kind}"]["control_plain_ink"] for kind in kinds), bound=False),
        row(*(gate[f"told_where-{kind}"]["top1"] for kind in kinds), bound=True),
        row(*(gate[f"observer-{kind}"]["verdict"] for kind in kinds), bound=True),
        row(*(gate[f"not_told-{kind}"]["top1"] for kind in kinds), bound=True),
        row(*(gate[f"native-{kind}"]["top1"] for kind in kinds), bound=False),
    ):
        assert f"| {line} |" in README, line


def test_the_changelog_names_the_version_or_what_comes_after_it() -> None:
    """First `Unreleased`, with something under it, or the version itself; versions go down from there."""
    found = re.search(r'"(\d+\.\d+\.\d+)"', (ROOT / "src" / "vretrver" / "_version.py").read_text())
    assert found is not None
    sections = re.split(r"^## \[(.+?)\].*$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    named = dict(zip(sections[::2], sections[1::2], strict=True))
    released = [name for name in named if name != "Unreleased"]
    assert released == sorted(released, key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    if "Unreleased" in named:
        assert next(iter(named)) == "Unreleased"
        assert re.search(r"^- ", named["Unreleased"], flags=re.MULTILINE)
    else:
        assert released[0] == found[1]


def test_scripts_can_be_run() -> None:
    for script in (ROOT / ".ci" / "run", ROOT / ".ci" / "check"):
        assert os.access(script, os.X_OK), script

"""Pins that the documents tell the truth: named files exist, tables agree with the code and the result files."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from measure.results_page import BLOCKS, HELD_SHAPES, PAGE, read_results, with_blocks
from measure.results_rows import ROWS
from PIL import Image
from tests.unit.test_layering import MAY_IMPORT

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for document in DOCUMENTS:
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), flags=re.MULTILINE):
            assert target in targets, f"{document.name} names make {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_in_code_marks_exist(document: Path) -> None:
    for target in re.findall(r"`((?:docs|tests|measure|configs|src)/[\w./-]+)`", document.read_text()):
        assert (ROOT / target).exists(), f"{document.name} names {target}"


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_what_the_guides_for_contributors_name_exists(document: str) -> None:
    package = ROOT / "src" / "vretrver"
    sources = {path: path.read_text() for path in package.rglob("*.py")}
    marks = re.findall(r"`((?:\w+/)*\w+)(\.[\w.]+|/)?`", (ROOT / document).read_text())
    named = [(path, end) for path, end in marks if "/" in path or end in (".py", "/")]
    assert len(named) > 20
    for path, end in named:
        if end == "/" or end == ".py" or "/" not in path:
            places = [root / f"{path}{end}" for root in (ROOT, package, package / "retrieval" / "layouts")]
            assert any(place.exists() for place in places), f"{document} names {path}{end}"
        elif end.lstrip(".")[:1].isupper():  # a class, as `agent/memo.WindowKey`
            assert f"class {end[1:]}" in sources[package / f"{path}.py"], f"{document} names {path}{end}"
    for name in re.findall(r"`\w+(?:\.\w+)*\.([A-Z]\w+)(?:\.\w+)?`", (ROOT / document).read_text()):
        assert any(re.search(rf"\b{name}\b", text) for text in sources.values()), f"{document} names {name}"


def test_the_import_table_of_the_architecture_is_that_of_the_layering_test() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text, flags=re.MULTILINE)
    table = {unit: set() if needs == "nothing" else set(needs.split(", ")) for unit, needs in rows}
    wanted = {unit: needs - {"__init__"} for unit, needs in MAY_IMPORT.items()}
    assert table == {unit: needs for unit, needs in wanted.items() if unit not in ("__init__", "_version")}


def test_the_readme_is_short_and_begins_with_a_picture_and_a_command() -> None:
    data = (ROOT / "README.md").read_bytes()
    assert len(data) <= 5000
    picture, command = README.index("docs/images/report.png"), README.index("\nmake demo")
    assert picture < command < 900
    with Image.open(ROOT / "docs" / "images" / "report.png") as shown:
        assert shown.height * 838 / shown.width < 300, "at the width of a page it leaves room for the command"


def results(name: str) -> dict[str, Any]:
    """Return a result file."""
    loaded: dict[str, Any] = json.loads((ROOT / "measure" / "results" / f"{name}.json").read_text())
    return loaded


def test_the_figures_of_the_readme_are_those_of_the_result_files() -> None:
    demo = results("demo")["first"]
    for row, stage in {
        "search alone": "coarse",
        "the agent, its looks showing nothing new": "agent_without_evidence",
        "the agent": "agent",
    }.items():
        assert f"\n| {row} | {demo[stage]['hit@1'][0]:.3f} |\n".replace(" 0.", " .") in README
    assert f"On {demo['queries']} queries over {demo['pool']} drawn pictures" in README
    assert 120 < demo["wall_seconds"] < 180, "two and a half minutes, in the README"
    slow, fast = results("text_reading")["ocr"]["core_seconds_a_page"], results("documents")["rates_on_one_core"]
    assert (round(fast["ocr_seconds_median"]), round(slow)) == (2, 4), "2 to 4 s a page on one core"


def test_the_seconds_of_the_quickstart_are_those_of_the_result_file() -> None:
    page, found = (ROOT / "docs" / "quickstart.md").read_text("utf-8"), results("quickstart")
    install, took = found["install"], [step["seconds"] for step in found["steps"]]
    for said in (
        f"The first answer comes after {install['seconds'] + sum(took[:3]):.0f} seconds, installation included.",
        f"{install['seconds']:.0f} s with a package mirror near by; {round(install['megabytes'], -1)} MB",
        f"## Files to try: {took[0]:.0f} s",
        f"{took[1]:.0f} s, nearly all of it OCR",
        f"{took[2]} s. `what` is the line",
        f"it takes {took[5]:.0f} s instead of {took[4]:.0f}",
        f"reads it ({took[13]:.0f} s)",
    ):
        assert said in page


WITHOUT_ROW = {"query_cost": "models.md", "quickstart": "quickstart.md", "training": "training.md"}
"""Result files that have no row on the page of results -> the document that quotes them."""


def test_the_tables_of_the_results_are_those_of_the_result_files() -> None:
    """A result file that is not there has no row; one that no table knows is an error."""
    found = read_results()
    assert set(found) <= {*BLOCKS, HELD_SHAPES, *ROWS, *WITHOUT_ROW}
    text = PAGE.read_text("utf-8")
    assert with_blocks(text, found) == text, "run: python -m measure results_page"
    for name, document in WITHOUT_ROW.items():
        assert name in found
        assert f"{name}.json" in (ROOT / "docs" / document).read_text("utf-8")


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

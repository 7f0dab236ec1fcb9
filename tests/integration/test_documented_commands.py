"""Pins that what README and quickstart show is what one gets: every command runs, every line shown is printed.

Commands run once, in their order, in one folder, as a reader would run them. Scores of a table are left out of the
comparison, and boxes may differ by a few pixels: readings of OCR differ a little from machine to machine.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.integration.commands import Done, call

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/quickstart.md")
_SCORE = re.compile(r"(?<![\d.])\d\.\d{2,4}(?![\d.])")
_RATE = re.compile(r" \([\d.]+ (?:a second|s each)\)")
_PIXELS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A block of commands, or of Python, and what the page shows under it."""

    page: str
    language: str
    code: str
    under: str = ""
    under_language: str = ""


def shown_on(page: str) -> list[Shown]:
    """Return the blocks of a page that are run, each with the block of output that follows directly, if any."""
    text = (ROOT / page).read_text("utf-8")
    found = re.findall(
        r"^```(sh|python)\n(.*?)^```\n(?:\n(?:^[^`\n].*\n)*?\n?^```(text|json)\n(.*?)^```)?", text, re.M | re.S
    )
    return [
        Shown(page=page, language=language, code=code, under=under, under_language=kind)
        for language, code, kind, under in found
    ]


def lines_of(block: str) -> list[str]:
    """Return the commands of ours in a block, continued lines joined, remarks left out."""
    lines = (line.split("  #")[0].strip() for line in block.replace("\\\n", " ").splitlines())
    return [line for line in lines if line.startswith("vretrver ")]


BLOCKS = [block for page in PAGES for block in shown_on(page)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    for module in ("rapidocr", "onnxruntime", "pypdfium2", "torch"):
        pytest.importorskip(module, reason="the commands shown read scans and use the shipped encoder")
    return Reader(tmp_path_factory.mktemp("reader"))


class Reader:
    """Somebody who runs what the pages show, each command once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = cache(self._run)

    def _run(self, line: str) -> Done:
        done = call(*shlex.split(line)[1:], cwd=self.folder)
        assert done.code == 0, f"{line}\n{done.stderr}"
        return done

    def python(self, code: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=self.folder, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return Done(code=0, stdout=done.stdout, stderr=done.stderr)


def plain(line: str) -> str:
    """Return a line without what differs from run to run: scores, rates, the width of columns."""
    return " ".join(_RATE.sub("", _SCORE.sub("#", line)).split())


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}: {' '.join(block.code.split())[:60]}")
def test_what_is_shown_is_what_one_gets(block: Shown, reader: Reader) -> None:
    done = (
        [reader.python(block.code)] if block.language == "python" else [reader.run(x) for x in lines_of(block.code)]
    )
    printed = [line for one in done for line in f"{one.stderr}{one.stdout}".splitlines()]
    if block.under_language == "json":
        told = json.loads(done[-1].stdout)
        assert_part(json.loads(block.under), (told.get("hits") or told["ranking"])[0])
        return
    known = [plain(line) for line in printed]
    for line in block.under.splitlines():
        assert plain(line) in known, "\n".join(printed)
    table = [plain(line) for line in block.under.splitlines() if plain(line).split()[0].isdigit()]
    assert [line for line in known if line in table] == table


def assert_part(part: Any, whole: Any) -> None:
    """Raise AssertionError unless the first is part of the second; boxes and confidences nearly so."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "box":
                assert all(abs(a - b) <= _PIXELS for a, b in zip(value, whole[key], strict=True)), whole[key]
            elif key == "confidence":
                assert value == pytest.approx(whole[key], abs=0.05)
            else:
                assert_part(value, whole[key])
    else:
        assert part == whole


def test_the_pages_show_enough() -> None:
    assert [sum(bool(block.under) for block in BLOCKS if block.page == page) for page in PAGES] == [4, 10]


def test_the_hits_that_the_quickstart_shows_are_those_of_the_file(reader: Reader) -> None:
    reader.run("vretrver examples --out try")
    text = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
    assert f"```json\n{(reader.folder / 'try' / 'shop' / 'hits.jsonl').read_text()}```" in text


def test_the_note_among_the_example_files_names_commands_that_can_be_given(reader: Reader) -> None:
    """All but the one that needs the shipped agent are those of the pages, or like them."""
    reader.run("vretrver examples --out try")
    note = (reader.folder / "try" / "README.txt").read_text()
    lines = lines_of(note)
    assert len(lines) == 8
    for line in lines:
        if "--policy" not in line:
            reader.run(line)

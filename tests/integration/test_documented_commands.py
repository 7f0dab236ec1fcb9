"""Pins that what README and quickstart show is what one gets: every command runs, every line shown is printed.

Commands run once, in their order, in one folder, as a reader would run them. Scores of a table are left out of the
comparison, and boxes may differ by a few pixels: readings of OCR differ a little from machine to machine.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.integration.commands import Done, call

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/quickstart.md")
_SCORE = re.compile(r"(?<![\d.])\d\.\d{2,4}(?![\d.])")
_RATE = re.compile(r" \([\d.]+ (?:a second|s each)\)|(?<=looks )\d+")
_HUB = re.compile(r"[\d.]+ kB(?= of acme)|(?<= at )[0-9a-f]{7}(?= \()|(?<= into )\S+$|(?<=@)[0-9a-f]{40}")
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
    parts = re.split(r"^```(\w*)\n(.*?)^```$", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = list(zip(parts[1::3], parts[2::3], parts[3::3], strict=True))
    blocks = []
    for (language, code, between), (follows, output, _) in zip(found, [*found[1:], ("", "", "")], strict=True):
        if language in ("sh", "python"):
            shown = not between.strip() and follows in ("text", "json")
            under = (output, follows) if shown else ("", "")
            blocks.append(Shown(page=page, language=language, code=code, under=under[0], under_language=under[1]))
    return blocks


def lines_of(block: str) -> list[str]:
    """Return the commands of ours in a block, continued lines joined, remarks left out."""
    lines = (line.split("  #")[0].strip() for line in block.replace("\\\n", " ").splitlines())
    return [" ".join(line.split()) for line in lines if line.startswith("vretrver ")]


BLOCKS = [block for page in PAGES for block in shown_on(page)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    for module in ("rapidocr", "onnxruntime", "pypdfium2"):
        pytest.importorskip(module, reason="the commands shown draw PDFs and read scans: extras sources and ocr")
    return Reader(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def hub(reader: Reader) -> Iterator[None]:
    """A hub that stands in for the real one, with a model of random weights; in use until the last command."""
    for module in ("torch", "transformers", "huggingface_hub"):
        pytest.importorskip(module, reason="a model is named: extra models")
    from tests.stub_hub import StubHub, files_of, use
    from tests.tiny_clip import clip_folder

    with StubHub() as stub, pytest.MonkeyPatch.context() as patched:
        use(stub, reader.folder / "cache", patched)
        stub.model("acme/tiny", files_of(clip_folder("clip")))
        yield


class Reader:
    """Somebody who runs what the pages show, each command once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = cache(self._run)

    def _run(self, line: str) -> Done:
        # each test has a home of its own, a reader has one for all commands
        with patch.dict(os.environ, XDG_STATE_HOME=str(self.folder / "state")):
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
    """Return a line without what differs from machine to machine: scores, rates, looks, commits, widths."""
    return " ".join(_RATE.sub("", _SCORE.sub("#", _HUB.sub("#", line))).split())


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}: {' '.join(block.code.split())[:60]}")
def test_what_is_shown_is_what_one_gets(block: Shown, reader: Reader, request: pytest.FixtureRequest) -> None:
    if "seen.index" in block.code:
        request.getfixturevalue("hub")
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
    assert [sum(bool(block.under) for block in BLOCKS if block.page == page) for page in PAGES] == [4, 14]


def test_the_hits_that_the_quickstart_shows_are_those_of_the_file(reader: Reader) -> None:
    reader.run("vretrver examples --out try")
    text = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
    assert f"```json\n{(reader.folder / 'try' / 'shop' / 'hits.jsonl').read_text()}```" in text


def test_the_note_among_the_example_files_names_the_commands_of_the_pages(reader: Reader) -> None:
    reader.run("vretrver examples --out try")
    noted = lines_of((reader.folder / "try" / "README.txt").read_text())
    run = [line for block in BLOCKS if block.language == "sh" for line in lines_of(block.code)]
    assert len(noted) == 9
    assert [line for line in noted if line not in run] == [
        "vretrver rerank try/shop/hits.jsonl --index shop.index --policy shipped --report shop.html"
    ]

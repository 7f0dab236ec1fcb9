"""Pins that a browser draws the report: phone and desktop, light and dark, the regions on their pictures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.unit.report.reranks import LOOKED, drawn, page, reranked

from vretrver.geometry import Box
from vretrver.images import ImageStore
from vretrver.records import Candidate, Citation, Hit, ImageRef, Query, parts_of
from vretrver.report.results import write_results

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of one query with looks and one whose window failed."""
    folder = tmp_path_factory.mktemp("report")
    images = drawn(folder)
    page(folder, images, reranked(images, LOOKED), reranked(images, ["nothing"] * 5))
    return folder / "report.html"


@pytest.fixture(scope="module")
def pages(report: Path) -> dict[str, Path]:
    """Return that report and a page of results, of a picture with a line that matched and one with a long name."""
    folder = report.parent
    line = Citation(text="total", source="picture", picture=1, box=Box(left=80, top=60, right=160, bottom=80))
    hits = [
        Hit(candidate=Candidate(did=did, parts=parts_of(images=[ImageRef(path=path)])), score=1.0, citation=cited)
        for did, path, cited in (("0.png", "0.png", line), ("a_long_name" * 12, "3.png", None))
    ]
    query = Query(qid="q", parts=parts_of(text="a square", images=[ImageRef(path="1.png")]))
    write_results(folder / "results.html", [(query, hits)], ImageStore({"": folder}), where={"": folder})
    return {"report": report, "results": folder / "results.html"}


def browsed(report: Path, profile: Path, *options: str) -> str:
    """Open the report and return what the browser prints."""
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", *options, report.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def drawn_page(report: Path, folder: Path, width: int, *options: str) -> np.ndarray:
    """Return a screenshot, [height, width, 3] uint8."""
    path = folder / "shot.png"
    browsed(report, folder / "profile", f"--screenshot={path}", f"--window-size={width},1600", *options)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_drawn_and_stays_within_its_width(report: Path, tmp_path: Path, width: int) -> None:
    pixels = drawn_page(report, tmp_path, width)
    assert pixels.shape == (1600, width, 3)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100
    assert len(np.unique(pixels[:, -4:].reshape(-1, 3), axis=0)) == 1, "something sticks out at the right edge"


def test_the_page_follows_a_dark_system(report: Path, tmp_path: Path) -> None:
    light = drawn_page(report, tmp_path, 1280)
    dark = drawn_page(report, tmp_path, 1280, *DARK)
    assert light[0, 0].min() > 230
    assert dark[0, 0].max() < 40


ABOVE_THE_FOLD = 900
"""Height in pixels of a usual first screen."""


def measured(page: Path, folder: Path, width: int) -> dict[str, list[int]]:
    """Return [left, top, right, bottom] of the first picture, the headline and the finding, and the page's widths.

    The page itself may run no script, so a copy without its policy is measured by one; a browser's window is never as
    narrow as a phone, so the copy is shown in a frame.
    """
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    (folder / "copy.html").write_text(text.replace("</body>", f"{MEASURE}</body>"))
    frame = folder / "frame.html"
    frame.write_text(
        f'<iframe src="copy.html" width="{width}" height="{ABOVE_THE_FOLD}" frameborder="0"></iframe>{SHOW}'
    )
    dom = browsed(frame, folder / "profile", "--dump-dom", "--window-size=1400,1000", "--virtual-time-budget=3000")
    found = re.search(r'<pre id="measured">(.*?)</pre>', dom)
    assert found is not None
    return json.loads(found.group(1))


MEASURE = """<script>
const box = name => { const found = document.querySelector(name); if (!found) return null;
  const r = found.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom].map(Math.round); };
const page = document.documentElement;
parent.postMessage({first: box(".pic"), headline: box(".headline"), finding: box(".finding .seen"),
  page: [innerWidth, page.scrollWidth]}, "*");
</script>"""

SHOW = """<script>
addEventListener("message", event => { const out = document.createElement("pre"); out.id = "measured";
  out.textContent = JSON.stringify(event.data); document.body.append(out); });
</script>"""


@pytest.mark.parametrize("width", [400, 1280])
def test_a_picture_is_on_the_first_screen_and_nothing_is_wider_than_the_page(
    pages: dict[str, Path], tmp_path: Path, width: int
) -> None:
    for written in pages.values():
        found = measured(written, tmp_path, width)
        assert found["page"][0] == width
        assert found["first"][3] < ABOVE_THE_FOLD
        assert found["page"][1] == width, "no sideways scroll"


def test_the_deciding_crop_is_beside_the_headline(report: Path, tmp_path: Path) -> None:
    found = measured(report, tmp_path, 1280)
    headline, crop = found["headline"], found["finding"]
    assert crop[3] < ABOVE_THE_FOLD
    assert crop[0] > headline[2] - 1, "to the right of it"
    assert crop[1] < headline[3], "and not below it"
    assert crop[3] > headline[1], "nor above"


def test_the_page_of_results_is_drawn_dark_and_light(pages: dict[str, Path], tmp_path: Path) -> None:
    light = drawn_page(pages["results"], tmp_path, 1280)
    dark = drawn_page(pages["results"], tmp_path, 1280, *DARK)
    assert light[0, 0].min() > 230
    assert dark[0, 0].max() < 40
    amber = np.abs(light.astype(int) - np.array([255, 179, 0])).sum(axis=2) < 12
    assert amber.any(), "the box of the line that matched"


def test_the_regions_lie_on_their_pictures(report: Path, tmp_path: Path) -> None:
    dom = browsed(report, tmp_path / "profile", "--dump-dom")
    pictures = re.findall(r'<span class="pic (p\d+)" role="img"[^>]*><span class="box" style="([^"]*)">', dom)
    assert [style for _, style in pictures] == ["left:0.00%;top:0.00%;width:50.00%;height:100.00%"] * 3
    assert len({name for name, _ in pictures}) == 2


def test_the_outline_of_a_region_is_painted(report: Path, tmp_path: Path) -> None:
    pixels = drawn_page(report, tmp_path, 1280).astype(int)
    amber = np.abs(pixels - np.array([255, 179, 0])).sum(axis=2) < 12
    lines = (amber[:, 1:] & ~amber[:, :-1]).sum(axis=1)
    assert lines.max() == 8, "two looks side by side: left and right edge of each region and of each close view"

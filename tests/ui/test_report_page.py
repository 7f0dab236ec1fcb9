"""Pins that a browser draws the report: phone and desktop, light and dark, the regions on their pictures."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.unit.report.reranks import LOOKED, drawn, page, reranked

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


def test_the_regions_lie_on_their_pictures(report: Path, tmp_path: Path) -> None:
    dom = browsed(report, tmp_path / "profile", "--dump-dom")
    pictures = re.findall(r'<span class="pic (p\d+)" role="img"[^>]*><span class="box" style="([^"]*)">', dom)
    assert [style for _, style in pictures] == ["left:0.00%;top:0.00%;width:50.00%;height:100.00%"] * 2
    assert len({name for name, _ in pictures}) == 2


def test_the_outline_of_a_region_is_painted(report: Path, tmp_path: Path) -> None:
    pixels = drawn_page(report, tmp_path, 1280).astype(int)
    amber = np.abs(pixels - np.array([255, 179, 0])).sum(axis=2) < 12
    lines = (amber[:, 1:] & ~amber[:, :-1]).sum(axis=1)
    assert lines.max() == 8, "two looks side by side: left and right edge of each region and of each close view"

"""Shows that pictures are opened while the policy works: windows of large JPEGs beside a policy of 0.1 s a turn.

Run as `python -m measure decode_overlap`; it writes measure/results/decode_overlap.json. Twelve windows of twenty
12-megapixel pictures, each met once, are ranked by this kernel with its pool, by this kernel on one thread, and by
the kernel of an earlier commit. The arms take turns, each run in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from measure.before import KERNEL_BEFORE, ROOT, code_of, run_child
from measure.envelope import RESULTS, envelope, write_result

CHILD = Path(__file__).with_name("decode_overlap_child.py")

DRAWN = 12
"""Different photos; each further picture is one of them under another hash."""


def draw_photos(folder: Path, count: int, size: tuple[int, int] = (4000, 3000)) -> None:
    """Write `count` JPEGs, smooth with grain, as a camera's are; no two files are equal."""
    generator = np.random.default_rng(21)
    for number in range(min(DRAWN, count)):
        coarse = Image.fromarray(generator.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
        grain = generator.integers(-12, 13, (*smooth.shape[:2], 1), dtype=np.int16)
        photo = folder / "photo.part"
        Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(photo, "JPEG", quality=90)
        data = photo.read_bytes()
        photo.unlink()
        for copy in range(number, count, DRAWN):
            (folder / f"{copy:03}.jpg").write_bytes(with_comment(data, str(copy)))


def with_comment(data: bytes, text: str) -> bytes:
    """Return a JPEG with a comment behind its first marker: the same pixels under another hash."""
    comment = text.encode()
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + data[2:]


def alternate(arms: dict[str, Callable[[], dict[str, float]]], times: int) -> dict[str, list[dict[str, float]]]:
    """Run all arms in turn, `times` times; arm -> its runs."""
    ran: dict[str, list[dict[str, float]]] = {name: [] for name in arms}
    for _ in range(times):
        for name, arm in arms.items():
            ran[name].append(arm())
            print(name, ran[name][-1], flush=True)
    return ran


def main() -> None:
    """Draw, measure, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", default=KERNEL_BEFORE, help="commit of the earlier kernel")
    parser.add_argument("--windows", type=int, default=12)
    parser.add_argument("--candidates", type=int, default=20, help="pictures of a window")
    parser.add_argument("--turn-seconds", type=float, default=0.1)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "decode_overlap.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, code_of(options.before) as before:
        draw_photos(Path(folder), options.windows * options.candidates)
        words = [folder, str(options.turn_seconds), str(options.windows), str(options.candidates)]

        def arm(*more: str, code: Path = ROOT / "src") -> Callable[[], dict[str, float]]:
            return lambda: json.loads(run_child(CHILD, [*words, *more], code=code))

        arms = {"pool": arm(), "one thread": arm("0"), "before": arm(code=before)}
        ran = alternate(arms, options.times)
    seconds = {name: median(run["seconds"] for run in runs) for name, runs in ran.items()}
    ratios = {name: round(spent / seconds["pool"], 3) for name, spent in seconds.items()}
    settings = {
        **{name: value for name, value in vars(options).items() if name != "out"},
        "threads_of_the_pool": min(4, os.cpu_count() or 1),
    }
    result = {"settings": settings, "runs": ran, "seconds_median": seconds, "over_pool": ratios}
    write_result(options.out, {**envelope("decode_overlap"), **result})
    print(ratios)

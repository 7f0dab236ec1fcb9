"""Counts how often a rerank reads and hashes its picture files: 50 pictures, four windows of 20, 32 zooms.

Run as `python -m measure picture_reads`; it writes measure/results/picture_reads.json. The counts are exact and the
same everywhere. A file is remembered once it is a few seconds old; the first arm takes every file for younger, so
that each use of a picture reads it.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import fsspec
import numpy as np
from PIL import Image

from measure.envelope import RESULTS, envelope, write_result
from vretrver.agent.reranker import Reranker
from vretrver.images import ImageStore
from vretrver.pictures import reading
from vretrver.pictures.roots import DirectoryRoot, StoreRoot
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text
from vretrver.records import Candidate, Hit, ImageRef, Query, TextPart, parts_of

PICTURES = 50
"""Candidates, one picture each."""

SIZE = (1600, 1200)
"""Width and height of a picture in pixels."""

TURNS, CALLS = 2, 4
"""Turns of a window that look, and zooms in each."""

ROOT = "memory://picture-reads"
"""The store of the remote arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What reranking one query did to its picture files."""

    windows: int
    """Windows ranked."""
    zooms: int
    """Regions cut from originals."""
    whole_file_reads: int
    """Files read from beginning to end."""
    sha256_passes: int
    """Files hashed."""
    most_reads_of_a_file: int
    """Reads of the file read most often."""
    identities: int
    """Times the identity of a file was looked at, which reads nothing."""


def zooming(moment: Moment) -> str:
    """Zoom into candidates 1 to 8, four in a turn, then answer in the reverse order."""
    turn = len(moment.said)
    if turn == TURNS:
        return answer_text(range(moment.count, 0, -1))
    calls = (
        f'{{"name": "zoom_in", "arguments": {{"target_image": {number}, "bbox_2d": [400, 400, 600, 600]}}}}'
        for number in range(CALLS * turn + 1, CALLS * (turn + 1) + 1)
    )
    return "".join(f"<tool_call>{call}</tool_call>" for call in calls)


def draw(folder: Path, count: int) -> list[str]:
    """Draw `count` different JPEGs, smooth with grain, into a folder, which must exist; returns their names."""
    generator = np.random.default_rng(5)
    names = [f"{number:02}.jpg" for number in range(count)]
    for name in names:
        coarse = Image.fromarray(generator.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC), dtype=np.int16)
        grain = generator.integers(-8, 9, (*smooth.shape[:2], 1), dtype=np.int16)
        Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(folder / name, quality=88)
    return names


def measure(root: Path | str, names: Sequence[str]) -> Reads:
    """Rerank the pictures of a root with a script that zooms, and return what that did to their files."""
    hits = [
        Hit(candidate=Candidate(did=name, parts=parts_of(images=[ImageRef(path=name)])), score=1.0 / rank)
        for rank, name in enumerate(names, start=1)
    ]
    reranker = Reranker(ScriptedPolicy(zooming, name="zooming"), ImageStore({"": root}))
    with counted() as counts:
        reranked = reranker.rerank(Query(qid="1:1", parts=(TextPart(text="a cup"),)), hits)
    reads = [number for (what, _), number in counts.items() if what == "read"]
    return Reads(
        windows=len(reranked.trajectories),
        zooms=counts["crop", ""],
        whole_file_reads=sum(reads),
        sha256_passes=counts["hash", ""],
        most_reads_of_a_file=max(reads),
        identities=counts["identity", ""],
    )


@contextmanager
def counted() -> Iterator[Counter[tuple[str, str]]]:
    """Count, by (what, path), reads, and by what alone hashes, identities and crops while the block runs."""
    counts: Counter[tuple[str, str]] = Counter()
    lock = threading.Lock()  # pictures are opened by several threads

    def counting(owner: Any, name: str, what: str, *, by_path: bool = False) -> Any:
        inner = getattr(owner, name)

        def spy(*args: Any, **options: Any) -> Any:
            with lock:
                counts[what, args[1].path if by_path else ""] += 1
            return inner(*args, **options)

        return patch.object(owner, name, spy)

    with ExitStack() as patches:
        for root in (DirectoryRoot, StoreRoot):
            patches.enter_context(counting(root, "read", "read", by_path=True))
            patches.enter_context(counting(root, "identity", "identity"))
        patches.enter_context(counting(reading, "sha256_of", "hash"))
        patches.enter_context(counting(ImageStore, "crop", "crop"))
        yield counts


def run(folder: Path) -> dict[str, Reads]:
    """Measure files that are never remembered, the same files once they have settled, and the same in a store."""
    names = draw(folder, PICTURES)
    files = fsspec.filesystem("memory")
    for name in names:
        files.pipe(f"{ROOT}/{name}", (folder / name).read_bytes())
    try:
        with patch.object(reading, "SETTLING_NS", 2**62):
            forgetful = measure(folder, names)
        time.sleep(reading.SETTLING_NS / 10**9)
        return {"never remembered": forgetful, "folder": measure(folder, names), "store": measure(ROOT, names)}
    finally:
        files.rm(ROOT, recursive=True)


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS / "picture_reads.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = run(Path(folder))
    settings = {"pictures": PICTURES, "size": list(SIZE), "windows": "20 wide, moved by 10"}
    result = {name: asdict(reads) for name, reads in measured.items()}
    write_result(options.out, {**envelope("picture_reads"), "settings": settings, **result})
    for name, reads in measured.items():
        print(f"{name}: {reads.whole_file_reads} whole-file reads, {reads.sha256_passes} SHA-256 passes")


if __name__ == "__main__":
    main()

"""How fast the catalogue is drawn by one process: with files, and thumbnail and region in memory."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from PIL import Image

from measure.envelope import RESULTS, envelope, write_result
from vretrver.images import LOOK_QUALITY, encode_picture, resized
from vretrver.world.draw.render import label_place, render
from vretrver.world.draw.world import TWINS, Shot, draw_family
from vretrver.world.draw.write import write_catalogue

SEED = 20_261_120
PICTURES = 400


def in_memory(count: int) -> float:
    """Return pictures per second: each drawn, made into the 96 px thumbnail and a 128 px region round its label."""
    shots = [Shot(family=draw_family(SEED, number), twin=number % TWINS) for number in range(count)]
    started = time.perf_counter()
    for shot in shots:
        picture = Image.fromarray(render(shot))
        left, top, right, bottom = label_place(shot).box
        corner = max(min((left + right) // 2 - 64, 640), 0), max(min((top + bottom) // 2 - 64, 640), 0)
        encode_picture(resized(picture, (96, 96)))
        encode_picture(picture.crop((*corner, corner[0] + 128, corner[1] + 128)), quality=LOOK_QUALITY)
    return count / (time.perf_counter() - started)


def with_files(count: int) -> float:
    """Return pictures per second of `write_catalogue` in one process, everything it writes included."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        summary = write_catalogue(Path(folder), seed=SEED, items=count // 2)
        return summary.pictures / (time.perf_counter() - started)


def main() -> None:
    """Measure and write the result file; the first pictures only fill the caches of sprites."""
    cold = in_memory(100)
    figures = {
        "pictures": PICTURES,
        "in_memory_first_100_per_second": round(cold, 1),
        "in_memory_per_second": [round(in_memory(PICTURES), 1) for _ in range(3)],
        "with_files_per_second": [round(with_files(PICTURES), 1) for _ in range(3)],
    }
    write_result(RESULTS / "catalogue_speed.json", {**envelope("catalogue_speed"), **figures})

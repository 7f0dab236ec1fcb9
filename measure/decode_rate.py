"""How fast pictures become thumbnails: `ImageStore.thumbnail` against Pillow decoding every pixel, in the same run.

    python -m measure decode_rate [--photos FOLDER] [--repeat 5]

Both arms read the file, turn it upright and resize it with the same filter to the same size, picture by picture in
turn, on one thread; seconds are of this process on its CPU, so that a busy machine does not change the ratio. The
photo set is left out when its folder is missing; the 12-megapixel photos and the PDF page are drawn here.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from measure.envelope import RESULTS, envelope, write_result
from vretrver.geometry import PixelBudget
from vretrver.images import ImageStore, resized
from vretrver.records import ImageRef

BUDGETS = (9, 64)
"""Visual tokens of 32 x 32 pixels a thumbnail may have."""

DRAWN = 6
"""12-megapixel photos drawn."""


def main() -> None:
    """Measure and write measure/results/decode_rate.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/data/coco_small/raw/images"))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "decode_rate.json")
    options = parser.parse_args()
    result: dict[str, object] = {
        **envelope("decode_rate"),
        "repeat": options.repeat,
        "unit": "pictures per CPU second of one thread; the PDF page in seconds on the clock",
    }
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder)
        draw_photos(drawn)
        sets = {"drawn 12-megapixel JPEGs": drawn, "photos": options.photos}
        result["sets"] = {
            name: {f"{tokens} tokens": compare(path, tokens, options.repeat) for tokens in BUDGETS}
            for name, path in sets.items()
            if path.is_dir()
        }
        result["pdf"] = pdf_rate(drawn, options.repeat)
    write_result(options.out, result)


def draw_photos(folder: Path) -> None:
    """Write JPEGs of 4000 x 3000 pixels, smooth with grain, as a camera's are; the same on every machine."""
    generator = np.random.default_rng(12)
    for number in range(DRAWN):
        coarse = generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC), dtype=np.int16)
        grain = generator.integers(-12, 13, smooth.shape, dtype=np.int16)
        photo = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
        photo.save(folder / f"{number}.jpg", quality=88)


def compare(folder: Path, tokens: int, repeat: int) -> dict[str, object]:
    """Return pictures per CPU second of both arms over the JPEGs of a folder, best of `repeat` for each picture."""
    store, rule = ImageStore({"": folder}, cache_bytes=0, held_bytes=0), PixelBudget(cell=32, tokens=tokens)
    refs = [ImageRef(path=path.name) for path in sorted(folder.glob("*.jpg"))]
    ours, plain = 0.0, 0.0
    for ref in refs:
        arms = (partial(store.thumbnail, ref, rule), partial(whole, folder / ref.path, rule))
        first, second = best_of(repeat, arms)
        ours, plain = ours + first, plain + second
    return {
        "pictures": len(refs),
        "ours_per_second": round(len(refs) / ours, 1),
        "pillow_without_draft_per_second": round(len(refs) / plain, 1),
        "times_as_fast": round(plain / ours, 2),
    }


def whole(path: Path, rule: PixelBudget) -> Image.Image:
    """Return a thumbnail as plain Pillow makes it: every pixel is decoded."""
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return resized(upright, rule.fit(*upright.size))


def best_of(repeat: int, arms: Sequence[Callable[[], object]]) -> list[float]:
    """Return the least CPU seconds of each arm; the arms take turns."""
    best = [float("inf")] * len(arms)
    for _ in range(repeat):
        for place, arm in enumerate(arms):
            start = time.process_time()
            arm()
            best[place] = min(best[place], time.process_time() - start)
    return best


def pdf_rate(folder: Path, repeat: int) -> dict[str, object]:
    """Return the wall seconds of one A4 page at full size: a scan, rendered by the other process and handed over."""
    Image.effect_noise((1240, 1754), 30).convert("RGB").save(folder / "scan.pdf", resolution=150)
    store, ref = ImageStore({"": folder}, cache_bytes=0), ImageRef(path="scan.pdf")
    size = store.original(ref).size
    seconds = []
    for _ in range(max(repeat, 5)):
        start = time.perf_counter()
        store.original(ref)
        seconds.append(time.perf_counter() - start)
    return {"page_pixels": list(size), "least_seconds": round(min(seconds), 3)}

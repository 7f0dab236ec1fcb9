"""Readings of drawn documents by OCR, kept on disk with the seconds they took: no page is read twice."""

from __future__ import annotations

import json
import time
from pathlib import Path

from PIL import Image

from vretrver.agent.texts import LinesRead
from vretrver.assembly.texts import TextsOfPictures
from vretrver.geometry import Box, SizeRule
from vretrver.images import ImageStore, Picture
from vretrver.records import ImageRef
from vretrver.text.stored import lines_from_json, lines_to_json


class Scans:
    """Pictures of files whose own text is left aside: everything is read by OCR.

    Args:
        store: opens the files.
    """

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def pin(self, ref: ImageRef) -> ImageRef:
        """Return the reference with hash and size."""
        return self._store.pin(ref)

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        """Return the finished bytes of a whole picture."""
        return self._store.whole(ref, rule, quality=quality)

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        """Return a region at (width, height)."""
        return self._store.crop(ref, box, size)


class KeptReadings:
    """A `TextProvider` that keeps what OCR read, of whole pages and of regions.

    Args:
        store: opens the files.
        file: JSONL of readings; made where there is none.
    """

    def __init__(self, store: ImageStore, file: Path) -> None:
        self._texts = TextsOfPictures(Scans(store), ocr=True)
        self._file = file
        self._known: dict[str, tuple[LinesRead, float]] = {}
        for line in file.read_text("utf-8").splitlines() if file.exists() else ():
            row = json.loads(line)
            lines = lines_from_json(row["lines"])
            self._known[row["key"]] = LinesRead(lines=lines, made_by=row["made_by"]), row["seconds"]

    def read(self, image: ImageRef, box: Box | None = None) -> LinesRead:
        """Return the lines of a picture or a region, read once."""
        return self._kept(image, box)[0]

    def seconds(self, image: ImageRef) -> float:
        """Return the seconds that reading a whole page took on one core."""
        return self._kept(image, None)[1]

    def _kept(self, image: ImageRef, box: Box | None) -> tuple[LinesRead, float]:
        key = f"{image.sha256} {image.page} {None if box is None else box.to_list()}"
        if key not in self._known:
            began = time.process_time()
            found = self._texts.read(image, box)
            self._known[key] = found, time.process_time() - began
            row = {"key": key, "lines": lines_to_json(found.lines), "made_by": found.made_by}
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row | {"seconds": round(self._known[key][1], 3)}) + "\n")
        return self._known[key]

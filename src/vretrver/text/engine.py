"""RapidOCR (extra `ocr`), set up to run with the models in its wheel only, on one thread, in bounded memory.

Departures from the library's own pipeline: text is looked for on a smaller copy of the picture, whose size has a
bound for every shape of picture, and is read from the original, so that small print on a large scan stays legible.
"""

from __future__ import annotations

import logging
import math
import threading
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from .._optional import require
from ..errors import ConfigError
from ..geometry import Box
from ..records import TextLine
from .layer import clean
from .order import in_reading_order, in_rows

INSTALL_OCR = "pip install 'vretrver[ocr]'"
"""What a person runs to have pictures read."""

DETECTION_PIXELS = 2_000_000
"""Most pixels of the copy on which text is looked for: an A4 page at 145 dots per inch, a second on one core."""

FIRST_PIXELS = 1_000_000
"""The same for a first copy of large pictures; most photos show no text there and need no second look."""

DETECTION_SIDE = 736
"""Pictures with a shorter side are enlarged towards this for it, at most twice."""

LEAST_SIDE = 8
"""Pictures with a shorter side in pixels hold no letter that could be read."""

LEAST_CONFIDENCE = 0.5
"""Lines of which the reader is less sure are left out."""

_BORDER = 32  # pixels added around a copy with a shorter side below four of these; its text may touch the edge
_LIBRARIES = ("rapidocr", "onnxruntime")


def is_installed() -> bool:
    """Return whether the libraries of the extra `ocr` are there; none is loaded."""
    return all(find_spec(name) is not None for name in _LIBRARIES)


class OcrEngine:
    """Finds and reads the lines of text on pixels; threads may share one, and are served one after another.

    Args:
        threads: threads that one reading uses.

    Raises:
        MissingDependency: a library is not installed.
        ConfigError: its models are not where its wheel has them.
    """

    def __init__(self, *, threads: int = 1) -> None:
        for name in reversed(_LIBRARIES):
            require(name, extra="ocr")
        self._arrays = require("numpy", extra="ocr")
        self._vision = require("cv2", extra="ocr")
        self._vision.setNumThreads(threads)
        self._library = _library(threads)
        self._lock = threading.Lock()

    def lines(self, picture: Image.Image) -> tuple[TextLine, ...]:
        """Return the lines on a picture in RGB, in reading order, with boxes in its pixels."""
        if min(picture.size) < LEAST_SIDE:
            return ()
        np = self._arrays
        pixels = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])  # blue first, as the models were trained
        with self._lock:
            quads = self._found(pixels)
            read = self._read(pixels, quads) if len(quads) else []
        found = [
            TextLine(text=words, box=box, confidence=min(max(float(sure), 0.0), 1.0))
            for quad, (text, sure) in zip(quads, read, strict=True)
            if sure >= LEAST_CONFIDENCE and (words := clean(text)) and (box := box_of(quad, picture.size))
        ]
        return in_reading_order(in_rows(found))

    def _found(self, pixels: Any) -> Any:
        """Return the corners of lines [N, 4, 2] on a picture [H, W, 3].

        A large picture is looked at twice. On the smaller copy a lone line on an empty page is found, which is lost
        on the larger one; the larger one shows small print. Where the smaller shows no text, that is the answer.
        """
        height, width = pixels.shape[:2]
        fine = detection_size(width, height, most=DETECTION_PIXELS)
        coarse = detection_size(width, height, most=FIRST_PIXELS)
        first = self._found_on(pixels, coarse)
        if coarse == fine or not len(first):
            return first
        second = self._found_on(pixels, fine)
        return second if len(second) >= len(first) else first

    def _found_on(self, pixels: Any, size: tuple[int, int]) -> Any:
        np, vision, (height, width) = self._arrays, self._vision, pixels.shape[:2]
        copy = vision.resize(pixels, size, interpolation=vision.INTER_AREA)
        border = _BORDER if min(size) < 4 * _BORDER else 0
        if border:
            copy = np.pad(copy, ((border, border), (border, border), (0, 0)), mode="edge")
        boxes = self._library(copy, use_det=True, use_cls=False, use_rec=False).boxes
        if boxes is None:
            return np.zeros((0, 4, 2), np.float32)
        scale = np.array([width / size[0], height / size[1]], np.float32)
        return np.clip((np.asarray(boxes, np.float32) - border) * scale, 0, np.array([width, height], np.float32))

    def _read(self, pixels: Any, quads: Any) -> list[tuple[str, float]]:
        """Return (text, confidence) of each line."""
        cuts = self._library.crop_text_regions(pixels, quads)
        turned, _ = self._library.cls_and_rotate(cuts)
        read = self._library.recognize_txt(turned)
        return list(zip(read.txts, read.scores, strict=True))


@lru_cache(maxsize=1)
def shared_engine() -> OcrEngine:
    """Return the engine of this process; its models take a quarter of a second and 200 MiB to load."""
    return OcrEngine()


def detection_size(width: int, height: int, *, most: int) -> tuple[int, int]:
    """Return the (width, height) of the copy of a picture on which text is looked for, with at most `most` pixels."""
    scale = min(math.sqrt(most / (width * height)), max(DETECTION_SIDE / min(width, height), 1.0), 2.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def box_of(quad: Any, size: tuple[int, int]) -> Box | None:
    """Return the upright box around four corners, rounded outward, inside a picture; None where it is empty."""
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    left, top = max(math.floor(left), 0), max(math.floor(top), 0)
    right, bottom = min(math.ceil(right), size[0]), min(math.ceil(bottom), size[1])
    return Box(left=left, top=top, right=right, bottom=bottom) if left < right and top < bottom else None


def _library(threads: int) -> Any:
    """Return RapidOCR with its models named, so that it never looks for them on the network."""
    library = require("rapidocr", extra="ocr")
    settings: dict[str, object] = {
        "Global.log_level": "critical",
        "Global.use_preprocess_img": False,
        "Global.use_vertical_padding": False,
        "Det.limit_type": "max",
        "Det.limit_side_len": 10**9,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    folder = Path(library.__file__).parent / "models"
    for part in ("det", "cls", "rec"):
        models = sorted(folder.glob(f"*_{part}_*.onnx"))
        if len(models) != 1:
            raise ConfigError(
                f"{folder}: holds {len(models)} models {part!r}, not one as the wheel of rapidocr does; run: "
                "pip install --force-reinstall 'vretrver[ocr]'"
            )
        settings[f"{part.capitalize()}.model_path"] = str(models[0])
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return library.RapidOCR(params=settings)

"""What can be searched, and how, with what is installed; told from what is there, nothing is loaded or run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from ..errors import DataError
from ..retrieval.lexical.database import new_in_memory
from .findings import Finding, note, ok

MODULES = {
    "sources": ("pypdfium2",), "ocr": ("rapidocr", "onnxruntime"), "models": ("torch", "transformers"),
    "http": ("httpx2",),
}  # fmt: skip
"""Extra -> the modules that what is told here needs."""

_ALWAYS = (
    ("search", "pictures by colours, texts by words: --encoder hash, the default, needs no model"),
    ("read", "folders of pictures, TIFF, JSONL, CSV and TSV tables, pools of M-BEIR"),
    ("rerank", "by what is written, without a model: --policy reader"),
    ("rerank", "with scripts (--policy first-k, random, replay:FILE), which look at nothing"),
)
_WITH = (
    ("search", "sources", MODULES["sources"], "PDF pages"),
    ("read", "sources", MODULES["sources"], "the text layers of PDF pages, each line with its box"),
    ("read", "ocr", MODULES["ocr"], "the text on pictures and scans, when they are indexed (OCR)"),
    ("search", "sources", ("pillow_heif",), "HEIC pictures"),
    ("search", "sources", ("pyarrow",), "parquet tables"),
    ("search", "fs", ("fsspec",), "pictures in a store, --root s3://..."),
    (
        "search",
        "models",
        MODULES["models"],
        "by what pictures show: --encoder shipped, clip:FOLDER or clip:OWNER/NAME of the hub, lamra: ...",
    ),
    ("search", "http", MODULES["http"], "by the vectors of a server: --encoder http:URL#MODEL"),
    ("search", "qdrant", ("qdrant_client",), "Qdrant collections, qdrant://HOST:PORT/COLLECTION"),
    (
        "rerank",
        "models",
        MODULES["models"],
        "by looking, in this process: --policy shipped, local:FOLDER or local:OWNER/NAME",
    ),
    ("rerank", "http", MODULES["http"], "by looking, on a server: --policy http:URL --model NAME"),
)
"""(what can be done, extra, modules it needs, with what)."""


def check_abilities() -> Iterator[Finding]:
    """Say what can be searched and reranked, and what would be with an extra that is not installed."""
    for subject, sentence in _ALWAYS:
        yield ok(subject, sentence)
    yield _words()
    for subject, extra, modules, sentence in _WITH:
        if all(importlib.util.find_spec(module) is not None for module in modules):
            yield ok(subject, sentence)
        else:
            yield note(subject, f"not yet {sentence}; run: pip install 'vretrver[{extra}]'")


def _words() -> Finding:
    try:
        new_in_memory().close()
    except DataError as error:
        return note("search", str(error))
    return ok("search", "words, dates, amounts and codes, in texts, metadata, names and what was read on pictures")

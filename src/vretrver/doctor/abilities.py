"""What can be searched, and how, with what is installed; told from what is there, nothing is loaded or run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from .findings import Finding, note, ok

_ALWAYS = (
    ("search", "pictures by colours, texts by words: --encoder hash, the default, needs no model"),
    ("read", "folders of pictures, TIFF, JSONL, CSV and TSV tables, pools of M-BEIR"),
    ("rerank", "with scripts (--policy first-k, random, replay:FILE), which look at nothing"),
)
_WITH = (
    ("search", "sources", ("pypdfium2",), "PDF pages"),
    ("search", "sources", ("pillow_heif",), "HEIC pictures"),
    ("search", "sources", ("pyarrow",), "parquet tables"),
    ("search", "fs", ("fsspec",), "pictures in a store, --root s3://..."),
    (
        "search",
        "models",
        ("torch", "transformers"),
        "by what pictures show: --encoder shipped, clip:FOLDER or clip:OWNER/NAME of the hub, lamra: ...",
    ),
    ("search", "http", ("httpx2",), "by the vectors of a server: --encoder http:URL#MODEL"),
    ("search", "qdrant", ("qdrant_client",), "Qdrant collections, qdrant://HOST:PORT/COLLECTION"),
    (
        "rerank",
        "models",
        ("torch", "transformers"),
        "by looking, in this process: --policy shipped, local:FOLDER or local:OWNER/NAME",
    ),
    ("rerank", "http", ("httpx2",), "by looking, on a server: --policy http:URL --model NAME"),
)
"""(what can be done, extra, modules it needs, with what)."""


def check_abilities() -> Iterator[Finding]:
    """Say what can be searched and reranked, and what would be with an extra that is not installed."""
    for subject, sentence in _ALWAYS:
        yield ok(subject, sentence)
    for subject, extra, modules, sentence in _WITH:
        if all(importlib.util.find_spec(module) is not None for module in modules):
            yield ok(subject, sentence)
        else:
            yield note(subject, f"not yet {sentence}; run: pip install 'vretrver[{extra}]'")

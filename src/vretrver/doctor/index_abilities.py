"""How an index can be searched and reranked with what is installed; nothing is loaded, no picture is opened."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ..errors import DataError
from ..retrieval.directory.manifest import Manifest
from ..retrieval.directory.texts import TextStore
from ..retrieval.lexical.database import WORDS
from ..retrieval.lexical.index import LexicalIndex
from .abilities import MODULES

_SERVERS = ("http", "https")


def index_abilities(directory: Path, manifest: Manifest) -> dict[str, str]:
    """Return what an index is searched by -> yes or no, with what is there or what is missing.

    Args:
        directory: the index directory.
        manifest: what it says of itself.
    """
    return {
        "words": _words(directory),
        "picture_text": _texts(directory),
        "vectors": _vectors(manifest.encoder),
        "text_layers": _with("sources", "PDF pages are read as they are"),
        "ocr": _with("ocr", "pictures and scans are read when they are indexed"),
        "agent": f"reader, by what is written; local and shipped models: {_with('models')}; servers: {_with('http')}",
    }


def _words(directory: Path) -> str:
    try:
        with LexicalIndex(directory / WORDS) as words:
            return f"yes, of {len(words)} items"
    except DataError as error:
        return f"no: {error}"


def _texts(directory: Path) -> str:
    try:
        with TextStore(directory) as texts:
            kept, waiting = texts.counts()
    except DataError as error:
        return f"no: {error}"
    return f"{kept - waiting} pages and pictures read" + (f", {waiting} wait for OCR" if waiting else "")


def _vectors(encoder: str) -> str:
    if not encoder:
        return "imported: name what encodes queries with --encoder"
    kind = encoder.partition(":")[0]
    if kind == "hash":
        return "yes: colours, without a model"
    return _with("http" if kind in _SERVERS else "models", f"by {encoder}")


def _with(extra: str, what: str = "") -> str:
    there = all(importlib.util.find_spec(module) is not None for module in MODULES[extra])
    said = f"{'yes' if there else 'no'}{f': {what}' if what and there else ''}"
    return said if there else f"{said}, run: pip install 'vretrver[{extra}]'"

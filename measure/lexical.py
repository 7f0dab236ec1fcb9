"""Words beside vectors: rates of building and asking the index, and who finds what with which tokens."""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from measure.envelope import RESULTS, envelope, write_result
from measure.lexical_world import Collection, captions, keywords, receipts
from vretrver.evaluation.intervals import wilson
from vretrver.images import ImageStore
from vretrver.retrieval.fusion import EQUAL
from vretrver.retrieval.hash_encoder import HashEncoder
from vretrver.retrieval.index import MemoryIndex
from vretrver.retrieval.lexical.database import WORDS, create_database
from vretrver.retrieval.lexical.index import LexicalIndex
from vretrver.retrieval.lexical.lines import NoTexts, indexed_text
from vretrver.retrieval.lexical.tokens import Word
from vretrver.retrieval.retriever import Retriever
from vretrver.retrieval.wordsearch import WordSearch

_BATCH = 512
_WORDS = 20_000  # different words of the texts that rates are measured on; their frequencies fall as 1/rank
_TOKENS = "vretrver.retrieval.lexical.tokens"


def texts(count: int) -> list[str]:
    """Return short texts: twelve words, a code, a date and an amount."""
    rng = random.Random(count)
    names = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))) for _ in range(_WORDS)]
    return [
        f"{' '.join(names[int(_WORDS ** rng.random()) - 1] for _ in range(12))} "
        f"INV-{rng.randint(2000, 2030)}/{n:06d} {rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}."
        f"20{rng.randint(10, 30)} {rng.randint(1, 999)},{rng.randint(10, 99)} EUR"
        for n in range(count)
    ]


def rates(count: int) -> dict[str, object]:
    """Return what building and asking an index of a size takes, in seconds of this processor."""
    items = texts(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WORDS
        create_database(path)
        with LexicalIndex(path) as index:
            began = time.process_time()
            for start in range(0, count, _BATCH):
                index.put((str(n), items[n], b"0" * 32) for n in range(start, min(count, start + _BATCH)))
            built = time.process_time() - began
            began = time.process_time()
            index.check()
            checked = time.process_time() - began
            few = [item.split()[12] for item in items[:: max(1, count // 50)]]
            many = [" ".join(item.split()[:6]) for item in items[:: max(1, count // 50)]]
            asked = {"a code": _per_query(index, few), "six words": _per_query(index, many)}
            asked["a word of every item"] = _per_query(index, ["EUR"] * 3)
        size = path.stat().st_size
    return {
        "items": count,
        "items_per_second": round(count / built),
        "bytes_per_item": round(size / count),
        "check_seconds": round(checked, 2),
        "query_milliseconds": asked,
    }


def _per_query(index: LexicalIndex, queries: list[str]) -> float:
    began = time.process_time()
    index.search(queries, 100)
    return round((time.process_time() - began) / len(queries) * 1000, 2)


def found(collection: Collection) -> dict[str, object]:
    """Return hit@1 with its interval by vectors alone, by words alone and by both, with other tokens too."""
    encoder = HashEncoder(ImageStore({"": collection.root}))
    index = MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint)
    Retriever(encoder, index, collection.items).encode()

    def arm(*, vectors: bool = True, words: bool = True) -> dict[str, object]:
        search = WordSearch(index=_indexed(collection), alone=not vectors) if words else None
        return _hits(Retriever(encoder, index, collection.items, words=search), collection)

    result = {"vectors": arm(words=False), "words": arm(vectors=False), "words first": arm()}
    with patch("vretrver.retrieval.finding.WORDS_FIRST", EQUAL):
        result["equal weights"] = arm()
    with patch(f"{_TOKENS}._other_number", lambda _: ()):
        result["words, no plurals"] = arm(vectors=False)
    with ExitStack() as held:
        held.enter_context(patch("vretrver.retrieval.lexical.index.tokens", plain_tokens))
        held.enter_context(patch("vretrver.retrieval.lexical.index.words_of", plain_words))
        result["words, plain tokens"] = arm(vectors=False)
    return {"items": len(collection.items), "queries": len(collection.asked), "hit@1": result}


def plain_tokens(text: str) -> list[str]:
    """Return the runs of letters and digits, casefolded: what a search without facts knows."""
    return re.findall(r"[^\W_]+", text.casefold())


def plain_words(text: str) -> tuple[Word, ...]:
    """Return the same as words of a query."""
    return tuple(Word(text=token, levels=((token,),)) for token in dict.fromkeys(plain_tokens(text)))


def _indexed(collection: Collection) -> LexicalIndex:
    index = LexicalIndex()
    index.put([(item.did, indexed_text(item, NoTexts()), b"") for item in collection.items])
    return index


def _hits(retriever: Retriever, collection: Collection) -> dict[str, object]:
    answers = retriever.find([query for query, _ in collection.asked], 10)
    right = sum(
        bool(one.hits) and one.hits[0].candidate.did in wanted
        for one, (_, wanted) in zip(answers, collection.asked, strict=True)
    )
    low, high = wilson(right, len(answers))
    nothing = sum(not one.hits for one in answers)
    return {"share": round(right / len(answers), 3), "interval": [round(low, 3), round(high, 3)], "nothing": nothing}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with coco_small and emoji.")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--out", type=Path, default=RESULTS / "lexical.json")
    arguments = parser.parse_args()
    result = {
        **envelope("lexical", arguments=["--data", "DATA"], libraries={"sqlite": sqlite3.sqlite_version}),
        "rates": [rates(count) for count in arguments.sizes],
        "captions": found(captions(arguments.data)),
        "keywords": found(keywords(arguments.data, 600)),
        "receipts": found(receipts(300)),
    }
    write_result(arguments.out, result)

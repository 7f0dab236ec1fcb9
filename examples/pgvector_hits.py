"""Turn the rows of a pgvector query into requests for `vretrver rerank`.

    psql -At -c "SELECT json_agg(found ORDER BY qid, distance) FROM (
        SELECT q.qid, q.text AS query, p.id, p.title, p.photo, p.price, p.embedding <=> q.embedding AS distance
        FROM queries q CROSS JOIN LATERAL (
            SELECT * FROM products ORDER BY embedding <=> q.embedding LIMIT 50) p) found" > found.json
    python examples/pgvector_hits.py found.json > requests.jsonl

`<=>` is the cosine distance, smaller being better; a request wants scores, higher being better.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any


def candidate(row: dict[str, Any]) -> dict[str, object]:
    """Return one row in the request form; NULL columns are left out."""
    found: dict[str, object] = {
        "did": str(row["id"]),
        "score": 1.0 - row["distance"],
        "metadata": {"price": row["price"]},
    }
    return found | {key: row[column] for key, column in (("text", "title"), ("image", "photo")) if row[column]}


def requests(rows: list[dict[str, Any]]) -> Iterator[dict[str, object]]:
    """Yield a request for each query, its candidates nearest first whatever the order of the rows."""
    ordered = sorted(rows, key=lambda row: (row["qid"], row["distance"]))
    for qid, group in groupby(ordered, key=lambda row: row["qid"]):
        found = list(group)
        yield {"qid": str(qid), "text": found[0]["query"], "candidates": [candidate(row) for row in found]}


def main(response_file: str) -> None:
    """Write the requests to standard output."""
    rows = json.loads(Path(response_file).read_text(encoding="utf-8"))
    if not rows:  # json_agg of no rows is null
        sys.exit("the query returned no rows")
    for request in requests(rows):
        sys.stdout.write(json.dumps(request, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

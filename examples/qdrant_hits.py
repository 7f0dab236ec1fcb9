r"""Turn a Qdrant batch query response into requests for `vretrver rerank`.

    curl -s "$HOST/collections/products/points/query/batch" -H "api-key: $QDRANT_API_KEY" \
        -H 'Content-Type: application/json' --data @searches.json > found.json
    python examples/qdrant_hits.py queries.jsonl found.json > requests.jsonl

For a collection of your own making: one that `vretrver` wrote is searched directly, as qdrant://HOST:PORT/COLLECTION.
`queries.jsonl` holds one {"qid", "text"} for each search, in the same order, and each search asks for its payload.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def candidate(point: dict[str, Any]) -> dict[str, object]:
    """Return one point in the request form; `title` and `photo` are fields of the example's payload."""
    payload = point["payload"] or {}
    row: dict[str, object] = {"did": str(point["id"]), "score": point["score"]}
    return row | {key: payload[field] for key, field in (("text", "title"), ("image", "photo")) if payload.get(field)}


def requests(queries: list[dict[str, Any]], response: dict[str, Any]) -> Iterator[dict[str, object]]:
    """Yield a request for each query; an error, and a query without points, end the program."""
    if response["status"] != "ok":
        sys.exit(f"the search failed: {response['status'].get('error', response['status'])}")
    answers = response["result"]
    if len(answers) != len(queries):
        sys.exit(f"{len(queries)} queries, but {len(answers)} answers: they must be as many, in the same order")
    for query, answer in zip(queries, answers, strict=True):
        if not answer["points"]:
            sys.exit(f"query {query['qid']}: nothing was found; leave it out")
        yield {**query, "candidates": [candidate(point) for point in answer["points"]]}


def main(queries_file: str, response_file: str) -> None:
    """Write the requests to standard output."""
    queries = [json.loads(line) for line in Path(queries_file).read_text(encoding="utf-8").splitlines()]
    response = json.loads(Path(response_file).read_text(encoding="utf-8"))
    for request in requests(queries, response):
        sys.stdout.write(json.dumps(request, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

r"""Turn an OpenSearch (or Elasticsearch) `_msearch` response into requests for `vretrver rerank`.

    curl -s "$HOST/products/_msearch" -H 'Content-Type: application/x-ndjson' \
        --data-binary @searches.ndjson > found.json
    python examples/opensearch_hits.py queries.jsonl found.json > requests.jsonl

`queries.jsonl` holds one {"qid", "text"} for each search, in the same order. The fields `title` and `photo` of a
product are those of the example: put yours in `candidate`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def candidate(hit: dict[str, Any]) -> dict[str, object]:
    """Return one hit in the request form; a product without a photo is a text."""
    source = hit["_source"]
    row: dict[str, object] = {"did": hit["_id"], "score": hit["_score"], "metadata": {"index": hit["_index"]}}
    return row | {key: source[field] for key, field in (("text", "title"), ("image", "photo")) if source.get(field)}


def requests(queries: list[dict[str, Any]], response: dict[str, Any]) -> Iterator[dict[str, object]]:
    """Yield a request for each query; a search that failed, is incomplete or found nothing ends the program."""
    answers = response["responses"]
    if len(answers) != len(queries):
        sys.exit(f"{len(queries)} queries, but {len(answers)} answers: they must be as many, in the same order")
    for query, answer in zip(queries, answers, strict=True):
        if "error" in answer:
            sys.exit(f"query {query['qid']}: the search failed: {answer['error']['reason']}")
        if answer["timed_out"] or answer["_shards"]["failed"]:
            sys.exit(f"query {query['qid']}: only part of the index was searched; search again")
        if not answer["hits"]["hits"]:
            sys.exit(f"query {query['qid']}: nothing was found; leave it out")
        yield {**query, "candidates": [candidate(hit) for hit in answer["hits"]["hits"]]}


def main(queries_file: str, response_file: str) -> None:
    """Write the requests to standard output."""
    queries = [json.loads(line) for line in Path(queries_file).read_text(encoding="utf-8").splitlines()]
    response = json.loads(Path(response_file).read_text(encoding="utf-8"))
    for request in requests(queries, response):
        sys.stdout.write(json.dumps(request, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

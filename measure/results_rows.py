"""The rows of the table of docs/results.md that says what is measured: what, its figure, the file that holds it.

A row whose file is not there is left out; a file that no row and no other table names fails a test.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

Row = tuple[str, str]
"""What was measured, and its figure."""

_BUSY = [f"{what}{pool}" for what in ("sessions", "queries", "groups") for pool in ("", ", with a pool")]


def _documents(found: Json) -> Iterator[Row]:
    drawn, ranked, cited = found["documents"], found["ranked"], found["cited_lines"]["covering"]
    twins, swapped = ranked["hit_at_1"]["single and twin"], ranked["hit_at_1"]["swapped"]
    none = ranked["none_fits"]
    kinds = f"{drawn['count']} drawn letters, invoices and receipts, a third with a text layer"
    yield (
        f"{kinds}: asked by three facts, the right one first by words; by the policy `reader`",
        f"{twins['words']['share']:.3f}; {twins['reader']['share']:.3f} of {twins['queries']}",
    )
    yield (
        "the same where sum and deposit of two documents are swapped",
        f"{swapped['words']['share']:.3f}; {swapped['reader']['share']:.3f} of {swapped['queries']}",
    )
    yield (
        f"`reader` says that none fits, {none['queries_without_answer']} queries with no answer: precision, recall",
        f"{none['precision']['share']:.3f}, {none['recall']['share']:.3f}",
    )
    yield "box of the cited line covers the printed fact", f"{cited['share']:.3f} of {cited['of']}"
    rates = found["rates_on_one_core"]
    yield "OCR of a page, one core, median", f"{rates['ocr_seconds_median']:.1f} s"


def _reading(found: Json) -> Iterator[Row]:
    layer, ocr = found["layer"], found["ocr"]
    yield (
        f"text layers of {layer['pages']} pages of {layer['characters_a_page']:,} characters",
        f"{layer['pages_a_second']:.0f} pages a second",
    )
    yield (
        f"{ocr['values']} values on {ocr['letters']} drawn letters: read by OCR; box covers them",
        f"{ocr['values_read']:.3f}; {ocr['values_covered']:.3f}",
    )


def _lexical(found: Json) -> Iterator[Row]:
    most = max(found["rates"], key=lambda one: one["items"])
    spent = most["query_milliseconds"]
    yield (
        f"words of {most['items']:,} items: indexed; a query for a code, for six words",
        f"{most['items_per_second']:,} items a second; {spent['a code']:.1f} ms, {spent['six words']:.0f} ms",
    )
    receipts = found["receipts"]["hit@1"]
    yield (
        (
            f"{found['receipts']['queries']} invoices as texts, in twins: hit@1 by words; by words without our "
            "handling of dates, sums and codes"
        ),
        f"{receipts['words']['share']:.3f}; {receipts['words, plain tokens']['share']:.3f}",
    )
    captions = found["captions"]["hit@1"]
    yield (
        (
            f"{found['captions']['queries']} photographs by four of their captions, asked by the fifth: hit@1 by "
            "words; fused with `hash`"
        ),
        f"{captions['words']['share']:.3f}; {captions['equal weights']['share']:.3f}",
    )


def _fuzz(found: Json) -> Iterator[Row]:
    what = f"{found['replies']:,} mutated replies and {found['sessions']:,} whole sessions: broken promises"
    yield what, str(len(found["broken"]))


def _equal(found: Json) -> Iterator[Row]:
    runs = found["runs"].values()
    sessions = sum(run["sessions"] for run in runs)
    same = sum(run["turns_equal"] for run in runs)
    yield (
        f"sessions of the shipped agent before and after the new kernel, of {sessions:,}: turn for turn the same",
        (f"{same:,}"),
    )


def _soak(found: Json) -> Iterator[Row]:
    queries = sum(load["queries"] for load in found["loads"].values())
    what = f"{queries:,} queries of many callers over one engine, some cancelled or late: broken promises"
    yield what, str(len(found["broken"]))


def _plans(found: Json) -> Iterator[Row]:
    for name, figures in found["plans"].items():
        rounds = f"{figures['policy_rounds']:.1f} rounds of turns"
        value, low, high = figures["hit@1"]
        yield (
            f"50 candidates by the plan `{name}`, {found['settings']['queries']} queries: hit@1; in a row",
            f"{value:.3f} [{low:.3f}, {high:.3f}]; {rounds}",
        )


def _occupancy(found: Json) -> Iterator[Row]:
    settings, busy = found["settings"], min(found[arm]["occupancy"] for arm in _BUSY)
    yield (
        (
            f"{settings['count']} sessions of different lengths over {settings['slots']} places, also with children "
            "and a pool: places busy"
        ),
        f"{busy:.3f}; in rounds {found['rounds']['occupancy']:.3f}",
    )


def _http(found: Json) -> Iterator[Row]:
    most = max(found["throughput"], key=lambda one: one["in_flight"])
    yield (
        (
            f"a server that takes {found['settings']['server_ms']} ms a turn, {most['in_flight']} sessions at once: "
            "of the ideal rate"
        ),
        f"{most['of_ideal']:.2f}",
    )


def _kill(found: Json) -> Iterator[Row]:
    yield f"{found['kills']:,} kills while indexing 20,000 items: acknowledged items lost", str(found["lost"])


def _scale(found: Json) -> Iterator[Row]:
    exact, near = found["results"]["1000000"]["exact"], found["results"]["1000000"]["approximate"]
    yield (
        "exact search of 1,000,000 x 512: p50, against faiss Flat in the same run",
        f"{exact['p50_ms']:.1f} ms, {exact['ratio_of_medians']} of it",
    )
    yield (
        f"the same, approximate at recall@50 {near['recall@50']:.3f} (clustered vectors): p50",
        f"{near['p50_ms']} ms",
    )


def _reads(found: Json) -> Iterator[Row]:
    yield (
        (
            f"files read for a query of {found['settings']['pictures']} pictures with {found['folder']['zooms']} "
            "zooms; without remembering"
        ),
        f"{found['folder']['whole_file_reads']}; {found['never remembered']['whole_file_reads']}",
    )


def _overlap(found: Json) -> Iterator[Row]:
    over = found["over_pool"]
    yield (
        "pictures opened beside the policy, against one thread; against the version before",
        f"{over['one thread']:.1f} times as fast; {over['before']:.1f} times",
    )


def _decode(found: Json) -> Iterator[Row]:
    fast = found["sets"]["drawn 12-megapixel JPEGs"]["9 tokens"]["times_as_fast"]
    yield "thumbnails of 12-megapixel JPEGs, against Pillow without draft", f"{fast:.1f} times as many"


def _drawing(found: Json) -> Iterator[Row]:
    files, memory = statistics.median(found["with_files_per_second"]), found["in_memory_per_second"]
    yield (
        "catalogue drawn by one process: with files; thumbnail and region in memory",
        f"{files:.0f}; {min(memory):.0f} to {max(memory):.0f} a second",
    )


def _local(found: Json) -> Iterator[Row]:
    cpu = found["against_stock"]
    stock = cpu["stock_over"]
    yield (
        (
            "local policy, 108 M random weights, 20 candidates of 210 visual tokens, 3 turns: over stock "
            "transformers, which reads all again each turn"
        ),
        (
            f"{stock['own pictures']:.1f} times as fast; {stock['one pool of candidates']:.1f} over one pool of "
            f"candidates, {stock['samples of one query']:.1f} for samples of one query"
        ),
    )
    kept, batch, both = (cpu[f"{name}_over_own_pictures"] for name in ("no_cache", "one_at_a_time", "neither"))
    yield (
        "the same, against no cache between turns; against one query at a time; against neither cache nor batch",
        f"{kept:.1f} times; {batch:.1f} times; {both:.1f} times",
    )
    rates = [row["queries_a_second"] for row in found["queries_a_second"]]
    yield "shipped agent: queries a second at 1, 8 and 64 at once", f"{rates[0]:.2f}, {rates[1]:.1f}, {rates[2]:.1f}"


def _gpu(found: Json) -> Iterator[Row]:
    figures = found["against_stock"]
    stock, neither = figures["stock_over"]["own pictures"], figures["neither_over_own_pictures"]
    yield (
        (
            f"local policy on one H100, {figures['queries_at_once']} queries at once: over stock transformers; "
            "against neither cache nor batch"
        ),
        f"{stock:.1f} times as fast; {neither:.1f} times",
    )


ROWS: Mapping[str, Callable[[Json], Iterator[Row]]] = {
    "documents": _documents,
    "text_reading": _reading,
    "lexical": _lexical,
    "agent_fuzz": _fuzz,
    "kernel_equality": _equal,
    "engine_soak": _soak,
    "plans": _plans,
    "driver_occupancy": _occupancy,
    "http_policy": _http,
    "index_kill": _kill,
    "index_scale": _scale,
    "picture_reads": _reads,
    "decode_overlap": _overlap,
    "decode_rate": _decode,
    "catalogue_speed": _drawing,
    "local_policy": _local,
    "local_policy_gpu_64": _gpu,
    "local_policy_gpu": _gpu,
}
"""Result file -> its rows, in the order of the table."""


def measured_rows(results: Mapping[str, Json]) -> list[tuple[str, str, str]]:
    """Return (what, figure, file) for every result that is there."""
    return [
        (what, figure, f"`{name}.json`")
        for name, rows in ROWS.items()
        if name in results
        for what, figure in rows(results[name])
    ]

"""Writes the tables of docs/results.md from the result files.

Each stands between two comments, and a test holds them to the files. Run it after something was measured.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from measure.envelope import RESULTS
from measure.results_rows import ROWS, measured_rows

PAGE = Path(__file__).parents[1] / "docs" / "results.md"

WIDTH = 118
"""Characters of a line."""

BLOCKS = ("demo", "looks", "looks_complete", "looks_shapes", "looks_whole", "catalogue_gate")
"""Result files with a table of their own."""

HELD_SHAPES = "looks_complete_shapes"
"""Result file that has a column in the table of `looks_shapes`."""

SHAPES = {"0": "text", "4": "picture", "7": "picture and text"}
"""Task shape -> what is asked with; a picture is asked for."""

OTHERS = {
    "1": "text: its product sheet, a text",
    "2": "text: its catalogue page, picture and text",
    "3": "a picture: its description, a text",
    "6": "picture and text: its product sheet",
    "8": "picture and text: its catalogue page",
    "9": "interleaved pictures and texts: a picture",
}
"""The task shapes beside these -> what is asked with and what is asked for."""

ARMS = {
    "agent": "the agent",
    "fake-looks": "its looks show nothing new",
    "oracle-boxes": "its looks are put where the detail is",
    "no-tools": "trained without looks",
    "larger-thumbnails": "the same, with thumbnails as large as the agent's looks",
}
"""Arm of the experiment -> its row."""

WHOLE = {
    "whole-taught": "an agent taught to read whole pictures, without looks",
    "whole-candidates": "the agent, shown whole pictures it never met",
}
"""Arm that is shown candidates whole -> its row."""

_WINDOW = "5"
"""The largest window in which whole pictures leave room for an answer."""

FIGURES = {
    "hit@1": ("hit@1", "{:.3f}"),
    "mrr": ("MRR", "{:.3f}"),
    "format_valid": ("answers in the exact format", "{:.3f}"),
    "call_valid": ("calls that are carried out", "{:.4f}"),
    "zooms": ("zooms", "{:.1f}"),
    "selects": ("pictures selected whole", "{:.2f}"),
    "tokens": ("tokens read and written", "{:.0f}"),
    "visual_tokens": ("visual tokens", "{:.0f}"),
    "seconds": ("seconds", "{:.2f}"),
}
"""Figure of a cell -> its row in the agent's own table, and how it is written."""

KINDS = ("print", "emblem", "stitch")
"""Kinds of detail that twins differ in."""

PROBES = (
    ("the probe reads plain ink through the same thumbnail (control)", "told_where", "control_plain_ink", False),
    ("told where the label is, from the thumbnail", "told_where", "top1", True),
    ("observer that knows pose, ground and light, from the thumbnail", "observer", "verdict", True),
    ("not told where, from the thumbnail", "not_told", "top1", True),
    ("the same network on the native crop", "native", "top1", False),
)
"""Row of the gate's table, its arm and figure there, whether the upper bound is told."""

SIDE_DATA, SHARE = "ids, order, file sizes and texts", "ids, order, sizes and texts, text to picture"

Json = Mapping[str, Any]


def demo_block(demo: Json) -> str:
    """Return the table of a demonstration, and how long it took."""
    first, again = demo["first"], demo["again"]
    coarse, agent = first["coarse"], first["agent"]
    rows = [
        ("coarse stage", _interval(coarse["hit@1"]), _interval(coarse["mrr"]), "", "", ""),
        _arm("agent whose looks show nothing new", first["agent_without_evidence"]),
        _arm("agent", agent),
        _arm("scripted oracle, which knows the answers and where the details are", first["oracle"]),
    ]
    table = _table(("stage", "hit@1", "MRR", "looks", "tokens", "seconds"), rows)
    sentence = (
        f"{first['queries']} queries over {first['pool']} pictures, 95 % intervals; looks, tokens and seconds per "
        "query, many being ranked at once. The right picture is among the 20 of the coarse stage for "
        f"{coarse['hit@20'][0]:.3f} of the queries; {agent['failed']} got no usable answer. The first run took "
        f"{first['wall_seconds']:.0f} s, a second one, which finds the rankings kept, {again['wall_seconds']:.0f} s, "
        f"on {demo['machine']['cores']} cores (`measure/results/demo.json`)."
    )
    return f"{table}\n\n{_wrapped(sentence)}"


def looks_block(looks: Json) -> str:
    """Return the end-to-end hit@1 of every arm of the experiment on looks, and the agent's figures by window."""
    results = looks.get("results", looks)
    tasks = [task for task in SHAPES if task in results["coarse"]]
    coarse = ["coarse stage", *(f"{results['coarse'][task]['hit@1']:.3f}" for task in tasks)]
    agent = [_largest(results["arms"]["agent"][task]) for task in tasks]
    rows = [coarse, ["a guess among those whose thumbnails fit", *(f"{cell['guess']:.3f}" for cell in agent)]]
    for arm, name in ARMS.items():
        cells = results["arms"].get(arm)
        if cells is not None:
            rows.append([name, *(_interval(_largest(cells[task])["end_to_end_hit@1"]) for task in tasks)])
    queries = min(cell["queries"] for cell in agent)
    within = ", ".join(f"{results['coarse'][task]['hit@20']:.3f}" for task in tasks)
    table = _table(("hit@1, asked with", *(SHAPES[task] for task in tasks)), rows)
    sentence = (
        f"{queries} queries a column, 95 % intervals; what the coarse stage does not bring counts as missed (its "
        f"hit@20: {within}; `measure/results/looks.json`, written by `python -m measure looks`). The agent "
        "again, where the right candidate is in a window of so many; a query's costs, many being ranked at once:"
    )
    return f"{table}\n\n{_wrapped(sentence)}\n\n{_agent_table(results['arms']['agent'], tasks)}"


def _command(result: Json) -> str:
    """Return the command that measures a result again; files from before `measure` name the module it replaced."""
    return str(result["command"]).replace("python -m benchmarks.", "python -m measure ")


def complete_block(looks: Json) -> str:
    """Return the agent's figures where its answers are constrained to naming every candidate once."""
    cells = looks["results"]["arms"]["complete-answers"]
    table = _agent_table(cells, [task for task in SHAPES if task in cells], ("hit@1", "mrr", "format_valid"))
    queries = min(cell["queries"] for sizes in cells.values() for cell in sizes.values())
    sentence = f"{queries} queries a figure (`{_command(looks)}`)."
    return f"{table}\n\n{_wrapped(sentence)}"


def _agent_table(cells: Json, tasks: Sequence[str], figures: Sequence[str] = tuple(FIGURES)) -> str:
    """Return the agent's figures, window by window, the task shapes beside one another."""
    sizes = sorted(cells[tasks[0]], key=int)
    rows = []
    for figure in figures:
        name, form = FIGURES[figure]
        found = [[_first(cells[task][size][figure]) for task in tasks] for size in sizes]
        rows.append([name, *(" / ".join(form.format(value) for value in values) for values in found)])
    return _table((f"{' / '.join(SHAPES[task] for task in tasks)}; windows of", *sizes), rows)


def _first(figure: float | Sequence[float]) -> float:
    """Return a figure without its interval."""
    return figure if isinstance(figure, int | float) else figure[0]


def shapes_block(looks: Json, held: Json) -> str:
    """Return the agent's figures on the other task shapes, one a row, those of constrained answers beside them."""
    results, complete = looks["results"], held["results"]["arms"]["complete-answers"]
    rows = []
    for task, name in OTHERS.items():
        cell, coarse = _largest(results["arms"]["agent"][task]), results["coarse"][task]
        exact = " / ".join(f"{one['format_valid']:.3f}" for one in (cell, _largest(complete[task])))
        right = f"{_interval(cell['end_to_end_hit@1'])} / {_largest(complete[task])['end_to_end_hit@1'][0]:.3f}"
        costs = (f"{cell['looks']:.1f}", f"{cell['seconds']:.2f}")
        rows.append((name, f"{coarse['hit@1']:.3f}", right, exact, *costs))
    header = ("asked with: asked for", "coarse hit@1", "agent hit@1, free / constrained", "exact, free / constrained")
    table = _table((*header, "looks", "seconds"), rows)
    queries = min(_largest(cells)["queries"] for cells in results["arms"]["agent"].values())
    sentence = (
        f"{queries} queries a row, end to end; exact: answers in the exact format, free and constrained "
        f"(`{_command(looks)}`; constrained: `--name {HELD_SHAPES}` and `arms=[complete-answers]`)."
    )
    return f"{table}\n\n{_wrapped(sentence)}"


def whole_block(whole: Json, looks: Json) -> str:
    """Return what it gives, and costs, to show candidates whole instead of letting an agent look."""
    arms = [("the agent, which looks", looks["results"]["arms"]["agent"])]
    arms += [(name, whole["results"]["arms"][arm]) for arm, name in WHOLE.items() if arm in whole["results"]["arms"]]
    rows = []
    for name, cells in arms:
        found = [cells[task][_WINDOW] for task in SHAPES]
        costs = [" / ".join(f"{cell[kind]:,.0f}" for cell in found) for kind in ("visual_tokens", "tokens")]
        rows.append([name, *(_interval(cell["hit@1"]) for cell in found), *costs])
    table = _table(("hit@1, asked with", *SHAPES.values(), "visual tokens", "all tokens"), rows)
    queries = min(cells[task][_WINDOW]["queries"] for _, cells in arms for task in SHAPES)
    sentence = (
        f"{queries} queries a column, windows of {_WINDOW} with the right candidate in them; whole pictures take "
        f"{whole['config']['whole_tokens']} visual tokens each (`measure/results/looks_whole.json`, measured on a "
        "GPU; the first row is that of `looks.json`)."
    )
    return f"{table}\n\n{_wrapped(sentence)}"


def gate_block(gate: Json) -> str:
    """Return how often probes tell five twins apart, from the thumbnail and from the picture."""
    results = gate["results"]
    rows = [
        (name, *(_share(results[f"{arm}-{kind}"][figure], bound=bound) for kind in KINDS))
        for name, arm, figure, bound in PROBES
    ]
    beside = _share(results["metadata"]["shares"][SHARE], bound=True)
    return _table(("five twins told apart", *KINDS), [*rows[:4], (SIDE_DATA, beside, "", ""), *rows[4:]])


def _share(share: Json, *, bound: bool) -> str:
    return f"{share['value']:.3f}" + (f" [{share['upper']:.3f}]" if bound else "")


def measured_block(results: Mapping[str, Json]) -> str:
    """Return what is measured beside these, a row each."""
    return _table(("what", "figure", "file"), measured_rows(results))


def with_blocks(text: str, results: Mapping[str, Json]) -> str:
    """Return a document with the tables of results put between their comments.

    Raises:
        ValueError: a comment is missing.
    """
    made: dict[str, Callable[[Json], str]] = {
        "demo": demo_block,
        "looks": looks_block,
        "looks_complete": complete_block,
        "looks_shapes": lambda shapes: shapes_block(shapes, results[HELD_SHAPES]),
        "looks_whole": lambda whole: whole_block(whole, results["looks"]),
        "catalogue_gate": gate_block,
    }
    tables = {name: make(results[name]) for name, make in made.items() if name in results}
    if any(name in results for name in ROWS):
        tables["measured"] = measured_block(results)
    for name, table in tables.items():
        begin, end = (f"<!-- {edge} {name} -->\n" for edge in ("begin", "end"))
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the document has no comments {begin.strip()} and {end.strip()}")
        text = f"{before}{begin}{table}\n{end}{after}"
    return text


def read_results() -> dict[str, Json]:
    """Return the result files that are there, by name."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(RESULTS.glob("*.json"))}


def main() -> None:
    """Write the tables."""
    PAGE.write_text(with_blocks(PAGE.read_text(encoding="utf-8"), read_results()), encoding="utf-8")


def _largest(cells: Json) -> Json:
    """Return the cell of the largest window; cells are named by their window's size."""
    largest: Json = cells[max(cells, key=int)]
    return largest


def _arm(name: str, figures: Json) -> tuple[str, ...]:
    costs = (f"{figures['looks']:.1f}", f"{figures['tokens']:.0f}", f"{figures['seconds']:.2f}")
    return (name, _interval(figures["hit@1"]), _interval(figures["mrr"]), *costs)


def _interval(figure: Sequence[float]) -> str:
    value, low, high = figure
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

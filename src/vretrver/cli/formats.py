"""The options `--format`, `--json` and `-o` of commands that print results, and the printing in the order asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .output import json_text, note, prepare_output, table_text

if TYPE_CHECKING:
    from ..assembly.results import Result
    from ..records import Hit, Query


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    """Columns for people."""
    JSON = "json"
    """One JSON value: an object, or a list of objects where a file of queries was given."""
    JSONL = "jsonl"
    """One object a line and query."""
    TREC = "trec"
    """A TREC run."""


FormatOption = Annotated[
    Format | None, typer.Option("--format", help="table, json, jsonl (an object a line), or trec (a run file).")
]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Write the results here instead of printing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a query: --format jsonl.")]


class Printer:
    """Prints the results of queries, or writes them to a file once all are there.

    Args:
        form: how.
        out: the file; None prints each result as it comes.
        several: whether there may be several queries, so that every row of a table names its own.
        top: hits of each query that are shown; None is all.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(
        self, form: Format, out: Path | None = None, *, several: bool = False, top: int | None = None
    ) -> None:
        prepare_output(out)
        self.form = form
        self.out = out
        self.top = top
        self._several = several
        self._results: list[Result] = []

    def check(self, pairs: Sequence[tuple[Query, Sequence[Hit]]]) -> None:
        """Raise DataError for ids that the format cannot hold, before work is done for it."""
        from ..assembly.results import check_for_trec
        from ..errors import DataError

        if self.form is Format.TREC:
            try:
                check_for_trec(pairs)
            except DataError as error:
                raise DataError(f"{error}; --format jsonl can hold it") from error

    def show(self, result: Result) -> None:
        """Take the next result."""
        if self.out is None and self.form in (Format.TABLE, Format.JSONL):
            typer.echo(self._lines(result), nl=False)
        else:
            self._results.append(result)

    def close(self) -> None:
        """Print or write what had to wait for the last result."""
        if self.out is None:
            if self._results:
                typer.echo(self._whole(), nl=False)
            return
        from ..files import replace_file

        replace_file(self.out, self._whole().encode("utf-8", "backslashreplace"))
        note(f"the results are in {self.out}")

    def _whole(self) -> str:
        if self.form is Format.TREC:
            from ..assembly.results import trec_text

            return trec_text(self._results, tag="vretrver")
        if self.form is not Format.JSON:
            return "".join(self._lines(result) for result in self._results)
        values = [result.value for result in self._results]
        value = values if self._several else values[0]
        return json_text(value) if self.out is None else json.dumps(value, ensure_ascii=False) + "\n"

    def _lines(self, result: Result) -> str:
        if self.form is Format.JSONL:
            return (
                json_text(result.value) if self.out is None else json.dumps(result.value, ensure_ascii=False) + "\n"
            )
        if not result.rows:
            return ""  # what was not found is said on stderr
        if not self._several:
            return table_text(result.header, result.rows)
        return table_text(("query", *result.header), [(result.qid, *row) for row in result.rows])


def format_of(form: Format | None, *, as_json: bool) -> Format:
    """Return the format that the options name; raises ConfigError for two of them."""
    if as_json and form not in (None, Format.JSONL):
        raise ConfigError(f"--json and --format {form} are two formats; give one of them")
    return Format.JSONL if as_json else form or Format.TABLE

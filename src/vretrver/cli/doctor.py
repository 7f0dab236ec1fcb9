"""`vretrver doctor`: what is wrong with an installation, a model folder, a server or an index, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._text import printable
from ..errors import ConfigError
from .output import emit_json

if TYPE_CHECKING:
    from ..doctor.findings import Finding


def doctor(
    model_folder: Annotated[
        Path | None, typer.Option(help="Check a model folder, or OWNER/NAME of the hub; no weight is loaded.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Check a server of models too, as in http://localhost:8000/v1.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(envvar="VRETRVER_MODEL", help="The model's name at the endpoint.")
    ] = None,
    index: Annotated[Path | None, typer.Option(help="Check an index directory too.")] = None,
    dialect: Annotated[
        str, typer.Option(help="Dialect that model folder and endpoint are to work with.")
    ] = "vretrver",
    run: Annotated[
        bool, typer.Option("--run", help="Also load every library and rank a window with the shipped agent.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what can be searched and how with what is installed, and check what else is named.

    Ends with exit code 1 when something is wrong. Nothing is loaded or run that was not asked for.
    """
    from dataclasses import asdict

    from ..doctor.findings import Severity

    if endpoint is not None and not model:
        raise ConfigError("--endpoint needs the model's name at the server; give --model or set VRETRVER_MODEL")
    findings: list[Finding] = []
    for finding in _findings(model_folder, endpoint, model or "", index, dialect, run=run):
        findings.append(finding)
        if not as_json:
            typer.echo(printable(f"{finding.severity:<8}  {finding.subject:<14}  {finding.sentence}"))
    failed = sum(finding.severity is Severity.WRONG for finding in findings)
    if as_json:
        emit_json({"wrong": failed, "findings": [asdict(finding) for finding in findings]})
    if failed:
        raise typer.Exit(1)


def _findings(
    model_folder: Path | None, endpoint: str | None, model: str, index: Path | None, dialect: str, *, run: bool
) -> Iterator[Finding]:
    from ..agent.dialects import dialect_named
    from ..doctor.abilities import check_abilities
    from ..doctor.libraries import check_libraries
    from ..doctor.machine import check_devices, check_machine
    from ..doctor.shipped import check_shipped

    chosen = dialect_named(dialect)
    yield from check_machine(Path())
    yield from check_libraries(load=run)
    yield from check_abilities()
    yield from check_shipped(run=run)
    if run:
        yield from check_devices()
    if model_folder is not None:
        from ..doctor.hub_model import check_hub_model
        from ..doctor.model_folder import check_model_folder
        from ..models.hub_id import hub_id_of

        named = hub_id_of(str(model_folder))
        yield from check_model_folder(model_folder, chosen) if named is None else check_hub_model(named, chosen)
    if endpoint is not None:
        from ..doctor.endpoint import check_endpoint

        yield from check_endpoint(endpoint, model=model, dialect=chosen)
    if index is not None:
        from ..doctor.index import check_index
        from ..trust import unconfirmed

        yield from check_index(index, hidden=unconfirmed)

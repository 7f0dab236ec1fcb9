"""The option by which a user says that an index may open what it names outside of itself."""

from __future__ import annotations

from typing import Annotated

import typer

TrustOption = Annotated[
    bool,
    typer.Option("--trust", help="Open what the index names outside of itself, model and pictures, now and later."),
]
"""Option of commands that open an index somebody else may have made."""

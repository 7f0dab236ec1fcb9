"""The one place where transformers reads a model folder: nothing is downloaded, no code of a folder is run.

Every call gets the same flags. Without `trust_remote_code=False` the library asks on the terminal, and takes
whatever is on standard input for the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigError, VRetrverError
from .quiet import quiet
from .vetting import vet_folder, vet_weights


def open_part(kind: Any, folder: Path, *, what: str) -> Any:
    """Return the tokenizer or processor of a model folder.

    Args:
        kind: its class in transformers, or one of the library's `Auto` classes.
        folder: the model's folder.
        what: name of the part, for messages.

    Raises:
        ConfigError: the folder is refused, or the library cannot read it.
    """
    vet_folder(folder)
    return _read(kind, folder, {}, what=what)


def open_weights(kind: Any, folder: Path, *, what: str, **options: Any) -> Any:
    """Return the model of a folder, from safetensors; see `open_part`.

    Args:
        kind: its class in transformers, or one of the library's `Auto` classes.
        folder: the model's folder.
        what: what is loaded, for messages.
        options: further arguments of the library, such as `dtype`.
    """
    vet_folder(folder)
    vet_weights(folder)
    return _read(kind, folder, {**options, "use_safetensors": True, "weights_only": True}, what=what)


def _read(kind: Any, folder: Path, options: dict[str, Any], *, what: str) -> Any:
    with library_errors(folder, f"{what} cannot be loaded"), quiet():
        return kind.from_pretrained(str(folder), **options, local_files_only=True, trust_remote_code=False)


@contextmanager
def library_errors(folder: Path, problem: str) -> Iterator[None]:
    """Turn whatever the library raises for a folder into a ConfigError of one sentence.

    Args:
        folder: the model's folder.
        problem: what went wrong, as in `the weights cannot be loaded`.

    Raises:
        ConfigError: for every error that is not the package's own.
    """
    try:
        yield
    except VRetrverError:
        raise
    except Exception as error:  # a damaged folder can break the library anywhere; this ends in an exit code
        reason = (str(error).splitlines() or [""])[0][:300]
        raise ConfigError(
            f"{folder}: {problem} ({type(error).__name__}: {reason}); if the folder is damaged, take it from "
            "the model again"
        ) from error

"""What this user allows an index to open outside itself: models, servers, and folders of pictures.

An index may come from anybody. What it names outside itself is opened when the user names it too, or has confirmed it
before: `vretrver index` confirms what it was given, `--trust` the rest. Confirmations are lines of the file
`$XDG_STATE_HOME/vretrver/trusted.jsonl`, in `~/.local/state` where that variable is not set; other lines are ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .files import open_regular

_NAME = "trusted.jsonl"
_MOST_BYTES = 64 * 2**20

Places = Mapping[str, Path | str]
"""Root name -> folder, or URL of a store."""


def model_trusted(folder: Path) -> bool:
    """Return whether the user has confirmed a model folder."""
    return _model(folder) in _known()


def trust_model(folder: Path) -> None:
    """Record that a model folder may be opened; raises OSError when the file cannot be written."""
    _remember([_model(folder)])


def named_trusted(kind: str, name: str) -> bool:
    """Return whether the user has confirmed a model of the hub or a server.

    Args:
        kind: `hub` or `server`.
        name: the model's id with its revision, or the server's address; another revision is another name.
    """
    return _named(kind, name) in _known()


def trust_named(kind: str, name: str) -> None:
    """Record that a model of the hub or a server may be used; raises OSError when the file cannot be written."""
    _remember([_named(kind, name)])


def unconfirmed(index: Path, places: Places) -> dict[str, Path | str]:
    """Return the picture folders of an index that are outside it and that the user has not confirmed."""
    outside = {name: place for name, place in places.items() if not _inside(index, place)}
    known = _known() if outside else set()
    return {name: place for name, place in outside.items() if _pictures(index, place) not in known}


def trust_pictures(index: Path, places: Places) -> None:
    """Record that an index may read pictures in these folders; raises OSError when the file cannot be written."""
    _remember([_pictures(index, place) for place in unconfirmed(index, places).values()])


def state_file() -> Path:
    """Return the path of the file; raises OSError when this user has no home folder."""
    configured = os.environ.get("XDG_STATE_HOME", "")
    try:
        base = Path(configured) if os.path.isabs(configured) else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise FileNotFoundError(f"no home folder to remember anything in ({error}); set XDG_STATE_HOME") from error
    return base / "vretrver" / _NAME


def _model(folder: Path) -> str:
    return json.dumps({"model": _whole(folder)})


def _named(kind: str, name: str) -> str:
    return json.dumps({kind: name})


def _pictures(index: Path, place: Path | str) -> str:
    return json.dumps({"index": _whole(index), "pictures": place if isinstance(place, str) else _whole(place)})


def _whole(path: Path) -> str:
    """Return a path with links resolved; one that cannot be resolved is made absolute only."""
    try:
        return str(path.resolve())
    except (OSError, RuntimeError, ValueError):
        return os.path.abspath(path)


def _inside(index: Path, place: Path | str) -> bool:
    return isinstance(place, Path) and Path(_whole(place)).is_relative_to(_whole(index))


def _known() -> set[str]:
    """Return the lines of the file, an empty set when it cannot be read."""
    try:
        with os.fdopen(open_regular(state_file(), os.O_RDONLY), "rb") as file:
            return set(file.read(_MOST_BYTES).decode("utf-8", "replace").splitlines())
    except OSError:
        return set()


def _remember(lines: Iterable[str]) -> None:
    """Append lines that are not in the file yet, in one write."""
    known = _known()
    new = [line for line in lines if line not in known]
    if not new:
        return
    path = state_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(
            descriptor, "".join(f"\n{line}\n" for line in new).encode()
        )  # a leading newline: the file may end in a torn line
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

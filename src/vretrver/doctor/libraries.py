"""Which libraries are installed, in which version, and whether they load; the table is the package's own metadata.

Versions are compared by their release numbers only, which is all that the requirements of this package use.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from operator import eq, ge, gt, le, lt, ne

from .findings import Finding, note, ok, warning, wrong

MODULES = {"pillow": "PIL", "faiss-cpu": "faiss", "protobuf": "google.protobuf", "pyyaml": "yaml"}
"""Libraries whose module is not named like the distribution."""

PURPOSES = {
    "index": "resident and approximate search",
    "sources": "parquet tables, PDF pages and HEIC pictures",
    "ocr": "reading the text on pictures and scans",
    "http": "models and encoders on a server",
    "qdrant": "searching Qdrant collections",
    "fs": "pictures on remote file systems",
    "models": "models in this process",
    "train": "training models",
}
"""What an extra is for."""

_FOR_DEVELOPERS = {"dev"}
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?\s*([^;]*?)\s*(?:;\s*extra\s*==\s*[\"']([\w-]+)[\"'])?$")
_BOUND = re.compile(r"(>=|<=|==|!=|>|<)\s*([\d.]+)")
_COMPARE: dict[str, Callable[[list[int], list[int]], bool]] = {
    ">=": ge, "<=": le, "==": eq, "!=": ne, ">": gt, "<": lt,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A library that this package or one of its extras needs."""

    name: str
    """Name of the distribution, as in `faiss-cpu`."""
    bounds: str
    """Allowed versions, as in `>=2.12,<3`; empty for any."""
    extra: str | None
    """The extra that needs it; None for the package itself."""

    @property
    def module(self) -> str:
        """Name it is imported by."""
        return MODULES.get(self.name.lower(), self.name.lower().replace("-", "_"))

    def allows(self, version: str) -> bool:
        """Say whether an installed version is within the bounds; a version without numbers is."""
        have = _numbers(version)
        return not have or all(_within(have, sign, _numbers(bound)) for sign, bound in _BOUND.findall(self.bounds))


def _numbers(version: str) -> list[int]:
    release = re.match(r"\d+(?:\.\d+)*", version)
    return [int(part) for part in release[0].split(".")] if release else []


def _within(have: list[int], sign: str, bound: list[int]) -> bool:
    length = max(len(have), len(bound))
    padded = [numbers + [0] * (length - len(numbers)) for numbers in (have, bound)]
    return _COMPARE[sign](padded[0], padded[1])


def requirements(lines: Iterable[str]) -> list[Requirement]:
    """Read requirement lines as in `torch>=2.11; extra == 'models'`; lines of another form are left out."""
    matches = (_REQUIREMENT.match(line.strip()) for line in lines)
    return [Requirement(name=m[1], bounds=m[2], extra=m[3]) for m in matches if m is not None]


def check_libraries(lines: Sequence[str] | None = None, *, load: bool = True) -> Iterator[Finding]:
    """Check the package's libraries and each extra's, one finding for each of these groups.

    Args:
        lines: requirement lines; None reads those the installed package declares.
        load: import every library, which takes seconds; else only see that it is there.
    """
    if lines is None:
        try:
            lines = metadata.requires("vretrver") or []
        except metadata.PackageNotFoundError:
            yield warning("libraries", "vretrver runs without being installed; run: pip install -e . in its folder")
            return
    wanted = [need for need in requirements(lines) if need.extra not in _FOR_DEVELOPERS]
    yield _check_group(None, [need for need in wanted if need.extra is None], load=load)
    for extra in sorted({need.extra for need in wanted if need.extra}):
        yield _check_group(extra, [need for need in wanted if need.extra == extra], load=load)


def _check_group(extra: str | None, wanted: Sequence[Requirement], *, load: bool) -> Finding:
    subject = f"extra {extra}" if extra else "libraries"
    command = f"pip install 'vretrver[{extra}]'" if extra else "pip install vretrver"
    found: list[str] = []
    missing: list[str] = []
    for need in wanted:
        problem = _load(need.module) if load else _find(need.module)
        version = _version(need)
        if isinstance(problem, ModuleNotFoundError):
            missing.append(need.name)
        elif problem is not None:
            reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            return wrong(subject, f"{need.name} is installed and does not load ({reason}); reinstall it: {command}")
        elif not need.allows(version):
            return wrong(
                subject, f"{need.name} {version} is installed, {need.name}{need.bounds} is needed: {command}"
            )
        else:
            found.append(f"{need.name} {version}".strip())
    if not missing:
        return ok(subject, ", ".join(found))
    purpose = f", needed for {PURPOSES[extra]}" if extra in PURPOSES else ""
    sentence = f"{', '.join(missing)} not installed{purpose}; run: {command}"
    return note(subject, sentence) if extra else wrong(subject, sentence)


def _find(module: str) -> ModuleNotFoundError | None:
    """Return an error when a module is not installed; it is not imported."""
    try:
        return None if importlib.util.find_spec(module) is not None else ModuleNotFoundError(name=module)
    except ModuleNotFoundError as error:  # the package above it is not there
        return error


def _load(module: str) -> ImportError | OSError | None:
    """Return why a module does not load, a ModuleNotFoundError when it is not installed; None when it loads."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        return error if missing == module.split(".")[0] else ImportError(f"it needs {error.name}")
    except (ImportError, OSError) as error:
        return error
    return None


def _version(need: Requirement) -> str:
    """Return the installed version; empty when another distribution provides the module (as faiss-gpu does)."""
    try:
        return metadata.version(need.name)
    except metadata.PackageNotFoundError:
        return ""

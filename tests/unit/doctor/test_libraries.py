"""Pins how requirements are read, how versions are compared, and what is said of a library that is not as needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vretrver.doctor.findings import Finding, note, ok, wrong
from vretrver.doctor.libraries import Requirement, check_libraries, requirements

ROOT = Path(__file__).parents[3]


def finding(*lines: str) -> Finding:
    """Return the last finding about the requirements; the first is about the package's own."""
    return list(check_libraries(lines))[-1]


def test_requirement_lines_are_read_with_their_extra() -> None:
    lines = ["numpy>=2.1", "httpx2<3,>=2.12; extra == 'http'", 'uvicorn[standard]>=0.40; extra == "serve"']
    assert requirements(lines) == [
        Requirement(name="numpy", bounds=">=2.1", extra=None),
        Requirement(name="httpx2", bounds="<3,>=2.12", extra="http"),
        Requirement(name="uvicorn", bounds=">=0.40", extra="serve"),
    ]


@pytest.mark.parametrize(
    ("bounds", "version", "allowed"),
    [
        (">=2.1", "2.1", True),
        (">=2.1", "2.0.9", False),
        (">=2.10", "2.9", False),
        (">=2.12,<3", "3.0", False),
        (">=2.12,<3", "2.16.2", True),
        (">=2.11", "2.13.0+cpu", True),
        ("<3", "3", False),
        ("==1.16", "1.16.0", True),
        ("", "0.1", True),
        (">=1", "unknown", True),
    ],
)
def test_versions_are_compared_number_by_number(bounds: str, version: str, allowed: bool) -> None:
    assert Requirement(name="x", bounds=bounds, extra=None).allows(version) is allowed


def test_the_version_of_what_is_there_is_told() -> None:
    import numpy as np

    assert finding("numpy>=2.1") == ok("libraries", f"numpy {np.__version__}")


def test_an_extra_that_is_missing_is_a_note_with_the_command() -> None:
    sentence = (
        "surely-not-there not installed, needed for searching Qdrant collections; run: pip install 'vretrver[qdrant]'"
    )
    assert finding("surely-not-there>=1; extra == 'qdrant'") == note("extra qdrant", sentence)


def test_a_missing_library_of_the_package_itself_is_wrong() -> None:
    assert finding("surely-not-there") == wrong(
        "libraries", "surely-not-there not installed; run: pip install vretrver"
    )


def test_another_version_than_needed_is_wrong() -> None:
    found = finding("numpy>=99; extra == 'index'")
    assert found.severity == "wrong"
    assert "numpy>=99 is needed: pip install 'vretrver[index]'" in found.sentence


def test_a_library_that_does_not_load_is_wrong_and_one_that_lacks_another_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("raise OSError('libx.so: cannot open shared object file')")
    (tmp_path / "lacking_library.py").write_text("import surely_not_there")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert "does not load (libx.so: cannot open" in finding("broken-library; extra == 'fs'").sentence
    assert "does not load (it needs surely_not_there)" in finding("lacking-library; extra == 'fs'").sentence


def test_libraries_for_developers_are_nobody_elses_business() -> None:
    assert len(list(check_libraries(["numpy", "surely-not-there; extra == 'dev'"]))) == 1


def test_every_requirement_of_the_package_can_be_read() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    assert len(requirements(lines)) == len(lines)
    assert all(set(need.bounds) <= set("<>=!,. 0123456789") for need in requirements(lines))

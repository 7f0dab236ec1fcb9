"""What a check found out. A finding never holds a secret: endpoints are named without user, password or query."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    """As it should be."""
    NOTE = "note"
    """Nothing is wrong; something is absent that not everybody needs, or was not checked."""
    WARNING = "warning"
    """It works, and not as well or not as exactly as it could."""
    WRONG = "wrong"
    """It does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was checked."""

    subject: str
    """What was checked, in one or two words."""
    severity: Severity
    """How serious it is."""
    sentence: str
    """What was found, and the remedy where there is something to fix."""


def ok(subject: str, sentence: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(subject=subject, severity=Severity.OK, sentence=sentence)


def note(subject: str, sentence: str) -> Finding:
    """Return a finding that nothing is wrong but something is worth knowing."""
    return Finding(subject=subject, severity=Severity.NOTE, sentence=sentence)


def warning(subject: str, sentence: str) -> Finding:
    """Return a finding that something should be fixed."""
    return Finding(subject=subject, severity=Severity.WARNING, sentence=sentence)


def wrong(subject: str, sentence: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(subject=subject, severity=Severity.WRONG, sentence=sentence)

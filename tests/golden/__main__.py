"""Writes the golden files again, after a change of prompt or record that was meant: `make golden`."""

from __future__ import annotations

import sys

from tests.golden.cases import refresh

if __name__ == "__main__":
    sys.stdout.write(("\n".join(refresh()) or "nothing changed") + "\n")

"""Writes the golden files again, after a change of prompt or record that was meant: `make golden`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write the files and name those that changed."""
    sys.path.insert(0, str(ROOT))  # run as a file, Python looks beside this script only
    from tests.golden.cases import refresh

    print("\n".join(refresh()) or "nothing changed")


if __name__ == "__main__":
    main()

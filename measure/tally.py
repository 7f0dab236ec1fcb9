"""What a proof has seen, and the promises that were broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What was seen, and what should never have been."""

    seen: Counter[str] = field(default_factory=Counter)
    """Kind of outcome -> how often."""
    broken: list[str] = field(default_factory=list)
    """One sentence for each promise that was broken."""

    def promise(self, kept: bool, sentence: str) -> None:
        """Note a sentence unless the promise was kept."""
        if not kept:
            self.broken.append(sentence[:500])

"""The scripted oracle: it knows what is true, but uses a fine detail only once it has looked at it.

It is the ceiling of a learned agent: coarse attributes it takes from the thumbnail; a detail it uses only for items
whose evidence box was shown to it. Without tools it can therefore only guess among the candidates that look alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..agent.messages import ShownPicture
from ..agent.task import WindowTask
from ..geometry import Box
from ..policies.scripted import Moment, answer_text
from ..policies.watching import WatchingPolicy
from ..records import Candidate, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailRegion:
    """Where a picture's decisive detail is."""

    box: Box
    """The region that holds it, in pixels of the upright original."""
    width: int
    """Width of the picture in pixels."""
    height: int
    """Height of the picture in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleTruth:
    """What the oracle knows."""

    relevant: Mapping[str, frozenset[str]]
    """qid -> dids of relevant candidates."""
    alike: Mapping[str, frozenset[str]]
    """qid -> dids a thumbnail cannot tell from the relevant ones, those included."""
    evidence: Mapping[str, DetailRegion] = field(default_factory=dict)
    """Picture path -> where to look; pictures without an entry need no look."""


def oracle(truth: OracleTruth, *, seed: int = 0, calls_per_turn: int = 4) -> WatchingPolicy:
    """Return the oracle; pass its `watch` to the reranker, from which it learns the task of each window.

    Args:
        truth: what is true.
        seed: of the guess among candidates that look alike and were not looked at.
        calls_per_turn: looks asked for at once.
    """

    def script(moment: Moment, task: WindowTask) -> str:
        return _Oracle(truth, task, seed).turn(moment, calls_per_turn)

    return WatchingPolicy(script, name="oracle")


class _Oracle:
    def __init__(self, truth: OracleTruth, task: WindowTask, seed: int) -> None:
        self.truth, self.task, self.seed = truth, task, seed
        self.relevant = truth.relevant.get(task.query.qid, frozenset())
        self.alike = truth.alike.get(task.query.qid, self.relevant) | self.relevant

    def turn(self, moment: Moment, calls: int) -> str:
        """Look at what is undecided and was not asked for yet; answer when nothing is left to ask."""
        asked = self._asked(moment)
        wanted = [address for address in self._undecided() if address not in asked]
        if wanted and moment.has_tools and not moment.forced and not self._settled(moment):
            return self._look(wanted[:calls])
        return self._answer(moment)

    def _undecided(self) -> list[int]:
        """The query first, then the candidates that look alike, as far as they have evidence to look at."""
        items: list[tuple[int, Query | Candidate]] = [(0, self.task.query)]
        items += [(k, c) for k, c in enumerate(self.task.candidates, start=1) if c.did in self.alike]
        if len(items) < 3:
            return []
        return [number for number, item in items if self._evidence(item) is not None]

    def _evidence(self, item: Query | Candidate) -> DetailRegion | None:
        return next((self.truth.evidence[p.path] for p in item.pictures if p.path in self.truth.evidence), None)

    def _look(self, numbers: list[int]) -> str:
        think = f"Undecided: {', '.join(map(str, numbers))}. The thumbnails do not show the detail."
        return f"<think>{think}</think>" + "".join(self._call(number) for number in numbers)

    def _call(self, number: int) -> str:
        item = self.task.query if number == 0 else self.task.candidates[number - 1]
        evidence = self._evidence(item)
        if evidence is None:
            return ""
        box = _permille(evidence)
        arguments = f'{{"target_image": {number}, "bbox_2d": {box}}}'
        return f'<tool_call>{{"name": "zoom_in", "arguments": {arguments}}}</tool_call>'

    def _asked(self, moment: Moment) -> set[int]:
        """Items whose region was asked for in an earlier turn, with whatever outcome."""
        wanted = self._undecided()
        return {number for number in wanted if any(f'"target_image": {number},' in text for text in moment.said)}

    def _seen(self, moment: Moment) -> set[int]:
        """Items whose region came back."""
        looks = [piece for message in moment.messages[2:] for piece in message.pieces]
        return {look.address.item for look in looks if isinstance(look, ShownPicture)}

    def _settled(self, moment: Moment) -> bool:
        """True when the relevant candidate itself was seen, and the query where it has evidence."""
        seen = self._seen(moment)
        if self._evidence(self.task.query) is not None and 0 not in seen:
            return False
        return any(c.did in self.relevant and k in seen for k, c in enumerate(self.task.candidates, start=1))

    def _answer(self, moment: Moment) -> str:
        seen = self._seen(moment)
        query_known = self._evidence(self.task.query) is None or 0 in seen
        scores = {k: self._score(k, c, seen, query_known) for k, c in enumerate(self.task.candidates, start=1)}
        order = sorted(scores, key=lambda k: (-scores[k], k))
        best = self.task.candidates[order[0] - 1]
        confirmed = best.did in self.relevant and scores[order[0]] >= _CONFIRMED
        return answer_text(
            order, f"{order[0]} is confirmed." if confirmed else f"Nothing more to see; {order[0]} fits best."
        )

    def _score(self, number: int, candidate: Candidate, seen: set[int], query_known: bool) -> float:
        """Higher is better: confirmed, then undecided in a random order, then refuted twins, then the others."""
        if candidate.did not in self.alike:
            return 0.0
        readable = self._evidence(candidate) is None or number in seen
        if readable and query_known:
            return _CONFIRMED if candidate.did in self.relevant else 1.0
        guess = hashlib.blake2b(f"{self.seed}/{self.task.query.qid}/{candidate.did}".encode(), digest_size=4).digest()
        return 2.0 + int.from_bytes(guess, "big") / 2**32


_CONFIRMED = 4.0


def _permille(evidence: DetailRegion) -> list[int]:
    """Return the evidence box in thousandths, outward."""
    box, width, height = evidence.box, evidence.width, evidence.height
    low = [box.left * 1000 // width, box.top * 1000 // height]
    high = [-(-box.right * 1000 // width), -(-box.bottom * 1000 // height)]
    return [*low, *(min(value, 1000) for value in high)]

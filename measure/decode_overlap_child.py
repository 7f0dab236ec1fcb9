"""One run of `decode_overlap`, in a process of its own: works with this kernel and with the one before it.

    python measure/decode_overlap_child.py FOLDER SECONDS WINDOWS SIZE [WORKERS]

Imports nothing of `measure`, because an earlier commit's package is on the path beside it. Prints one line of JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from vretrver.agent.policy import Completion, PolicyLimits
from vretrver.agent.reranker import Reranker
from vretrver.images import ImageStore
from vretrver.records import Candidate, Hit, ImageRef, Query, parts_of

BOX = [400, 400, 600, 600]
"""The region every window looks at."""


class TimedPolicy:
    """Answers each turn `seconds` after it was asked for, as a server does: a zoom, then the reverse order."""

    fingerprint, revision, scripted = "timed", 0, True

    def __init__(self, seconds: float, size: int) -> None:
        self.seconds, self.size = seconds, size
        self.limits = PolicyLimits(in_flight=8)
        self._ready: dict[str, float] = {}
        self._turns: dict[str, int] = {}
        self._woken = threading.Event()

    def submit(self, request: Any) -> None:
        """Note when the turn will be there."""
        for session in getattr(request, "sessions", None) or (request.session,):
            self._ready[session] = time.monotonic() + self.seconds

    def collect(self, *, patience: float | None = None) -> list[Completion]:  # noqa: ARG002 - the protocol's
        """Wait for the next turn, or for a wake."""
        if not self._ready:
            return []
        if self._woken.wait(max(0.0, min(self._ready.values()) - time.monotonic())):
            self._woken.clear()
        now = time.monotonic()
        done = [session for session, ready in self._ready.items() if ready <= now]
        for session in done:
            del self._ready[session]
        return [Completion(session=session, text=self._text(session)) for session in done]

    def _text(self, session: str) -> str:
        turn = self._turns[session] = self._turns.get(session, 0) + 1
        if turn == 1:
            arguments = {"target_image": int(session.split("/")[0]) % self.size + 1, "bbox_2d": BOX}
            return f"<tool_call>{json.dumps({'name': 'zoom_in', 'arguments': arguments})}</tool_call>"
        return f"<answer>{list(range(self.size, 0, -1))}</answer>"

    def wake(self) -> None:
        """End the current wait; any thread may call it."""
        self._woken.set()

    def cancel(self, session: str) -> None:
        """Nothing is cancelled here."""

    def release(self, session: str) -> None:
        """Forget a session."""
        self._turns.pop(session, None)

    def close(self) -> None:
        """Nothing is held."""


def made(policy: TimedPolicy, images: ImageStore, size: int, workers: int | None) -> Reranker:
    """Return a reranker of one window a query, of whichever kernel is on the path."""
    if importlib.util.find_spec("vretrver.agent.schedule"):
        from vretrver.agent.schedule import ReferenceSchedule

        from vretrver.agent.reranker import AgentConfig

        return Reranker(policy, images, AgentConfig(schedule=ReferenceSchedule(depth=size, size=size, stride=size)))
    from vretrver.agent.config import AgentConfig
    from vretrver.agent.plans import ReferencePlanner

    config = AgentConfig(planner=ReferencePlanner(depth=size, size=size, stride=size))
    return Reranker(policy, images, config, **({} if workers is None else {"workers": workers}))


def main() -> None:
    """Rerank every window once and print what it took."""
    folder, seconds, windows, size = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    names = sorted(path.name for path in folder.glob("*.jpg"))
    asked = []
    for window in range(windows):
        some = names[window * size : (window + 1) * size]
        hits = [
            Hit(candidate=Candidate(did=name, parts=parts_of(images=[ImageRef(path=name)])), score=1 / rank)
            for rank, name in enumerate(some, start=1)
        ]
        asked.append((Query(qid=str(window), parts=parts_of(text="a photograph")), hits))
    policy = TimedPolicy(seconds, size)
    reranker = made(policy, ImageStore({"": folder}), size, int(sys.argv[5]) if len(sys.argv) > 5 else None)
    started, processor = time.monotonic(), time.process_time()
    done = list(reranker.rerank_many(asked))
    spent = time.monotonic() - started, time.process_time() - processor
    assert all(trajectory.looks == 1 and trajectory.ranking for one in done for trajectory in one.trajectories)
    assert len(done) == windows
    print(json.dumps({"seconds": round(spent[0], 3), "processor_seconds": round(spent[1], 3)}))


if __name__ == "__main__":
    main()

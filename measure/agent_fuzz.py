"""Shows that nothing a model writes can break the agent: mutated replies through parser, forms, tools and sessions.

Run as `python -m measure agent_fuzz`; it writes measure/results/agent_fuzz.json and ends with status 1 when a
promise was broken. Every reply depends only on the seed and its own number, so that one can be looked at again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measure.agent_fuzz_replies import fuzz_replies
from measure.agent_fuzz_sessions import SETTINGS, fuzz_sessions
from measure.agent_world import draw_world
from measure.envelope import RESULTS, envelope, write_result
from measure.tally import Tally
from vretrver.agent.trajectory import StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What a whole run came to."""

    replies: Tally
    """Of single replies."""
    sessions: Tally
    """Of whole sessions."""
    seconds: tuple[float, float]
    """For the replies, for the sessions."""

    @property
    def broken(self) -> list[str]:
        """All broken promises."""
        return [*self.replies.broken, *self.sessions.broken]

    @property
    def session_count(self) -> int:
        """Sessions that ended."""
        return sum(self.sessions.seen[f"stop {stop}"] for stop in StopReason)


def run(replies: int, sessions: int, *, seed: int) -> Fuzzed:
    """Run both fuzzes over a world drawn anew."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        world = draw_world(directory)
        started = time.perf_counter()
        singles = fuzz_replies(world, replies, seed=seed)
        middle = time.perf_counter()
        whole = fuzz_sessions(world, sessions, seed=seed, directory=directory)
        ended = time.perf_counter()
    return Fuzzed(replies=singles, sessions=whole, seconds=(middle - started, ended - middle))


def main() -> int:
    """Run the full counts and write the result file; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=100_000, help="mutated replies through parser and tools")
    parser.add_argument("--sessions", type=int, default=5_000, help="whole sessions")
    parser.add_argument("--seed", type=int, default=1, help="decides every reply")
    parser.add_argument("--out", type=Path, default=RESULTS / "agent_fuzz.json", help="the result file")
    options = parser.parse_args()
    fuzzed = run(options.replies, options.sessions, seed=options.seed)
    result = {
        **envelope("agent_fuzz"),
        "seed": options.seed,
        "replies": options.replies,
        "replies_seconds": round(fuzzed.seconds[0], 1),
        "replies_seen": dict(sorted(fuzzed.replies.seen.items())),
        "settings": len(SETTINGS),
        "sessions": fuzzed.session_count,
        "sessions_seconds": round(fuzzed.seconds[1], 1),
        "sessions_seen": dict(sorted(fuzzed.sessions.seen.items())),
        "broken": fuzzed.broken,
    }
    write_result(options.out, result)
    print(f"{options.replies} replies, {fuzzed.session_count} sessions, {len(fuzzed.broken)} promises broken")
    return 1 if fuzzed.broken else 0

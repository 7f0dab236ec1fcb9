"""Shows what the HTTP policy adds to a server's own time: throughput against the ideal, and nobody waits for others.

Run as `python -m measure http_throughput`; it writes measure/results/http_policy.json. The server is a process of
its own that answers each request after a fixed time; the sessions are real ones, with pictures, looks and answers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from measure.agent_world import VIEWS, World, draw_world
from measure.envelope import RESULTS, envelope, write_result
from vretrver.agent.dialects import dialect_named
from vretrver.agent.driver import Driver
from vretrver.agent.policy import PolicyLimits, Sampling
from vretrver.agent.session import SessionSetup, rank_window
from vretrver.agent.trajectory import StopReason, Trajectory
from vretrver.policies.chat_api import ChatPolicy
from vretrver.records import parts_of

TURNS = 2
"""Turns of every session: a look and an answer."""

SLOW_EVERY = 8
"""One session in so many is slow in the mixed run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """A run in which every answer takes as long."""

    in_flight: int
    """Requests kept running."""
    sessions: int
    """Sessions, of two turns each."""
    seconds: float
    """From the first request to the last result."""
    ideal_seconds: float
    """Turns x the server's time / requests kept running."""
    of_ideal: float
    """Share of the ideal throughput that was reached."""
    processor_seconds: float
    """Processor time of the client, all threads."""
    turn_ms_p50: float
    """Median milliseconds from asking for a turn to having it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """A run in which a few sessions take much longer than the others."""

    in_flight: int
    """Requests kept running."""
    quick_ms: int
    """The server's time for most sessions."""
    slow_ms: int
    """The server's time for one session in `SLOW_EVERY`."""
    quick_turn_ms_p50: float
    """Median milliseconds of a turn of a quick session."""
    quick_turn_ms_p99: float
    """99th percentile of the same."""
    quick_turn_ms_most: float
    """The longest of them."""
    slow_turn_ms_p50: float
    """Median milliseconds of a turn of a slow session."""
    quick_done_before_first_slow: int
    """Quick sessions that were finished when the first slow one was."""
    seconds: float
    """From the first request to the last result."""
    seconds_in_rounds: float
    """What rounds that wait for their slowest turn would take at the least."""


@contextmanager
def slow_server() -> Iterator[str]:
    """Yield the address of a server that runs until the block ends."""
    command = [sys.executable, "-m", "measure.slow_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.stdin.close()


def run(world: World, url: str, times_ms: Sequence[int], in_flight: int) -> tuple[list[Trajectory], float]:
    """Run a session for each of the server's times; returns them in the order they finished, and the seconds."""
    policy = ChatPolicy(url, model="slow", limits=PolicyLimits(in_flight=in_flight))
    setup = SessionSetup(
        dialect=dialect_named("vretrver"),
        images=world.store,
        views=VIEWS,
        sampling=Sampling(),
        policy=policy.fingerprint,
        policy_limits=policy.limits,
        config="",
    )
    tasks = []
    for number, after in enumerate(times_ms):
        query = replace(world.query, qid=str(after), parts=parts_of(text=f"answer-after-{after}-ms"))
        tasks.append(replace(world.task(f"s{number}"), query=query))
    driver: Driver[Trajectory] = Driver(policy)
    started = time.monotonic()
    records = [record for _, record in driver.run(rank_window(task, setup) for task in tasks)]
    seconds = time.monotonic() - started
    policy.close()
    wrong = [record for record in records if record.stop is not StopReason.ANSWERED or len(record.turns) != TURNS]
    if wrong:
        raise RuntimeError(f"{len(wrong)} sessions did not end with an answer: {wrong[0].failure or wrong[0].stop}")
    return records, seconds


def throughput(world: World, url: str, *, in_flight: int, after_ms: int, waves: int) -> Throughput:
    """Run `waves` sessions for every request kept running, all with the same time."""
    sessions = in_flight * waves
    processor = time.process_time()
    records, seconds = run(world, url, [after_ms] * sessions, in_flight)
    ideal = sessions * TURNS * after_ms / 1000 / in_flight
    return Throughput(
        in_flight=in_flight,
        sessions=sessions,
        seconds=round(seconds, 3),
        ideal_seconds=ideal,
        of_ideal=round(ideal / seconds, 4),
        processor_seconds=round(time.process_time() - processor, 3),
        turn_ms_p50=round(1000 * median(turn.seconds for record in records for turn in record.turns), 1),
    )


def mixed(world: World, url: str, *, in_flight: int, quick_ms: int, slow_ms: int, waves: int) -> Mixed:
    """Run sessions of which one in `SLOW_EVERY` is slow."""
    times = [quick_ms if number % SLOW_EVERY else slow_ms for number in range(in_flight * waves)]
    records, seconds = run(world, url, times, in_flight)
    quick = sorted(1000 * turn.seconds for r in records if r.qid == str(quick_ms) for turn in r.turns)
    slow = [1000 * turn.seconds for r in records if r.qid == str(slow_ms) for turn in r.turns]
    return Mixed(
        in_flight=in_flight,
        quick_ms=quick_ms,
        slow_ms=slow_ms,
        quick_turn_ms_p50=round(median(quick), 1),
        quick_turn_ms_p99=round(quick[len(quick) * 99 // 100], 1),
        quick_turn_ms_most=round(quick[-1], 1),
        slow_turn_ms_p50=round(median(slow), 1),
        quick_done_before_first_slow=next(n for n, r in enumerate(records) if r.qid == str(slow_ms)),
        seconds=round(seconds, 3),
        seconds_in_rounds=waves * TURNS * slow_ms / 1000,
    )


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--after-ms", type=int, default=200)
    parser.add_argument("--waves", type=int, default=20)
    parser.add_argument("--out", type=Path, default=RESULTS / "http_policy.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, slow_server() as url:
        world = draw_world(Path(name))
        throughput(world, url, in_flight=4, after_ms=10, waves=2)  # imports and caches are none of the client's cost
        even = []
        for in_flight in options.in_flight:
            even.append(throughput(world, url, in_flight=in_flight, after_ms=options.after_ms, waves=options.waves))
            print(even[-1])
        uneven = mixed(world, url, in_flight=16, quick_ms=100, slow_ms=1600, waves=options.waves)
        print(uneven)
    result = {"server_ms": options.after_ms, "turns_per_session": TURNS, "waves": options.waves}
    figures = {"throughput": [asdict(one) for one in even], "mixed": asdict(uneven)}
    write_result(options.out, {**envelope("http_throughput"), "settings": result, **figures})

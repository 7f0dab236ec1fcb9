"""Shows that nothing a model writes can break the agent: mutated replies through parser, repair, tools and sessions.

Run as `python -m measure agent_fuzz`; it writes measure/results/agent_fuzz.json and ends with status 1 when a
promise was broken. Every reply depends only on the seed and its own number, so that one can be looked at again.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from measure.agent_world import VIEWS, World, draw_world
from measure.envelope import RESULTS, envelope, write_result
from measure.mutations import mutated_reply
from vretrver.agent.bench import Bench
from vretrver.agent.dialect import Dialect
from vretrver.agent.dialects import dialect_named
from vretrver.agent.parsing import parse_turn, repair
from vretrver.agent.policy import Completion, FinishReason, PolicyLimits
from vretrver.agent.reranker import AgentConfig, Reranked, Reranker
from vretrver.agent.session import SessionLimits
from vretrver.agent.tools import execute
from vretrver.agent.trajectory import StopReason, Trajectory
from vretrver.geometry import Box
from vretrver.policies.scripted import Moment, ScriptedPolicy
from vretrver.prng import Stream
from vretrver.records import Hit, Query
from vretrver.traces import read_traces, reranked_to_json, trajectory_from_json, trajectory_to_json

DIALECTS = ("vretrver", "released")

TIGHT = SessionLimits(look_tokens=8, total_tokens=1500)
"""Budgets that a session of this world runs into."""


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


def fuzz_replies(world: World, count: int, *, seed: int) -> Tally:
    """Put mutated replies through parse, repair and execute, and check every outcome.

    Args:
        world: what the calls look at.
        count: replies.
        seed: decides every reply.
    """
    tally = Tally()
    dialects = [dialect_named(name) for name in DIALECTS]
    benches = [Bench(world.task("s"), world.store, views=VIEWS, boxes=dialect.boxes) for dialect in dialects]
    for number in range(count):
        stream = Stream(seed, "reply", number)
        text = mutated_reply(stream, len(world.candidates))
        kind = number % len(dialects)
        try:
            _check_reply(text, dialects[kind], benches[kind], None if stream.below(4) else stream.below(8), tally)
        except Exception as error:  # noqa: BLE001 - recorded: that none escapes is what is being shown
            tally.broken.append(f"reply {number}: {type(error).__name__}: {error}"[:500])
    return tally


def _check_reply(text: str, dialect: Dialect, bench: Bench, tokens_left: int | None, tally: Tally) -> None:
    parsed = parse_turn(text)
    count = len(bench.task.candidates)
    tally.promise(
        parsed.answer is not None or bool(parsed.calls) or bool(parsed.problem), f"said nothing about {text!r}"
    )
    for call in parsed.calls:
        outcome = execute(call, dialect.tools, bench, tokens_left=tokens_left)
        refused = outcome.reason is not None
        tally.seen["call unreadable" if call.problem else "call refused" if refused else "call executed"] += 1
        tally.promise(refused != bool(outcome.looks), f"neither looks nor a reason: {text!r}")
        tally.promise(not refused or bool((outcome.reason or "").strip()), f"an empty reason: {text!r}")
        for look in outcome.looks:
            tally.promise(0 <= look.address.item <= count, f"an item outside the list: {text!r}")
            whole = Box(left=0, top=0, right=look.image_size[0], bottom=look.image_size[1])
            inside = look.placed is None or whole.covers(look.placed.box)
            tally.promise(inside, f"a region outside its picture: {text!r}")
    if parsed.answer is None:
        tally.seen["reply without answer"] += 1
        return
    ranking = repair(parsed.answer, count)
    tally.seen["answer usable" if ranking else "answer without usable number"] += 1
    tally.promise(ranking is None or sorted(ranking[0]) == list(range(1, count + 1)), f"no permutation: {text!r}")


def fuzz_sessions(world: World, count: int, *, seed: int, directory: Path) -> Tally:
    """Run at least `count` whole sessions on mutated replies, many at once, and check every record.

    Args:
        world: what is ranked; a query has two windows over its six candidates.
        count: sessions, shared evenly by the dialects, without budgets and with tight ones.
        seed: decides every reply.
        directory: where the trace files are written.
    """
    tally = Tally()
    settings = [(name, limits) for name in DIALECTS for limits in (SessionLimits(), TIGHT)]
    for number, (name, limits) in enumerate(settings):
        path = directory / f"{number}.jsonl"
        try:
            runs = _reranked(world, name, limits, -(-count // len(settings)), stream=Stream(seed, "session", number))
            written = _write_traces(path, runs, world, tally)
            tally.promise(list(read_traces(path)) == written, f"{name}: traces read back changed")
        except Exception as error:  # noqa: BLE001 - recorded: that none escapes is what is being shown
            tally.broken.append(f"sessions of {name}: {type(error).__name__}: {error}"[:500])
    return tally


def _reranked(world: World, name: str, limits: SessionLimits, count: int, *, stream: Stream) -> Iterator[Reranked]:
    """Rerank the world's candidates for one query after another, 16 at once, until `count` sessions have ended."""

    def script(moment: Moment) -> str | Completion:
        draw = stream.child(moment.session, len(moment.said))
        text = mutated_reply(draw, moment.count, damages=(0, 0, 1, 2))
        if draw.below(20):
            return text
        return Completion(session=moment.session, text=text, finish=draw.choice(list(FinishReason)), error="drawn")

    def requests() -> Iterator[tuple[Query, list[Hit]]]:
        for number in itertools.count():
            if done >= count:
                return
            yield replace(world.query, qid=f"9:{number}"), world.hits

    done = 0
    policy = ScriptedPolicy(script, name="fuzz", limits=PolicyLimits(in_flight=16, pictures=24))
    schedule = ReferenceSchedule(depth=6, size=4, stride=2)
    config = AgentConfig(dialect=dialect_named(name), views=VIEWS, schedule=schedule, limits=limits)
    for reranked in Reranker(policy, world.store, config, clock=lambda: 0.0).rerank_many(requests()):
        done += len(reranked.trajectories)
        yield reranked


def _write_traces(path: Path, results: Iterable[Reranked], world: World, tally: Tally) -> list[Reranked]:
    dids = sorted(candidate.did for candidate in world.candidates)
    written: list[Reranked] = []
    with path.open("wb") as file:
        for reranked in results:
            written.append(reranked)
            file.write(reranked_to_json(reranked) + b"\n")
            tally.promise(sorted(r.did for r in reranked.ranking) == dids, f"{reranked.query.qid}: no permutation")
            for trajectory in reranked.trajectories:
                _check_trajectory(trajectory, tally)
    return written


def _check_trajectory(trajectory: Trajectory, tally: Tally) -> None:
    where = f"{trajectory.dialect} {trajectory.session}"
    tally.seen[f"stop {trajectory.stop}"] += 1
    tally.seen["answer forced"] += trajectory.forced
    ranking = trajectory.ranking
    tally.promise(ranking is None or sorted(ranking) == sorted(trajectory.candidates), f"{where}: no permutation")
    tally.promise((ranking is not None) == (trajectory.stop == "answered"), f"{where}: stop and ranking disagree")
    for turn in trajectory.turns:
        for call in turn.calls:
            tally.seen[f"call {call.outcome}"] += 1
            tally.promise(call.outcome == "executed" or bool(call.reason), f"{where}: {call.outcome} without reason")
        for seen in turn.observations:
            tally.promise(seen.did is None or seen.did in trajectory.candidates, f"{where}: a foreign id")
            tally.promise(turn.calls[seen.call].outcome == "executed", f"{where}: a refused call showed something")
    line = trajectory_to_json(trajectory)
    back = trajectory_from_json(line)
    tally.promise(back == trajectory and trajectory_to_json(back) == line, f"{where}: reads back changed")


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
        "sessions": fuzzed.session_count,
        "sessions_seconds": round(fuzzed.seconds[1], 1),
        "sessions_seen": dict(sorted(fuzzed.sessions.seen.items())),
        "broken": fuzzed.broken,
    }
    write_result(options.out, result)
    print(f"{options.replies} replies, {fuzzed.session_count} sessions, {len(fuzzed.broken)} promises broken")
    return 1 if fuzzed.broken else 0

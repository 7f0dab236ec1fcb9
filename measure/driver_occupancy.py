"""Shows that the driver keeps a policy's batch full: sessions of different lengths over a policy with few places.

Run as `python -m measure driver_occupancy`; it writes measure/results/driver_occupancy.json. Time is counted in
decode slices, so the numbers are exact and the same everywhere. Beside the driver runs one that works in rounds, as
reinforcement learning code often does: it waits for the slowest of a round before it begins the next.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from measure.agent_world import VIEWS, World, draw_world
from measure.envelope import RESULTS, envelope, write_result
from vretrver.agent.dialects import dialect_named
from vretrver.agent.driver import Driver
from vretrver.agent.policy import Completion, PolicyLimits, Request, Sampling
from vretrver.agent.session import Session, SessionLimits, SessionSetup, rank_window
from vretrver.agent.trajectory import Trajectory
from vretrver.policies.scripted import answer_text
from vretrver.prng import Stream

SHORTEST, LONGEST = 4, 64
"""Decode slices of the shortest and the longest turn."""

LOOK = '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 1, "bbox_2d": [0, 0, 500, 500]}}</tool_call>'


@dataclass(slots=True)
class _Work:
    session: str
    slices: int
    turn: int


@dataclass(slots=True)
class SlicedPolicy:
    """A policy that decodes its places in step, one slice at a time; what waits enters as soon as a place is free."""

    slots: int
    """Turns decoded at once."""
    looks: Callable[[str], int]
    """Session -> turns that look before the one that answers."""
    slices: Callable[[str, int], int]
    """Session and turn -> decode slices the turn takes."""
    busy: list[int] = field(default_factory=list)
    """Places in use, one entry per slice decoded."""
    released: list[int] = field(default_factory=list)
    """Sessions released before each slice."""
    _waiting: deque[_Work] = field(default_factory=deque)
    _running: list[_Work] = field(default_factory=list)
    _turns: dict[str, int] = field(default_factory=dict)
    _gone: int = 0

    @property
    def fingerprint(self) -> str:
        """Name of the policy."""
        return f"sliced({self.slots})"

    @property
    def limits(self) -> PolicyLimits:
        """As many requests at once as there are places."""
        return PolicyLimits(in_flight=self.slots)

    def submit(self, request: Request) -> None:
        """Queue a turn of every session of the request."""
        for session in request.sessions:
            turn = self._turns.setdefault(session, 0)
            self._turns[session] += 1
            self._waiting.append(_Work(session=session, slices=self.slices(session, turn), turn=turn))

    def collect(self) -> list[Completion]:
        """Decode slices until a turn is finished."""
        while self._waiting or self._running:
            while self._waiting and len(self._running) < self.slots:
                self._running.append(self._waiting.popleft())
            self.busy.append(len(self._running))
            self.released.append(self._gone)
            for work in self._running:
                work.slices -= 1
            finished = [work for work in self._running if work.slices == 0]
            self._running = [work for work in self._running if work.slices > 0]
            if finished:
                return [Completion(session=work.session, text=self._text(work)) for work in finished]
        return []

    def _text(self, work: _Work) -> str:
        return LOOK if work.turn < self.looks(work.session) else answer_text([1])

    def cancel(self, session: str) -> None:
        """Nothing is cancelled here."""

    def release(self, session: str) -> None:
        """Forget a session."""
        self._gone += self._turns.pop(session, None) is not None

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """How full a policy's batch was."""

    slices: int
    """Decode slices until the last session ended."""
    full_work_slices: int
    """Those during which as many sessions were unfinished as there are places."""
    occupancy: float | None
    """Mean share of places in use over these; None when there were never that many sessions."""
    occupancy_overall: float
    """Mean share of places in use over all slices, the running dry at the end included."""


def occupancy_of(policy: SlicedPolicy, sessions: int) -> Occupancy:
    """Return how full the batch was in a run over `sessions` sessions."""
    full = [busy for busy, gone in zip(policy.busy, policy.released, strict=True) if sessions - gone >= policy.slots]
    return Occupancy(
        slices=len(policy.busy),
        full_work_slices=len(full),
        occupancy=sum(full) / (len(full) * policy.slots) if full else None,
        occupancy_overall=sum(policy.busy) / (len(policy.busy) * policy.slots),
    )


def sliced_policy(slots: int, *, seed: int) -> SlicedPolicy:
    """Return a policy with `slots` places; looks and lengths of turns are drawn from the session's name."""
    return SlicedPolicy(
        slots=slots,
        looks=lambda session: Stream(seed, session).below(5),
        slices=lambda session, turn: Stream(seed, session, turn).between(SHORTEST, LONGEST),
    )


def window_sessions(world: World, policy: SlicedPolicy, count: int) -> list[Session]:
    """Return `count` sessions of the real loop, each over the world's candidates."""
    dialect = dialect_named("vretrver")
    setup = SessionSetup(
        dialect=dialect,
        images=world.store,
        views=VIEWS,
        limits=SessionLimits(),
        sampling=Sampling(),
        policy=policy.fingerprint,
        policy_limits=policy.limits,
        config="",
        clock=lambda: 0.0,
    )
    return [rank_window(world.task(f"s{number}"), setup) for number in range(count)]


def run_in_rounds(policy: SlicedPolicy, sessions: Iterable[Session]) -> list[Trajectory]:
    """Drive sessions in rounds of one turn each: the next round begins when the slowest turn is done."""
    waiting = iter(sessions)
    running: dict[str, Session] = {}
    ready: dict[str, Request] = {}
    results: list[Trajectory] = []
    while True:
        while len(running) < policy.slots and (fresh := next(waiting, None)) is not None:
            request = next(fresh)
            running[request.sessions[0]], ready[request.sessions[0]] = fresh, request
        if not running:
            return results
        for request in ready.values():
            policy.submit(request)
        done: list[Completion] = []
        while len(done) < len(ready):
            done += policy.collect()
        ready.clear()
        for completion in done:
            try:
                ready[completion.session] = running[completion.session].send(completion)
            except StopIteration as stop:
                del running[completion.session]
                policy.release(completion.session)
                results.append(stop.value)


def measure(sessions: int, slots: int, *, seed: int) -> dict[str, Occupancy]:
    """Run the same sessions through the driver and in rounds; returns how full the batch was under each."""
    with tempfile.TemporaryDirectory() as name:
        world = draw_world(Path(name))
        driven, rounds = sliced_policy(slots, seed=seed), sliced_policy(slots, seed=seed)
        driver: Driver[Trajectory] = Driver(driven)
        mine = [record for _, record in driver.run(window_sessions(world, driven, sessions))]
        theirs = run_in_rounds(rounds, window_sessions(world, rounds, sessions))
    if _by_session(mine) != _by_session(theirs):
        raise RuntimeError("the two drivers did not come to the same trajectories")
    return {"driver": occupancy_of(driven, sessions), "rounds": occupancy_of(rounds, sessions)}


def _by_session(records: Sequence[Trajectory]) -> list[Trajectory]:
    return sorted(records, key=lambda record: record.session)


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "driver_occupancy.json")
    options = parser.parse_args()
    measured = measure(options.sessions, options.slots, seed=options.seed)
    settings = {
        "sessions": options.sessions,
        "slots": options.slots,
        "seed": options.seed,
        "turns_per_session": [1, 5],
        "slices_per_turn": [SHORTEST, LONGEST],
    }
    result = {name: asdict(occupancy) for name, occupancy in measured.items()}
    write_result(options.out, {**envelope("driver_occupancy"), "settings": settings, **result})
    for name, occupancy in measured.items():
        print(f"{name}: {occupancy.occupancy} of the places in use, {occupancy.slices} slices in all")

"""Kills an indexing process again and again, and checks that nothing acknowledged is lost.

One child at a time indexes texts with an encoder that costs nothing. It says on a pipe what it gives to the encoder
and, once a batch is committed, how far it has come. Half of the kills come from outside at a random time; the other
half happen inside at a random system call or SQL statement, a write cut in its middle included. After each kill the
directory is read and must hold all that was acknowledged; the next child must encode nothing of that again; and the
result must equal a build that nobody disturbed. Compaction is killed in the same way.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from measure.envelope import RESULTS, envelope, write_result
from measure.index_kill_child import BATCH, DIMENSION, CheapEncoder, index_all, items, thin_out
from vretrver.retrieval.directory.index import DirectoryIndex

POINTS_PER_BATCH = 9
"""About as many points where a child may kill itself as a batch passes."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was done and seen."""

    builds: int = 0
    """Indexes built from nothing to the end."""
    kills: int = 0
    """Children killed while indexing."""
    kills_from_outside: int = 0
    """Of these, at a random time."""
    kills_compacting: int = 0
    """Children killed while deleting and compacting."""
    acknowledged: int = 0
    """Items acknowledged before a kill, summed over kills; all were found afterwards."""
    lost: int = 0
    """Acknowledged items not found."""
    encoded_again: int = 0
    """Items encoded more than once: they were not committed when the child was killed."""
    most_encoded_again: int = 0
    """Most of these after one kill; at most a batch."""
    acknowledged_encoded_again: int = 0
    """Items encoded although they had been acknowledged."""
    different: int = 0
    """Finished builds, or compactions, that differ from the undisturbed one."""


def digest(directory: Path) -> str:
    """Return a hash of all rows and vectors by did."""
    with DirectoryIndex(directory) as index:
        found = {item.did: item for item in index.items()}
        vectors = index.vectors_of(list(found))
    total = hashlib.sha256()
    for did in sorted(found):
        total.update(repr(found[did]).encode() + vectors[did].tobytes())
    return total.hexdigest()


class Builder:
    """Builds indexes under fire and keeps the tally.

    Args:
        folder: where indexes are made.
        count: items of a build.
        seed: of all chances.
    """

    def __init__(self, folder: Path, count: int, seed: int) -> None:
        self.folder = folder
        self.count = count
        self.tally = Tally()
        self._chance = random.Random(seed)
        self._dids = [str(n) for n in range(count)]
        self._wanted = CheapEncoder().encode_candidates(items(count))
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["measure.index_kill_child"])
        index_all(folder / "calm", count, None, None, 0)
        self._calm = digest(folder / "calm")
        thin_out(folder / "calm", count, None, 0)
        self._calm_thin = digest(folder / "calm")

    def build(self, number: int, kills: int) -> None:
        """Build one index; kill it a number of times on the way, and twice while compacting."""
        directory = self.folder / f"build-{number}"
        acknowledged = encoded = 0
        for left in range(kills, -1, -1):
            before = acknowledged
            first, reached, acknowledged = self._run(directory, acknowledged, left)
            if first is not None:
                self.tally.acknowledged_encoded_again += max(0, before - first)
                again = max(0, encoded - first)
                self.tally.encoded_again += again
                self.tally.most_encoded_again = max(self.tally.most_encoded_again, again)
            encoded = max(encoded, reached)
            self._check(directory, acknowledged)
        self.tally.builds += 1
        self.tally.different += digest(directory) != self._calm
        self._thin_out(directory)

    def _run(self, directory: Path, acknowledged: int, left: int) -> tuple[int | None, int, int]:
        """Run one child, killed unless `left` is 0; returns (first encoded, last, committed)."""
        step = 2 * (self.count - acknowledged) // (left + 1)
        target = acknowledged + self._chance.randrange(max(1, step)) if left else self.count + 1
        inside = left > 0 and self._chance.random() < 0.5
        points = (target - acknowledged) * POINTS_PER_BATCH // BATCH + self._chance.randrange(1, 20)
        receiver, sender = self._context.Pipe(duplex=False)
        arguments = (directory, self.count, sender, points if inside else None, self._chance.randrange(2**32))
        child = self._context.Process(target=index_all, args=arguments)
        child.start()
        sender.close()
        if left and not inside and target <= acknowledged + BATCH:  # at the start, before anything is committed
            self._kill(child, within=0.05)
        first, reached = None, 0
        with suppress(EOFError, OSError):  # a message may be cut short
            while True:
                kind, start, end = receiver.recv()
                if kind == "encode":
                    first = start if first is None else first
                    reached = end
                else:
                    acknowledged = end
                if left and not inside and acknowledged >= target:
                    self._kill(child, within=0.01)
        child.join()
        died = self._died(child)
        self.tally.kills += died
        self.tally.kills_from_outside += died and not inside
        self.tally.acknowledged += acknowledged if died else 0
        return first, reached, acknowledged

    def _kill(self, child: BaseProcess, *, within: float) -> None:
        """Kill a child after at most some seconds."""
        time.sleep(self._chance.random() * within)
        child.kill()

    @staticmethod
    def _died(child: BaseProcess) -> bool:
        if child.exitcode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"a child ended with {child.exitcode}")
        return child.exitcode != 0

    def _check(self, directory: Path, acknowledged: int) -> None:
        """Look for everything that was acknowledged; a child killed at once may have made nothing yet."""
        if acknowledged == 0:
            return
        with DirectoryIndex(directory) as index:
            vectors = index.vectors_of(self._dids[:acknowledged])
        held = [n for n in range(acknowledged) if self._dids[n] in vectors]
        found = np.array([vectors[self._dids[n]] for n in held]).reshape(-1, DIMENSION)
        self.tally.lost += acknowledged - len(held) + int((found != self._wanted[held]).any(axis=1).sum())

    def _thin_out(self, directory: Path) -> None:
        for _ in range(2):
            points = self._chance.randrange(1, 40)
            arguments = (directory, self.count, points, self._chance.randrange(2**32))
            child = self._context.Process(target=thin_out, args=arguments)
            child.start()
            child.join()
            self.tally.kills_compacting += self._died(child)
        thin_out(directory, self.count, None, 0)
        self.tally.different += digest(directory) != self._calm_thin
        shutil.rmtree(directory)


def main() -> None:
    """Run builds and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--builds", type=int, default=50)
    parser.add_argument("--kills", type=int, default=1000, help="at least this many while indexing, over all builds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where indexes are made; default the temporary folder")
    parser.add_argument("--out", type=Path, default=RESULTS / "index_kill.json")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        builder = Builder(Path(folder), options.items, options.seed)
        number = 0
        while number < options.builds or builder.tally.kills < options.kills:
            builder.build(number, max(1, options.kills // options.builds))
            number += 1
    settings = {"items": options.items, "batch": BATCH, "dimension": DIMENSION, "seed": options.seed}
    result = {"settings": settings, "seconds": round(time.monotonic() - started), **asdict(builder.tally)}
    write_result(options.out, {**envelope("index_kill"), **result})
    print(asdict(builder.tally))

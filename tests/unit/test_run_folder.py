"""Pins run folders: windows are kept as they end, found again, never asked twice, and come to the same read back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.drawn import DrawnFolder, draw
from tests.unit.agent.sessions import zoom

from vretrver.agent.budget import Budget, Limit
from vretrver.agent.config import AgentConfig
from vretrver.agent.memo import WindowKey
from vretrver.agent.plans import BlocksPlanner, Planner, ReferencePlanner
from vretrver.agent.policy import Request
from vretrver.agent.reranked import Ended, Reranked
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import StopReason, Trajectory
from vretrver.assembly.resuming import rerank_into
from vretrver.errors import ConfigError, DataError
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text
from vretrver.run_folder import RunFolder, Shard
from vretrver.traces import trajectories_from_json

REFERENCE = ReferencePlanner(depth=6, size=4, stride=2)
BLOCKS = BlocksPlanner(depth=6, size=4)


class Counting(ScriptedPolicy):
    """Looks, then answers backwards; counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(_turn, name="counting")
        self.asked = 0

    def submit(self, request: Request) -> None:
        self.asked += 1
        super().submit(request)


def _turn(moment: Moment) -> str:
    return zoom(1) if not moment.said else answer_text(range(moment.count, 0, -1))


def _rerank(
    drawn: DrawnFolder, folder: RunFolder | None, planner: Planner, count: int = 3
) -> tuple[int, list[Reranked]]:
    policy = Counting()
    config = AgentConfig(planner=planner)
    reranker = Reranker(policy, drawn.store, config, memo=folder, clock=lambda: 0.0)
    pairs = [(drawn.query(qid=f"9:{number}"), drawn.hits(6)) for number in range(count)]
    done = {result.query.qid: result for result in rerank_into(None, reranker, pairs, folder=folder)}
    return policy.asked, [done[query.qid] for query, _ in pairs]


@pytest.mark.parametrize("planner", [REFERENCE, BLOCKS], ids=["reference", "blocks"])
def test_windows_that_are_kept_are_not_asked_again_and_come_to_the_same(
    drawn: DrawnFolder, tmp_path: Path, planner: Planner
) -> None:
    _, alone = _rerank(drawn, None, planner)
    windows = len(alone[0].trajectories)
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        asked, live = _rerank(drawn, folder, planner)
        assert (asked, len(folder)) == (2 * windows * 3, windows * 3)
        assert _rerank(drawn, folder, planner) == (0, live)
    with RunFolder(tmp_path / "run", config="a: 1") as again:
        assert _rerank(drawn, again, planner) == (0, live)
    assert live == alone

    with RunFolder(tmp_path / "run") as read:
        views = [read.reranked(result.query, result.hits, planner) for result in live]
    assert views == live


def test_what_would_be_asked_otherwise_is_asked_again(drawn: DrawnFolder, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        asked, _ = _rerank(drawn, folder, REFERENCE, 1)
        draw(77).save(drawn.path / "3.png")  # in the first window, of places 3 to 6, and whatever it moves
        again, _ = _rerank(drawn, folder, REFERENCE, 1)
        assert (asked, again) == (4, 2)
        assert _rerank(drawn, folder, BLOCKS, 1)[0] == 6


def test_a_window_that_was_broken_off_is_not_kept(drawn: DrawnFolder, tmp_path: Path) -> None:
    class Broken(Counting):
        def collect(self, *, patience: float | None = None) -> list[object]:  # type: ignore[override]
            for session in [*self._pending]:
                self.cancel(session)
            return super().collect(patience=patience)  # type: ignore[return-value]

    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        reranker = Reranker(Broken(), drawn.store, AgentConfig(planner=REFERENCE), memo=folder)
        assert reranker.rerank(drawn.query(), drawn.hits(6)).interrupted
        assert len(folder) == 0


def test_a_query_that_was_cut_off_is_read_back_as_unfinished(drawn: DrawnFolder, tmp_path: Path) -> None:
    query, hits = drawn.query(), drawn.hits(6)
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        folder.keep_hits(query, hits)
        assert folder.reranked(query, hits, REFERENCE).trajectories == ()
        cut = Reranker(Counting(), drawn.store, AgentConfig(planner=REFERENCE), memo=_OneWindow(folder))
        whole = cut.rerank(query, hits)
    with RunFolder(tmp_path / "run") as read:
        view = read.reranked(query, hits, REFERENCE)
    assert (view.ended, view.interrupted, view.trajectories) == (Ended.UNFINISHED, True, whole.trajectories[:1])


class _OneWindow:
    """Keeps the first window of a query and loses the second, as a run does that is killed between them."""

    def __init__(self, folder: RunFolder) -> None:
        self.known, self.folder = folder.known, folder

    def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
        if key.index == 0:
            self.folder.keep(key, trajectory)


def test_how_a_query_ended_is_kept_with_what_is_not_asked_again(drawn: DrawnFolder, tmp_path: Path) -> None:
    now = [0.0]

    def script(moment: Moment) -> str:
        now[0] += 4.0
        return answer_text(range(moment.count, 0, -1))

    asks = {"turns": Budget(turns=1), "seconds": Budget(seconds=3.0)}
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        for qid, budget in asks.items():
            config = AgentConfig(planner=REFERENCE, budget=budget)
            reranker = Reranker(
                ScriptedPolicy(script, name="t"), drawn.store, config, memo=folder, clock=lambda: now[0]
            )
            (live,) = rerank_into(None, reranker, [(drawn.query(qid=qid), drawn.hits(6))], folder=folder)
            assert folder.reranked(live.query, live.hits, REFERENCE) == live
            assert next(one.stop for one in live.trajectories) is StopReason.ANSWERED
            assert live.interrupted is (qid == "seconds")
    with RunFolder(tmp_path / "run") as read:
        views = [read.reranked(query, hits, REFERENCE) for query, hits in read.queries()]
    assert [(view.ended, view.reached) for view in views] == [
        (Ended.BUDGET, (Limit.TURNS,)),
        (Ended.DEADLINE, (Limit.SECONDS,)),
    ]


def test_another_model_at_the_same_place_is_another_run(drawn: DrawnFolder, tmp_path: Path) -> None:
    def orders(*revisions: int) -> list[list[str]]:
        found = []
        for revision in revisions:
            order = range(4, 0, -1) if revision == 0 else range(1, 5)
            policy = ScriptedPolicy(lambda _, order=order: answer_text(order), name=f"models/x {revision}")
            reranker = Reranker(policy, drawn.store, AgentConfig(planner=REFERENCE), memo=folder)
            (live,) = rerank_into(None, reranker, [(drawn.query(), drawn.hits(4))], folder=folder)
            assert folder.reranked(live.query, live.hits, REFERENCE) == live
            found.append([ranked.did for ranked in live.ranking])
        return found

    with RunFolder(tmp_path / "run", config="policy: local:models/x") as folder:
        up, down = ["1:1", "1:2", "1:3", "1:4"], ["1:4", "1:3", "1:2", "1:1"]
        assert orders(0, 1, 0) == [down, up, down]
        assert len(folder) == 2


def test_a_folder_that_was_opened_to_read_refuses_to_write(drawn: DrawnFolder, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        _rerank(drawn, folder, REFERENCE, 1)
    with RunFolder(tmp_path / "run") as read:
        key = next(iter(read._windows))
        trajectory = read.known(key)
        assert trajectory is not None
        for write in (
            lambda: read.keep(key, trajectory),
            lambda: read.keep_hits(drawn.query(qid="9:7"), drawn.hits(2)),
            lambda: read.keep_end(replace(_view(read), seconds=5.0, ended=Ended.CANCELLED), REFERENCE),
        ):
            with pytest.raises(
                ConfigError, match="run: this folder was opened to read; open it with a configuration"
            ):
                write()
        assert [query.qid for query, _ in read.queries()] == ["9:0"]


def _view(folder: RunFolder) -> Reranked:
    ((query, hits),) = folder.queries()
    return folder.reranked(query, hits, REFERENCE)


def test_hits_that_cannot_be_written_are_not_noted(drawn: DrawnFolder, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        for file in folder._files.values():
            file.close()
        with pytest.raises(ValueError, match="closed file"):
            folder.keep_hits(drawn.query(), drawn.hits(2))
        assert [*folder.queries()] == []


def test_the_windows_of_a_folder_are_read_as_trajectories(drawn: DrawnFolder, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        _, (live,) = _rerank(drawn, folder, REFERENCE, 1)
    lines = (tmp_path / "run" / "windows-000.jsonl").read_bytes().splitlines()
    assert tuple(one for line in lines for one in trajectories_from_json(line)) == live.trajectories
    with pytest.raises(DataError, match="not a window of a run folder: trajectory: "):
        trajectories_from_json(b'{"key":{}}')


def test_a_shard_is_named_by_its_number_and_their_count() -> None:
    assert Shard.parsed("1/3") == Shard(index=1, count=3)
    for wrong in ("1", "1/", "/3", "a/3", "-1/3"):
        with pytest.raises(ConfigError, match=f"--shard {wrong}: write I/N, as in 0/4 for the first of four"):
            Shard.parsed(wrong)
    with pytest.raises(ConfigError, match="there is no shard 3 of 3; shards count from 0"):
        Shard.parsed("3/3")


def test_shards_share_the_queries_out_and_each_has_one_writer(drawn: DrawnFolder, tmp_path: Path) -> None:
    pairs = [(drawn.query(qid=f"9:{number}"), drawn.hits(6)) for number in range(20)]
    shards = [Shard(index=index, count=3) for index in range(3)]
    shares = [{query.qid for query, _ in pairs if shard.holds(query.qid)} for shard in shards]
    assert sorted(qid for share in shares for qid in share) == sorted(query.qid for query, _ in pairs)
    with (
        RunFolder(tmp_path / "run", config="a: 1", shard=shards[0]) as first,
        RunFolder(tmp_path / "run", config="a: 1", shard=shards[1]) as second,
    ):
        first.keep_hits(*pairs[0])
        second.keep_hits(*pairs[1])
        with pytest.raises(DataError, match=r"windows-000.jsonl: another process writes this file; wait for it"):
            RunFolder(tmp_path / "run", config="a: 1", shard=shards[0])
    with RunFolder(tmp_path / "run") as read:
        assert [query.qid for query, _ in read.queries()] == ["9:0", "9:1"]
    with pytest.raises(ConfigError, match="there is no shard 3 of 3; shards count from 0"):
        Shard(index=3, count=3)


def test_hits_are_kept_once_and_read_back(drawn: DrawnFolder, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        for _ in range(2):
            folder.keep_hits(drawn.query(), drawn.hits(2))
        with pytest.raises(DataError, match="query 9:1 is kept with other candidates; choose a new folder"):
            folder.keep_hits(drawn.query(), drawn.hits(3))
    assert len((tmp_path / "run" / "hits-000.jsonl").read_text().splitlines()) == 1
    with RunFolder(tmp_path / "run") as read:
        assert [*read.queries()] == [(drawn.query(), tuple(drawn.hits(2)))]


def test_a_folder_of_another_configuration_or_of_none_is_refused(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run", config="a: 1\nb: 2\n").close()
    with pytest.raises(ConfigError, match=r"run: holds a run of another configuration \(b: 2 there, b: 3 here\)"):
        RunFolder(tmp_path / "run", config="a: 1\nb: 3\n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="empty: holds no run; name the folder that one was written to"):
        RunFolder(tmp_path / "empty")


def test_a_torn_last_line_is_dropped_and_a_damaged_one_is_named(drawn: DrawnFolder, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        _rerank(drawn, folder, REFERENCE, 2)
    path = tmp_path / "run" / "windows-000.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        assert len(folder) == 3
        assert _rerank(drawn, folder, REFERENCE, 2)[0] == 2
    assert len(path.read_bytes()) == len(whole)
    path.write_bytes(whole.replace(b'"qid":"9:0"', b'"qid":9', 1))
    with pytest.raises(DataError, match=r"windows-000.jsonl: the line at byte \d+ is damaged \(key.qid: "):
        RunFolder(tmp_path / "run", config="a: 1")


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from tests.drawn import drawn_folder
from tests.unit.test_run_folder import REFERENCE, Counting
from vretrver.agent.config import AgentConfig
from vretrver.agent.reranker import Reranker
from vretrver.run_folder import RunFolder

drawn = drawn_folder(Path(sys.argv[2]))
with RunFolder(Path(sys.argv[3]), config="a: 1") as folder:
    reranker = Reranker(Counting(), drawn.store, AgentConfig(planner=REFERENCE), memo=folder)
    pairs = [(drawn.query(qid=f"9:{number}"), drawn.hits(6)) for number in range(200)]
    for result in reranker.rerank_many(pairs):
        for one in result.trajectories:
            print(one.qid, one.step.index, flush=True)
"""


def test_a_run_that_is_killed_loses_nothing_it_has_told_of_and_asks_nothing_twice(
    drawn: DrawnFolder, tmp_path: Path
) -> None:
    drawn.hits(6)
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", CHILD, str(root), str(drawn.path), str(tmp_path / "run")]
    acknowledged: set[str] = set()
    for wait in (0.15, 0.4):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        acknowledged.add(child.stdout.readline().strip())
        time.sleep(wait)
        os.kill(child.pid, signal.SIGKILL)
        acknowledged |= {line.strip() for line in child.stdout if line.endswith("\n")}
        child.wait()
        child.stdout.close()
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        kept = len(folder)
        lines = {f"{key.qid} {key.index}" for key in folder._windows}
        assert acknowledged <= lines
        asked, done = _rerank(drawn, folder, REFERENCE, 200)
        assert len(folder) == 400
        assert asked == 2 * (400 - kept)
    assert {result.ranking for result in done} == {_rerank(drawn, None, REFERENCE, 1)[1][0].ranking}

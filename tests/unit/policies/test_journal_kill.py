"""Pins that a run that is killed anywhere pays only for the rest, and what a journal's file may be."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawn import DrawnFolder, drawn_folder
from tests.unit.policies.asking import ask
from tests.unit.policies.journals import Opened, Paid

from vretrver.agent.config import AgentConfig
from vretrver.agent.plans import ReferencePlanner
from vretrver.agent.reranked import Reranked
from vretrver.agent.reranker import Reranker
from vretrver.errors import DataError
from vretrver.policies.journal import JournaledPolicy
from vretrver.policies.scripted import Moment
from vretrver.traces import trajectory_to_json

CONFIG = AgentConfig(planner=ReferencePlanner(depth=5, size=3, stride=2))


def look_then_answer(moment: Moment) -> str:
    """Look once or twice, depending on the query, then answer with an order that depends on everything said."""
    looks = 1 + sum(len(message.text) for message in moment.messages[:2]) % 2
    if len(moment.said) < looks:
        target = 1 + len(moment.said) % moment.count
        arguments = f'{{"target_image": {target}, "bbox_2d": [0, 0, 500, 500]}}'
        return f'<tool_call>{{"name": "zoom_in", "arguments": {arguments}}}</tool_call>'
    shift = sum(len(text) for text in moment.said) % moment.count
    numbers = [*range(1, moment.count + 1)]
    return f"<answer>{numbers[shift:] + numbers[:shift]}</answer>"


def rerank_all(policy: JournaledPolicy, drawn: DrawnFolder) -> list[bytes]:
    """Rerank four queries, two of them alike, over two windows each; returns the records without timing."""
    queries = [drawn.query(qid=f"9:{number}", text="abc"[: 1 + number // 2]) for number in range(4)]
    reranked: list[Reranked] = list(
        Reranker(policy, drawn.store, CONFIG, workers=0, clock=lambda: 0.0).rerank_many(
            [(q, drawn.hits(5)) for q in queries]
        )
    )
    reranked.sort(key=lambda one: one.query.qid)
    return [trajectory_to_json(trajectory) for one in reranked for trajectory in one.trajectories]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[DrawnFolder, bytes, list[bytes]]:
    """Pictures, the journal of an undisturbed run, and its records."""
    folder = tmp_path_factory.mktemp("whole")
    drawn = drawn_folder(folder)
    path = folder / "journal.jsonl"
    policy = JournaledPolicy(Paid(look_then_answer).policy(), path)
    records = rerank_all(policy, drawn)
    policy.close()
    return drawn, path.read_bytes(), records


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_killed_at_any_byte_a_run_pays_only_for_the_rest_and_ends_alike(
    whole_run: tuple[DrawnFolder, bytes, list[bytes]], data: st.DataObject
) -> None:
    drawn, journal, records = whole_run
    assert journal.count(b"\n") == 20
    kept = journal[: data.draw(st.integers(0, len(journal)), label="bytes on disk")]
    path = drawn.path / f"killed-{os.getpid()}.jsonl"
    path.write_bytes(kept)
    paid = Paid(look_then_answer)
    policy = JournaledPolicy(paid.policy(), path)
    assert rerank_all(policy, drawn) == records
    policy.close()
    assert paid.turns == journal.count(b"\n") - kept.count(b"\n")
    assert sorted(path.read_bytes().splitlines()) == sorted(journal.splitlines())


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.drawn import drawn_folder
from tests.unit.policies.journals import Paid
from tests.unit.policies.test_journal_kill import look_then_answer, rerank_all
from vretrver.policies.journal import JournaledPolicy

class Dying(JournaledPolicy):
    def collect(self, **options):
        if path.read_bytes().count(b"\\n") >= int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().collect(**options)

folder = Path(sys.argv[1])
path = folder / "killed.jsonl"
rerank_all(Dying(Paid(look_then_answer).policy(), path), drawn_folder(folder))
"""


def test_a_process_that_is_killed_leaves_all_it_was_given(
    whole_run: tuple[DrawnFolder, bytes, list[bytes]], tmp_path: Path
) -> None:
    _, _, records = whole_run
    command = [sys.executable, "-c", KILLED, str(tmp_path), "7"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    kept = (tmp_path / "killed.jsonl").read_bytes().count(b"\n")
    assert 7 <= kept < 20
    paid = Paid(look_then_answer)
    policy = JournaledPolicy(paid.policy(), tmp_path / "killed.jsonl")
    assert rerank_all(policy, drawn_folder(tmp_path)) == records
    policy.close()
    assert paid.turns == 20 - kept


def test_pictures_count_by_their_bytes(reopen: Callable[..., Opened], drawn: DrawnFolder) -> None:
    opened = reopen(look_then_answer)
    rerank_all(opened.policy, drawn)
    drawn.ref(90)
    (drawn.path / "1.png").write_bytes((drawn.path / "90.png").read_bytes())
    again = reopen(look_then_answer)
    rerank_all(again.policy, drawn)
    assert again.paid.turns > 0


def test_a_line_that_is_no_entry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"version": 2}\n{"torn": ')
    with pytest.raises(DataError, match=r"journal\.jsonl:1: not a journal entry \(key: Field required\)"):
        JournaledPolicy(Paid().policy(), path)


@pytest.mark.parametrize("line", ["[]", "no json", '{"key": 1}', "[" * 100_000])
def test_a_line_of_another_kind_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(DataError, match=r"journal\.jsonl:1: not a journal entry; choose another file"):
        JournaledPolicy(Paid().policy(), path)


def test_a_line_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"version": 1, "key": "k", "ordinal": 0, "completion": {"session": "s", "text": "x"}}\n')
    with pytest.raises(DataError, match=r"journal\.jsonl:1: journal version 1, this program reads 2; choose another"):
        JournaledPolicy(Paid().policy(), path)


def test_two_processes_cannot_write_one_journal(reopen: Callable[..., Opened], tmp_path: Path) -> None:
    reopen()
    with pytest.raises(DataError, match="another process writes this journal"):
        JournaledPolicy(Paid().policy(), tmp_path / "journal.jsonl")


def test_a_journal_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere/journal: the journal cannot be opened: No such file"):
        JournaledPolicy(Paid().policy(), tmp_path / "nowhere" / "journal")


def test_a_full_disk_ends_the_run_and_leaves_no_part_of_a_line(
    reopen: Callable[..., Opened], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = reopen()
    opened.texts(ask("s"))
    before = (tmp_path / "journal.jsonl").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    opened.policy.submit(ask("t"))
    with pytest.raises(DataError, match="cannot be written: No space left on device; what was written is kept"):
        opened.policy.collect()
    assert (tmp_path / "journal.jsonl").read_bytes() == before

"""Pins the journal: what was acknowledged is found again by what was said, and never paid for twice."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.drawn import DrawnFolder
from tests.stub_server import StubServer, chat
from tests.unit.policies.asking import MORE, SAID, ask
from tests.unit.policies.journals import Opened

from vretrver.agent.answers import FORMS
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits, Sampling
from vretrver.agent.reranker import Reranker
from vretrver.policies.chat_api import ChatPolicy
from vretrver.policies.journal import JournaledPolicy
from vretrver.policies.scripted import ScriptedPolicy

TURN = Message(role="assistant", pieces=("turn 1",))
GRAMMAR = FORMS["ranking"].grammar(5, whole_turn=True, complete=True)


def test_what_was_answered_is_not_asked_for_again(reopen: Callable[..., Opened]) -> None:
    first = reopen()
    assert first.texts(ask("s")) == {"s": "turn 1"}
    assert first.texts(ask("s", messages=(MORE,))) == {"s": "turn 2"}
    again = reopen()
    assert again.texts(ask("s")) == {"s": "turn 1"}
    assert again.texts(ask("s", messages=(MORE,))) == {"s": "turn 2"}
    assert again.paid.turns == 0


def test_a_conversation_goes_on_with_all_that_was_said(reopen: Callable[..., Opened]) -> None:
    reopen().texts(ask("s"))
    again = reopen()
    again.texts(ask("s"))
    assert again.texts(ask("s", messages=(MORE,))) == {"s": "turn 1"}
    (moment,) = again.paid.moments
    assert (moment.messages, moment.said) == ((SAID, MORE), ("turn 1",))


@pytest.mark.parametrize(
    "other",
    [
        {"messages": (MORE,)},
        {"sampling": Sampling(seed=1)},
        {"sampling": Sampling(max_tokens=9)},
        {"stop": (".",)},
        {"prefix": "<answer>["},
        {"grammar": GRAMMAR},
        {"score_tokens": ("1",)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_decides_a_turn_decides_whether_it_is_found(
    reopen: Callable[..., Opened], other: dict[str, Any]
) -> None:
    reopen().texts(ask("s"))
    again = reopen()
    again.texts(ask("s", **other))
    assert again.paid.turns == 1


def test_another_policy_pays_for_itself(tmp_path: Path) -> None:
    for name in ("one", "two"):
        policy = JournaledPolicy(ScriptedPolicy(lambda _: "x", name=name), tmp_path / "journal.jsonl")
        policy.submit(ask("s"))
        policy.collect()
        policy.close()
    assert len((tmp_path / "journal.jsonl").read_bytes().splitlines()) == 2


def test_the_deadline_and_the_names_of_session_and_stream_do_not_matter(reopen: Callable[..., Opened]) -> None:
    reopen().texts(ask("s"))
    again = reopen()
    assert again.texts(ask("other", deadline=5.0, stream="another")) == {"other": "turn 1"}


def test_equal_requests_are_paid_for_each_and_found_again_each(reopen: Callable[..., Opened]) -> None:
    first = reopen().texts(ask("a"), ask("b"), ask("c"))
    assert sorted(first.values()) == ["turn 1", "turn 2", "turn 3"]
    assert reopen().texts(ask("c"), ask("a"), ask("b")) == first
    renamed = reopen()
    said = renamed.texts(*(ask(session) for session in "xyzw"))
    assert sorted(said.values()) == ["turn 1", "turn 1", "turn 2", "turn 3"]
    assert renamed.paid.turns == 1


def test_a_stream_finds_its_own_turn_again_whatever_its_session_is_called(reopen: Callable[..., Opened]) -> None:
    first = reopen().texts(ask("1/a", stream="a"), ask("1/b", stream="b"))
    again = reopen().texts(ask("2/b", stream="b"), ask("2/a", stream="a"))
    assert (again["2/a"], again["2/b"]) == (first["1/a"], first["1/b"])


def test_equal_draws_go_on_apart(reopen: Callable[..., Opened]) -> None:
    opened = reopen(lambda moment: "same" if not moment.said else f"{moment.session} goes on")
    opened.texts(ask("a"), ask("b"))
    said = opened.texts(ask("a", messages=(MORE,)), ask("b", messages=(MORE,)))
    again = reopen()
    again.texts(ask("b"), ask("a"))
    assert again.texts(ask("b", messages=(MORE,)), ask("a", messages=(MORE,))) == said
    assert again.paid.turns == 0


@pytest.mark.parametrize("forked_first", [True, False])
def test_a_fork_has_the_key_of_the_same_conversation_opened_at_once(
    reopen: Callable[..., Opened], forked_first: bool
) -> None:
    def forked(opened: Opened) -> list[str]:
        opened.texts(ask("a", read_only=True))
        one = opened.texts(ask("b", messages=(), after="a"))
        two = opened.texts(ask("c", messages=(MORE,), after="b"))
        return [one["b"], two["c"]]

    def at_once(opened: Opened) -> list[str]:
        one = opened.texts(ask("x"))
        two = opened.texts(ask("y", messages=(SAID, TURN, MORE)))
        return [one["x"], two["y"]]

    first, second = (forked, at_once) if forked_first else (at_once, forked)
    assert first(reopen()) == ["turn 1", "turn 2"]
    again = reopen()
    assert second(again) == ["turn 1", "turn 2"]
    assert again.paid.turns == 0


def test_how_a_text_is_cut_into_pieces_does_not_matter(reopen: Callable[..., Opened]) -> None:
    reopen().texts(ask("s"))
    again = reopen()
    again.texts(ask("s", messages=(Message(role="user", pieces=("hel", "lo")),)))
    assert again.paid.turns == 0


def test_reading_is_handed_on_and_not_kept(reopen: Callable[..., Opened], tmp_path: Path) -> None:
    for _ in range(2):
        opened = reopen()
        assert opened.texts(ask("a", read_only=True)) == {"a": ""}
        assert opened.paid.turns == 0
    assert (tmp_path / "journal.jsonl").read_bytes() == b""


def test_a_fork_the_journal_does_not_know_starts_after_the_source_within(reopen: Callable[..., Opened]) -> None:
    opened = reopen()
    opened.texts(ask("a", read_only=True))
    opened.policy.submit(ask("b", messages=(MORE,), after="a"))
    opened.policy.release("a")
    opened.texts()
    (moment,) = opened.paid.moments
    assert (moment.session, moment.messages, moment.said) == ("b", (SAID, MORE), ())


def test_a_fork_goes_on_with_all_that_was_said_when_the_journal_had_its_beginning(
    reopen: Callable[..., Opened],
) -> None:
    first = reopen()
    first.texts(ask("a"))
    first.texts(ask("b", messages=(MORE,), after="a"))
    again = reopen()
    again.texts(ask("a"))
    assert again.texts(ask("b", messages=(MORE,), after="a")) == {"b": "turn 2"}
    again.texts(ask("b", messages=(MORE,)), ask("c", messages=(SAID,), after="a"))
    assert [(moment.session, moment.messages, moment.said) for moment in again.paid.moments] == [
        ("b", (SAID, MORE, MORE), ("turn 1", "turn 2")),
        ("c", (SAID, SAID), ("turn 1",)),
    ]


@pytest.mark.parametrize("finish", [FinishReason.ERROR, FinishReason.DEADLINE, FinishReason.OVERFLOW])
def test_a_failure_is_asked_for_again(reopen: Callable[..., Opened], finish: FinishReason) -> None:
    failure = Failure(kind=FailureKind.BROKEN, words="no")
    opened = reopen(lambda moment: Completion(session=moment.session, text="", finish=finish, failure=failure))
    opened.texts(ask("s"))
    again = reopen()
    assert again.texts(ask("s")) == {"s": "turn 1"}
    assert again.paid.turns == 1


def test_a_completion_comes_back_as_it_was(tmp_path: Path) -> None:
    whole = Completion(
        session="s",
        text="a\u2028b \U0001f600 \x00",
        finish=FinishReason.LENGTH,
        token_ids=(1, 2),
        logprobs=(-0.1, -math.inf),
        held=((0, 1),),
        scores={"1": -1.5},
    )
    for _ in range(2):
        policy = JournaledPolicy(ScriptedPolicy(lambda _: whole, name="x"), tmp_path / "journal.jsonl")
        policy.submit(ask("s"))
        assert policy.collect() == [whole]
        policy.close()


def test_a_lone_surrogate_is_replaced_before_anybody_sees_it(reopen: Callable[..., Opened]) -> None:
    assert reopen(lambda _: "a\ud800").texts(ask("s")) == {"s": "a?"}
    assert reopen().texts(ask("s")) == {"s": "a?"}


def test_over_http_a_conversation_is_taken_up_with_one_request(tmp_path: Path) -> None:
    with StubServer(chat(lambda seen: f"turn {len(seen.body['messages'])}")) as server:
        for turns in (1, 2):
            policy = JournaledPolicy(ChatPolicy(server.url, model="stub"), tmp_path / "journal.jsonl")
            for message in (SAID, MORE)[:turns]:
                policy.submit(ask("s", messages=(message,)))
                policy.collect()
            policy.close()
        assert [[message["content"] for message in post["messages"]] for post in server.posts] == [
            ["hello"],
            ["hello", "turn 1", "more"],
        ]


def test_no_secret_and_no_picture_stands_in_the_journal(
    tmp_path: Path, drawn: DrawnFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VRETRVER_API_KEY", "sk-0123456789")
    with StubServer(chat(lambda _: "<answer>[1, 2]</answer>")) as server:
        policy = JournaledPolicy(ChatPolicy(server.url, model="stub"), tmp_path / "journal.jsonl")
        Reranker(policy, drawn.store).rerank(drawn.query(), drawn.hits(2))
        policy.close()
    text = (tmp_path / "journal.jsonl").read_text()
    assert "sk-0123456789" not in text
    assert server.url not in text
    assert len(text) < 1000


def test_cancelling_what_the_journal_has_answered_is_cancelled(reopen: Callable[..., Opened]) -> None:
    reopen().texts(ask("s"))
    again = reopen()
    again.policy.submit(ask("s"))
    again.policy.cancel("s")
    assert [done.finish for done in again.policy.collect()] == [FinishReason.CANCELLED]


def test_releasing_what_the_journal_has_answered_leaves_nothing(reopen: Callable[..., Opened]) -> None:
    reopen().texts(ask("s"))
    again = reopen()
    again.policy.submit(ask("s"))
    again.policy.release("s")
    assert again.policy.collect() == []


def test_it_goes_by_the_name_and_the_limits_of_the_policy_within(reopen: Callable[..., Opened]) -> None:
    policy = reopen().policy
    assert (policy.fingerprint, policy.limits) == ("scripted:paid", PolicyLimits(in_flight=3))
    assert (policy.revision, policy.scripted) == (0, True)


def test_what_the_journal_holds_does_not_wait_for_the_policy_within(tmp_path: Path) -> None:
    with StubServer(chat(lambda _: "x")) as server:
        for delay in (0.0, 2.0):
            server.script = chat(lambda _: "x", delay=delay)
            policy = JournaledPolicy(ChatPolicy(server.url, model="stub"), tmp_path / "journal.jsonl")
            if delay:
                policy.submit(ask("new", messages=(MORE,)))
            policy.submit(ask("s"))
            assert [done.session for done in policy.collect()] == ["s"]
            policy.close()


def test_cancelling_from_another_thread_answers_each_request_once(reopen: Callable[..., Opened]) -> None:
    sessions = [f"s{number}" for number in range(200)]
    reopen().texts(*(ask(session) for session in sessions))
    policy = reopen().policy
    for session in sessions:
        policy.submit(ask(session))
    canceller = threading.Thread(target=lambda: [policy.cancel(session) for session in sessions])
    canceller.start()
    done = policy.collect()
    canceller.join()
    assert sorted(completion.session for completion in done) == sorted(sessions)
    assert policy.collect() == []


def test_a_turn_that_was_cancelled_is_not_part_of_the_conversation(reopen: Callable[..., Opened]) -> None:
    reopen().texts(ask("s"))
    again = reopen()
    again.policy.submit(ask("s"))
    again.policy.cancel("s")
    again.texts()
    again.texts(ask("s", messages=(MORE,)))
    (moment,) = again.paid.moments
    assert (moment.messages, moment.said) == ((SAID, MORE), ())


def test_a_sampled_stream_takes_no_other_streams_turn(reopen: Callable[..., Opened]) -> None:
    """A run was killed when one rollout of four was written: it finds its own turn again, and the others draw."""
    streams = ["g/0", "g/1", "g/2", "g/3"]
    group = [ask(stream, sampling=Sampling(temperature=1.0), stream=stream) for stream in streams]
    opened = reopen(lambda moment: f"draw of {moment.stream}")
    opened.texts(group[3])
    again = reopen(lambda moment: f"draw of {moment.stream}")
    assert again.texts(*group) == {stream: f"draw of {stream}" for stream in streams}
    assert again.paid.turns == 3

"""Pins the HTTP policy against a stub server: what is sent, what comes back, and what every failure becomes."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from dataclasses import replace

import pytest
from tests.drawn import DrawnFolder
from tests.stub_server import (
    LONGEST,
    Answer,
    Seen,
    StubServer,
    as_json,
    chat,
    completion,
    first,
    picture_bytes,
    refusal,
    say,
)
from tests.unit.policies.asking import HASTY, MORE, SAID, Make, answer, ask

from vretrver._http import Patience
from vretrver.agent.budget import Spent
from vretrver.agent.messages import Message
from vretrver.agent.policy import (
    Completion,
    FailureKind,
    FinishReason,
    PolicyLimits,
    Sampling,
    Usage,
)
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import StopReason, Trajectory
from vretrver.policies.scripted import Moment, ScriptedPolicy
from vretrver.traces import reranked_to_json

LOOK = '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 1, "bbox_2d": [0, 0, 500, 500]}}</tool_call>'


def test_each_turn_sends_the_conversation_again_with_the_turns_verbatim(server: StubServer, make: Make) -> None:
    server.script = chat(lambda seen: f" turn {len(seen.body['messages'])} é ")
    policy = make()
    answer(policy, ask("s"))
    answer(policy, ask("s", messages=(MORE,)))
    before, after = (post["messages"] for post in server.posts)
    assert before == [{"role": "user", "content": "hello"}]
    assert after == [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": " turn 1 é "},
        {"role": "user", "content": "more"},
    ]


def test_the_real_loop_runs_as_it_does_over_a_scripted_policy(
    server: StubServer, make: Make, drawn: DrawnFolder
) -> None:
    def turn(turns: int) -> str:
        return LOOK if turns == 0 else "<answer>[3, 1, 2]</answer>"

    def script(moment: Moment) -> Completion:
        return Completion(session=moment.session, text=turn(len(moment.said)))

    server.script = chat(lambda seen: turn(sum(m["role"] == "assistant" for m in seen.body["messages"])))
    over_http = Reranker(make(), drawn.store).rerank(drawn.query(), drawn.hits(3))
    scripted = Reranker(ScriptedPolicy(script, name="x"), drawn.store).rerank(drawn.query(), drawn.hits(3))

    def bare(record: Trajectory) -> Trajectory:
        turns = tuple(replace(turn, seconds=0.0, usage=Usage()) for turn in record.turns)
        return replace(record, policy="", agent="", spent=Spent(), turns=turns)

    mine, theirs = over_http.trajectories[0], scripted.trajectories[0]
    assert mine.stop is StopReason.ANSWERED
    assert bare(mine) == bare(theirs)
    shown = [picture_bytes(part) for part in server.posts[1]["messages"][3]["content"] if part["type"] != "text"]
    assert [hashlib.sha256(data).hexdigest() for data in shown] == [o.sha256 for o in mine.observations(0)]
    assert (mine.turns[0].usage.completion_tokens, mine.turns[0].usage.estimated) == (42, False)


def test_the_prompt_tokens_a_server_counts_are_those_the_bench_counted(
    server: StubServer, make: Make, drawn: DrawnFolder
) -> None:
    trajectory = Reranker(make(), drawn.store).rerank(drawn.query(picture=9), drawn.hits(3)).trajectories[0]
    parts = server.posts[0]["messages"][1]["content"]
    assert sum(part["type"] == "image_url" for part in parts) == 4
    assert trajectory.turns[0].usage.prompt_tokens > trajectory.visual_tokens > 200


def test_streams_draw_apart_and_the_same_again_whatever_the_session_is_called(server: StubServer, make: Make) -> None:
    for ticket in ("", "1/"):
        policy = make()
        for stream in ("a", "b"):
            for _ in range(2):
                sampling = Sampling(temperature=1.0, seed=3)
                answer(policy, ask(f"{ticket}{stream}", stream=stream if ticket else "", sampling=sampling))
    seeds = [post["seed"] for post in server.posts]
    assert seeds[:4] == seeds[4:]
    assert len(set(seeds)) == 4


def test_no_more_requests_are_under_way_than_the_limit(server: StubServer, make: Make) -> None:
    pair = threading.Barrier(2)

    def both(_: Seen) -> str:
        """Answer when two requests are there; a third one, or none, breaks the barrier."""
        assert pair.n_waiting < 2
        pair.wait(LONGEST / 2)
        return "x"

    server.script = chat(both)
    policy = make(limits=PolicyLimits(in_flight=2))
    for number in range(6):
        policy.submit(ask(f"s{number}"))
    done = 0
    while done < 6:
        done += len(policy.collect())
    assert not pair.broken
    assert server.connections == 2


def test_what_is_finished_does_not_wait_for_what_is_slow(server: StubServer, make: Make) -> None:
    server.script = chat(lambda seen: seen.body["messages"][0]["content"], delay=lambda seen: _seconds(seen))
    policy = make(patience=Patience())
    policy.submit(ask("slow", messages=(Message(role="user", pieces=("1",)),)))
    policy.submit(ask("quick", messages=(Message(role="user", pieces=("0",)),)))
    assert [done.session for done in policy.collect()] == ["quick"]
    assert [done.session for done in policy.collect()] == ["slow"]


def _seconds(seen: Seen) -> float:
    return 1.0 if seen.body["messages"][0]["content"] == "1" else 0.0


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        (Answer(hang=True), "unreachable", "did not answer in time"),
        (Answer(reset=True), "unreachable", r"cannot be reached: .* \(tried 2 times\)"),
        (
            refusal(429, "slow down", headers={"Retry-After": "0"}),
            "unreachable",
            r"answered 429: slow down .*tried 2 times",
        ),
        (Answer(body=b'{"choices": [{"mess', cut=10), "unreachable", r"cannot be reached: .*\(tried 2 times\)"),
        (refusal(500, "boom"), "unreachable", r"answered 500: boom error \(tried 2 times\)"),
        (Answer(body=b"<html>"), "unreachable", "is not JSON: <html>"),
        (as_json({"type": "message", "content": []}), "unreachable", "not a chat completion"),
        (refusal(401, "who are you"), "refused", "answered 401: who are you"),
        (refusal(404, "no such model"), "refused", "answered 404: no such model"),
        (refusal(400, "the response was filtered content_filter"), "filtered", "answered 400"),
        (refusal(400, "cannot identify image file"), "unreadable", "answered 400"),
        (as_json(completion(["x"], finish="content_filter")), "filtered", "withheld"),
        (as_json(completion(["x"], finish="abort")), "broken", "broke the answer off"),
    ],
    ids=[
        "hang", "reset", "throttle", "truncated", "500", "garbage", "another API", "wrong key", "unknown model",
        "filtered request", "unreadable picture", "filtered answer", "aborted",
    ],
)  # fmt: skip
def test_a_failure_is_an_error_of_that_session_alone(
    server: StubServer, make: Make, bad: Answer, kind: str, words: str
) -> None:
    good = say("fine")
    server.script = lambda seen: bad if seen.body["messages"][0]["content"] == "bad" else good(seen)
    policy = make(patience=replace(HASTY, answer=0.5 if bad.hang else 8.0))
    policy.submit(ask("bad", messages=(Message(role="user", pieces=("bad",)),)))
    policy.submit(ask("good"))
    done: dict[str, Completion] = {}
    while len(done) < 2:
        done |= {completion.session: completion for completion in policy.collect()}
    assert (done["good"].finish, done["good"].text) == (FinishReason.STOP, "fine")
    assert done["bad"].finish is FinishReason.ERROR
    failure = done["bad"].failure
    assert failure is not None
    assert failure.kind == kind
    assert re.search(words, failure.words)
    assert "\n" not in failure.words


def test_a_failed_query_says_why_in_its_record(server: StubServer, make: Make, drawn: DrawnFolder) -> None:
    server.script = first([refusal(500, "boom")] * 9, say(""))
    reranked = Reranker(make(), drawn.store).rerank(drawn.query(), drawn.hits(2))
    (trajectory,) = reranked.failed
    assert trajectory.stop is StopReason.POLICY_ERROR
    assert trajectory.failure is not None
    assert trajectory.failure.words.endswith("answered 500: boom error (tried 2 times)")
    assert reranked.interrupted


def test_a_passing_failure_is_not_seen(server: StubServer, make: Make) -> None:
    server.script = first([refusal(503, "loading")], say("fine"))
    assert answer(make(), ask("s")).text == "fine"


def test_a_conversation_that_does_not_fit_is_an_overflow(server: StubServer, make: Make) -> None:
    server.script = lambda _: refusal(400, "This model's maximum context length is 10 tokens")
    done = answer(make(), ask("s"))
    assert done.finish is FinishReason.OVERFLOW
    assert done.failure is not None
    assert done.failure.kind is FailureKind.CONTEXT
    assert done.failure.words.endswith("This model's maximum context length is 10 tokens error")


def test_a_deadline_ends_a_request_that_runs_and_one_that_waits_for_a_place(server: StubServer, make: Make) -> None:
    server.script = lambda _: Answer(hang=True)
    policy = make(limits=PolicyLimits(in_flight=1), patience=Patience())
    started = time.monotonic()
    for session in ("running", "waiting"):
        policy.submit(ask(session, deadline=started + 0.1))
    done: list[Completion] = []
    while len(done) < 2:
        done += policy.collect()
    assert {completion.finish for completion in done} == {FinishReason.DEADLINE}
    assert time.monotonic() - started < LONGEST / 2


def test_cancelling_ends_a_hanging_request_at_once_and_frees_its_place(server: StubServer, make: Make) -> None:
    hanging = [Answer(hang=True)]
    server.script = first(hanging, say("fine"))
    policy = make(limits=PolicyLimits(in_flight=1), patience=Patience())
    policy.submit(ask("s"))
    started = time.monotonic()
    while not server.seen and time.monotonic() - started < LONGEST / 2:
        time.sleep(0.01)
    policy.cancel("s")
    assert [(done.session, done.finish) for done in policy.collect()] == [("s", FinishReason.CANCELLED)]
    assert answer(policy, ask("t")).text == "fine"
    while not server.left and time.monotonic() - started < LONGEST / 2:
        time.sleep(0.01)
    assert server.left == 1


def test_fields_a_server_refuses_are_left_out_from_then_on(
    server: StubServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def strict(seen: Seen) -> Answer:
        known = {"model", "messages", "max_completion_tokens", "temperature", "top_p", "stop"}
        wrong = sorted(set(seen.body) - known)
        if wrong:
            hint = "; use max_completion_tokens" if wrong[0] == "max_tokens" else ""
            return refusal(400, f"Unknown parameter: '{wrong[0]}'{hint}")
        return as_json(completion(["x"]))

    server.script = strict
    policy = make()
    request = ask("s", stop=("</x>",), sampling=Sampling(temperature=0.5, max_tokens=9))
    assert answer(policy, request).text == "x"
    assert answer(policy, replace(request, session="t")).text == "x"
    assert len(server.posts) == 4 + 1 + 1
    assert server.posts[-1]["max_completion_tokens"] == 9
    assert [r.getMessage().partition(" takes ")[2] for r in caplog.records] == ["no seed; requests go on without it"]


def test_token_ids_are_asked_for_and_returned_when_wanted(server: StubServer, make: Make) -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5}]}
    server.script = lambda _: as_json(completion(["a"], token_ids=[5], logprobs=logprobs))
    done = answer(make(tokens=True), ask("s"))
    assert (done.token_ids, done.logprobs) == ((5,), (-0.5,))
    assert (server.posts[0]["return_token_ids"], server.posts[0]["logprobs"]) == (True, True)


def test_without_counts_of_the_server_usage_is_an_estimate(server: StubServer, make: Make) -> None:
    value = completion(["12345678"])
    del value["usage"]
    server.script = lambda _: as_json(value)
    assert answer(make(), ask("s")).usage == Usage(prompt_tokens=7, completion_tokens=2, estimated=True)


def test_a_server_that_loses_part_of_a_conversation_is_warned_of_once(
    server: StubServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    server.script = lambda _: as_json(completion(["one two three"], prompt=9))
    policy = make()
    for session in ("a", "b"):
        for _ in range(3):
            answer(policy, ask(session))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"{server.url} read 9 tokens of a conversation that had 12: it drops")


def test_thoughts_taken_apart_are_warned_of_once(
    server: StubServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    value = completion(["x"])
    value["choices"][0]["message"]["reasoning_content"] = "so"
    server.script = lambda _: as_json(value)
    policy = make()
    assert [answer(policy, ask(session)).text for session in ("a", "b")] == ["<think>so</think>x"] * 2
    assert len(caplog.records) == 1


def test_a_conversation_may_begin_with_turns_of_the_assistant(server: StubServer, make: Make) -> None:
    said = (SAID, Message(role="assistant", pieces=("earlier",)), SAID)
    answer(make(), ask("s", messages=said))
    assert [message["role"] for message in server.posts[0]["messages"]] == ["user", "assistant", "user"]


def test_reading_asks_nothing_and_forks_send_what_was_read(server: StubServer, make: Make) -> None:
    policy = make()
    assert answer(policy, ask("a", read_only=True)) == Completion(session="a", text="")
    assert server.posts == []
    answer(policy, ask("b", messages=(), after="a"))
    policy.release("a")
    answer(policy, ask("c", messages=(MORE,), after="b"))
    answer(policy, ask("b", messages=(SAID,)))
    said = [[message["content"] for message in post["messages"]] for post in server.posts]
    assert said == [
        ["hello"],
        ["hello", "<answer>[1]</answer>", "more"],
        ["hello", "<answer>[1]</answer>", "hello"],
    ]


def test_a_session_with_a_request_pending_is_refused_and_its_request_is_answered(make: Make) -> None:
    policy = make()
    policy.submit(ask("s"))
    with pytest.raises(ValueError, match="has a request pending"):
        policy.submit(ask("s"))
    assert [done.session for done in policy.collect()] == ["s"]


def test_further_fields_are_sent_and_stand_in_the_fingerprint(server: StubServer, make: Make) -> None:
    policy = make(extra={"chat_template_kwargs": {"enable_thinking": False}})
    answer(policy, ask("s"))
    assert server.posts[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert policy.fingerprint == 'http:stub {"chat_template_kwargs": {"enable_thinking": false}}'


def test_the_key_stands_in_no_record_log_or_name(
    server: StubServer, make: Make, drawn: DrawnFolder, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("MY_KEY", "sk-0123456789-secret")
    caplog.set_level(logging.DEBUG)
    server.script = lambda seen: refusal(403, f"{seen.headers['authorization']} may not")
    policy = make(key_variable="MY_KEY")
    reranked = Reranker(policy, drawn.store).rerank(drawn.query(), drawn.hits(2))
    assert server.seen[0].headers["authorization"] == "Bearer sk-0123456789-secret"
    shown = [reranked_to_json(reranked).decode(), caplog.text, repr(policy), policy.fingerprint, str(vars(policy))]
    assert "Bearer [key] may not" in shown[0]
    assert not [text for text in shown if "sk-0123" in text]


def test_a_fault_of_the_program_reaches_whoever_collects(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("vretrver.policies.chat_endpoint.read_reply", broken)
    policy = make()
    policy.submit(ask("s"))
    with pytest.raises(RuntimeError, match="internal error in the policy"):
        policy.collect()

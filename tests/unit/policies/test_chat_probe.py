"""Pins what is found out about a server before a run: whether it will do, and whether it changes what it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.stub_server import (
    Answer,
    Script,
    Seen,
    StubServer,
    as_json,
    chat,
    completion,
    first,
    picture_of,
    refusal,
    say,
    tokens_of,
)

from vretrver._http import Patience
from vretrver.agent.policy import PolicyLimits
from vretrver.errors import PolicyError
from vretrver.policies.chat_api import ChatPolicy

HASTY = Patience(tries=6, first=0.01, longest=0.5, connect=5.0, answer=8.0)

Make = Callable[..., ChatPolicy]


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(say("ready")) as stub:
        yield stub


@pytest.fixture
def make(server: StubServer) -> Iterator[Make]:
    made: list[ChatPolicy] = []

    def one(**options: Any) -> ChatPolicy:
        made.append(ChatPolicy(server.url, **{"model": "stub", "patience": HASTY, **options}))
        return made[-1]

    yield one
    for policy in made:
        policy.close()


def knows(models: Answer, posts: Answer) -> Script:
    return lambda seen: models if seen.body is None else posts


LISTED = as_json({"data": [{"id": "one"}, {"id": "two"}]})


def test_a_good_server_passes_and_is_asked_once(server: StubServer, make: Make) -> None:
    make().check()
    assert [seen.path for seen in server.seen] == ["/v1/chat/completions"]


def test_a_server_that_is_busy_for_a_moment_passes(server: StubServer, make: Make) -> None:
    server.script = first([refusal(503, "loading")], say("ready"))
    make().check()


def test_a_wrong_key_is_named_by_its_variable(
    server: StubServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-0123456789")
    server.script = lambda _: refusal(401, "Incorrect API key provided: sk-0123456789")
    with pytest.raises(PolicyError) as caught:
        make(key_variable="MY_KEY").check()
    assert str(caught.value) == f"{server.url} refuses the key in MY_KEY (401); set the right one"


def test_a_missing_key_is_asked_for(server: StubServer, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VRETRVER_API_KEY", raising=False)
    server.script = lambda _: refusal(403, "no")
    with pytest.raises(PolicyError, match=r"asks for a key \(403\); set VRETRVER_API_KEY$"):
        make().check()


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_model_is_answered_with_those_there_are(server: StubServer, make: Make, status: int) -> None:
    server.script = knows(LISTED, refusal(status, "no such model"))
    with pytest.raises(PolicyError, match=r"does not serve 'stub'; it serves one, two$"):
        make().check()


def test_an_address_without_chat_is_told(server: StubServer, make: Make) -> None:
    server.script = lambda _: refusal(404, "Not Found")
    with pytest.raises(PolicyError, match=r"has no chat completions \(404\)"):
        make().check()


def test_a_refusal_for_another_reason_is_passed_on(server: StubServer, make: Make) -> None:
    server.script = knows(as_json({"data": [{"id": "stub"}]}), refusal(400, "bad weather"))
    with pytest.raises(PolicyError, match="answered 400: bad weather"):
        make().check()


def test_a_dead_endpoint_is_told_after_two_tries(make: Make) -> None:
    with StubServer(say("x")) as gone:
        url = gone.url
    policy = ChatPolicy(url, model="stub", patience=HASTY)
    with pytest.raises(PolicyError, match=r"cannot be reached: .*\(tried 2 times\); start the server, or correct"):
        policy.check()
    policy.close()


def test_something_that_does_not_answer_in_json_is_named(server: StubServer, make: Make) -> None:
    server.script = lambda _: Answer(body=b"<html>welcome</html>")
    with pytest.raises(PolicyError, match="is not JSON: <html>welcome</html>; start the server, or correct the addr"):
        make().check()


def test_a_server_that_changes_nothing_leaves_no_mark(
    server: StubServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    policy = make()
    findings = policy.probe()
    assert (findings.marks, findings.sentences) == ((), ())
    assert policy.fingerprint == "http:stub"
    assert not caplog.records


def test_the_length_of_the_context_is_learnt_unless_it_was_set(make: Make) -> None:
    learnt, told = make(), make(limits=PolicyLimits(context_tokens=100))
    learnt.probe()
    told.probe()
    assert (learnt.limits.context_tokens, told.limits.context_tokens) == (32768, 100)


@pytest.mark.parametrize(
    ("script", "mark"),
    [
        (chat(lambda _: "x", keep_thoughts=False), "earlier turns rewritten"),
        (chat(lambda _: "x", cell=28), "pictures resized: 192 tokens more cost 243"),
        (chat(lambda _: "x", cell=None), "pictures resized: 192 tokens more cost 0"),
    ],
    ids=["thoughts dropped", "resized", "one size"],
)
def test_a_server_that_changes_what_it_is_sent_is_marked_and_warned_of_once(
    server: StubServer, make: Make, caplog: pytest.LogCaptureFixture, script: Script, mark: str
) -> None:
    server.script = script
    policy = make()
    policy.probe()
    policy.probe()
    assert policy.findings.marks == (mark,)
    assert policy.fingerprint == f"http:stub [{mark}]"
    assert [record.getMessage() for record in caplog.records] == [f"{server.url} {policy.findings.sentences[0]}"]


def test_a_server_that_enlarges_thumbnails_is_marked_when_it_is_shown_one(server: StubServer, make: Make) -> None:
    def enlarged(seen: Seen) -> Answer:
        if seen.body is None:
            return LISTED
        pictures = [part for m in seen.body["messages"] for part in m["content"] if isinstance(part, dict)]
        areas = [picture_of(part).width * picture_of(part).height for part in pictures if part["type"] != "text"]
        turns = sum(tokens_of(m) for m in seen.body["messages"] if isinstance(m["content"], str))
        return as_json(completion(["x"], prompt=10 + turns + sum(max(area // 1024, 64) for area in areas)))

    server.script = enlarged
    policy = make()
    assert policy.probe().marks == ()
    assert policy.probe(thumbnail=(288, 224)).marks == ("pictures resized: 193 tokens more cost 192",)


def test_a_server_that_drops_pictures_is_marked(server: StubServer, make: Make) -> None:
    def words(seen: Seen) -> Answer:
        if seen.body is None:
            return LISTED
        texts = [m["content"] if isinstance(m["content"], str) else "x" for m in seen.body["messages"]]
        return as_json(completion(["x"], prompt=sum(len(text.split()) + 5 for text in texts)))

    server.script = words
    policy = make()
    assert policy.probe().marks == ("pictures not read",)


def test_a_server_without_pictures_is_marked(server: StubServer, make: Make) -> None:
    talk = say("x")
    server.script = lambda seen: (
        refusal(400, "not a multimodal model") if seen.body and "image_url" in str(seen.body) else talk(seen)
    )
    findings = make().probe()
    assert findings.marks == ("pictures refused",)
    assert findings.sentences == ("refuses pictures (not a multimodal model error); serve a model that reads them",)


def test_a_server_that_counts_no_tokens_is_marked(server: StubServer, make: Make) -> None:
    value = completion(["x"])
    del value["usage"]
    server.script = lambda _: as_json(value)
    assert make().probe().marks == ("no token counts",)


def test_a_probe_of_a_dead_server_says_so(server: StubServer, make: Make) -> None:
    server.script = lambda _: refusal(401, "no")
    with pytest.raises(PolicyError, match="asks for a key"):
        make().probe()

"""Pins what is said of a server of models, well or badly behaved; and that no finding holds the key."""

from __future__ import annotations

from collections.abc import Mapping
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
    picture_of,
    refusal,
    say,
    tokens_of,
)  # fmt: skip

from vretrver._http import Patience
from vretrver.agent.dialects import dialect_named
from vretrver.doctor.endpoint import check_endpoint
from vretrver.doctor.findings import Finding, Severity
from vretrver.doctor.model_pictures import PixelCheck

BLUE_FIRST = "<think>The second is blue.</think><answer>[2, 1]</answer>"
HURRY = Patience(tries=1, first=0.01, connect=1.0, answer=1.0)


def check(script: Script, *, model: str = "stub") -> list[Finding]:
    """Return the findings about a server."""
    with StubServer(script) as server:
        return list(check_endpoint(server.url, model=model, dialect=dialect_named("vretrver"), patience=HURRY))


def shown(findings: list[Finding]) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.subject) for finding in findings]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VRETRVER_API_KEY", raising=False)


def test_nothing_is_wrong_with_a_server_that_keeps_what_it_is_sent() -> None:
    findings = check(say(BLUE_FIRST))
    assert shown(findings) == [
        (Severity.NOTE, "key"),
        (Severity.OK, "endpoint"),
        (Severity.OK, "endpoint"),
        (Severity.OK, "thumbnails"),
        (Severity.OK, "context"),
        (Severity.OK, "one window"),
    ]
    assert findings[-2].sentence == "32768 tokens; a window of 20 pictures can need 10640"


def test_a_server_that_resizes_pictures_or_drops_thoughts_is_warned_of() -> None:
    resized = check(chat(lambda _: BLUE_FIRST, cell=28))
    assert any(f.severity is Severity.WARNING and "resizes pictures" in f.sentence for f in resized)
    forgetful = check(chat(lambda _: BLUE_FIRST, keep_thoughts=False))
    assert any(f.severity is Severity.WARNING and "rewrites earlier turns" in f.sentence for f in forgetful)


def test_a_server_that_enlarges_only_thumbnails_is_found_out() -> None:
    pixels = PixelCheck(cell=32, least=65536, most=16777216)  # as published Qwen3-VL folders say

    def cost(message: Mapping[str, Any]) -> int:
        pictures = [part for part in message["content"] if isinstance(part, dict) and part["type"] != "text"]
        sizes = [pixels.resized(picture_of(part).size) for part in pictures]
        return sum((width // 32) * (height // 32) for width, height in sizes) + tokens_of(
            {"role": message["role"], "content": "".join(p for p in message["content"] if isinstance(p, str))}
        )

    def script(seen: Seen) -> Answer:
        if seen.body is None:
            return say(BLUE_FIRST)(seen)
        return as_json(completion([BLUE_FIRST], prompt=sum(cost(message) for message in seen.body["messages"])))

    findings = {finding.subject: finding for finding in check(script)}
    assert findings["endpoint"].severity is Severity.OK
    assert findings["thumbnails"].severity is Severity.WARNING
    assert "a thumbnail of 288 x 224, 63 visual tokens, costs 80" in findings["thumbnails"].sentence
    assert '{"size": {"shortest_edge": 1024, "longest_edge": 16777216}}' in findings["thumbnails"].sentence


def test_a_context_that_is_too_short_for_a_window_is_warned_of() -> None:
    def script(seen: Seen) -> Answer:
        if seen.path == "/v1/models":
            return as_json({"data": [{"id": "stub", "max_model_len": 4096}]})
        return say(BLUE_FIRST)(seen)

    findings = {finding.subject: finding for finding in check(script)}
    assert findings["context"].severity is Severity.WARNING
    assert "the context is 4096 tokens, a window of 20 pictures can need 10640" in findings["context"].sentence


def test_a_model_that_does_not_keep_to_the_grammar_is_warned_of() -> None:
    findings = check(say("The second one, I believe."))
    assert findings[-1].severity is Severity.WARNING
    assert "does not keep to dialect vretrver" in findings[-1].sentence


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (lambda _: refusal(401, "bad key"), "asks for a key (401); set VRETRVER_API_KEY"),
        (lambda _: refusal(404, "Not Found"), "has no chat completions (404)"),
        (lambda _: as_json([1, 2]), "not a chat completion"),
    ],
    ids=["no key", "not found", "garbage"],
)
def test_a_server_that_will_not_do_ends_the_check_with_one_sentence(script: Script, words: str) -> None:
    findings = check(script)
    assert findings[-1].severity is Severity.WRONG
    assert words in findings[-1].sentence
    assert shown(findings) == [(Severity.NOTE, "key"), (Severity.WRONG, "endpoint")]


def test_another_model_than_is_served_is_named() -> None:
    script = say(BLUE_FIRST)
    findings = check(
        lambda seen: refusal(404, "no such model") if seen.body is not None else script(seen), model="qwen"
    )
    assert "does not serve 'qwen'; it serves stub" in findings[-1].sentence


def test_a_dead_endpoint_is_one_sentence() -> None:
    with StubServer(say("")) as server:
        url = server.url
    (_, finding) = check_endpoint(url, model="stub", dialect=dialect_named("vretrver"), patience=HURRY)
    assert finding.severity is Severity.WRONG
    assert "start the server, or correct the address" in finding.sentence


def test_no_finding_holds_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VRETRVER_API_KEY", "sk-very-secret")
    for script in (say(BLUE_FIRST), lambda _: refusal(401, "wrong key sk-very-secret")):
        findings = check(script)
        assert all("sk-very-secret" not in finding.sentence for finding in findings)
        assert "key" not in [finding.subject for finding in findings]
    (finding,) = check_endpoint("http://me:sk-very-secret@host/v1", model="m", dialect=dialect_named("vretrver"))
    assert finding.severity is Severity.WRONG
    assert "sk-very-secret" not in finding.sentence

"""Pins the HTTP client: what is sent again and what is not, how long is waited, and where the key never shows."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from tests.stub_server import LONGEST, Answer, Script, StubServer, as_json, first, refusal

from vretrver._http import Patience, Service, within
from vretrver._proxies import proxy_for
from vretrver._secrets import Secret
from vretrver.errors import ConfigError, ServiceError

KEY = "sk-very-secret-0123456789"
HASTY = Patience(tries=3, first=0.01, longest=0.5, connect=5.0, answer=8.0)
GOOD = as_json({"good": True})

Call = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(lambda _: GOOD) as stub:
        yield stub


@pytest.fixture
def call(server: StubServer) -> Iterator[Call]:
    """Posts to the stub, with a key."""
    secret = Secret("KEY", environment={"KEY": KEY})
    service = Service(server.url, secret=secret, patience=HASTY)
    yield lambda deadline=None: service.run(lambda: within(service.call("x", b"{}"), deadline)).result()
    service.close()


def always(answer: Answer) -> Script:
    return lambda _: answer


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(server: StubServer, call: Call, status: int) -> None:
    server.script = first([refusal(status, "busy"), refusal(status, "busy")], always(GOOD))
    assert call() == {"good": True}
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 413, 422, 501])
def test_other_statuses_are_final_and_no_redirect_is_followed(server: StubServer, call: Call, status: int) -> None:
    server.script = always(refusal(status, "no", headers={"Location": "/v1/y"}))
    with pytest.raises(ServiceError, match=f"/v1/x answered {status}: no error$") as caught:
        call()
    assert (caught.value.status, len(server.seen)) == (status, 1)


def test_after_the_last_try_the_error_says_how_often(server: StubServer, call: Call) -> None:
    server.script = always(refusal(503, "loading"))
    with pytest.raises(ServiceError, match=r"answered 503: loading error \(tried 3 times\)$"):
        call()
    assert len(server.seen) == 3


@pytest.mark.parametrize("broken", [Answer(reset=True), Answer(body=b'{"good": true}', cut=5)], ids=["reset", "cut"])
def test_a_broken_connection_is_tried_again(server: StubServer, call: Call, broken: Answer) -> None:
    server.script = first([broken], always(GOOD))
    assert call() == {"good": True}


def test_a_server_that_is_not_there_is_named() -> None:
    with StubServer(lambda _: GOOD) as gone:
        url = gone.url
    service = Service(url, secret=Secret("NONE"), patience=HASTY)
    with pytest.raises(ServiceError, match=r"/v1/x cannot be reached: .*\(tried 3 times\)$"):
        service.run(lambda: service.call("x")).result()
    service.close()


def test_a_server_that_hangs_is_given_up_and_not_asked_again(server: StubServer) -> None:
    server.script = always(Answer(hang=True))
    service = Service(server.url, secret=Secret("NONE"), patience=Patience(answer=0.2))
    started = time.monotonic()
    with pytest.raises(ServiceError, match="did not answer in time"):
        service.run(lambda: service.call("x", b"{}")).result()
    assert time.monotonic() - started < LONGEST / 2
    assert len(server.seen) == 1
    service.close()


def test_a_deadline_ends_a_hanging_request_and_drops_its_connection(server: StubServer, call: Call) -> None:
    call()
    server.script = always(Answer(hang=True))
    with pytest.raises(TimeoutError):
        call(time.monotonic() + 0.5)
    until = time.monotonic() + LONGEST / 2
    while not server.left and time.monotonic() < until:
        time.sleep(0.01)
    assert server.left == 1


def test_a_deadline_that_has_passed_ends_at_once(call: Call) -> None:
    with pytest.raises(TimeoutError):
        call(time.monotonic() - 1)


def test_retry_after_is_waited_for(server: StubServer, call: Call) -> None:
    server.script = first([refusal(429, "slow down", headers={"Retry-After": "0.2"})], always(GOOD))
    started = time.monotonic()
    call()
    assert 0.2 <= time.monotonic() - started < LONGEST / 2


def test_retry_after_may_be_a_date(server: StubServer, call: Call) -> None:
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    server.script = first([refusal(429, "slow down", headers={"Retry-After": past})], always(GOOD))
    assert call() == {"good": True}


def test_a_server_that_asks_for_too_long_a_pause_is_given_up(server: StubServer, call: Call) -> None:
    server.script = always(refusal(429, "slow down", headers={"Retry-After": "3600"}))
    with pytest.raises(ServiceError, match="answered 429: slow down"):
        call()
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"", b'{"a":', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_an_error_on_one_line(server: StubServer, call: Call, body: bytes) -> None:
    server.script = always(Answer(body=body))
    with pytest.raises(ServiceError, match="gave an answer that is not JSON: ") as caught:
        call()
    assert len(str(caught.value)) < 500
    assert len(server.seen) == 1


def test_an_answer_that_never_ends_is_cut_off(
    server: StubServer, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vretrver._http.MOST_BYTES", 1000)
    server.script = always(Answer(body=b" " * 2000))
    with pytest.raises(ServiceError, match="answered more than 1000 bytes"):
        call()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"error": {"message": "too\\nlong", "code": 7}}', "too long 7"),
        (b'{"error": "plain"}', "plain"),
        (b'{"detail": [{"loc": ["body"]}]}', '[{"loc": ["body"]}]'),
        (b"", "an empty body"),
        (b"x" * 1000, "x" * 297 + "..."),
        (b"\x1b[31mred\x07", "[31mred"),
    ],
)
def test_what_a_server_says_is_shown_on_one_short_line(
    server: StubServer, call: Call, body: bytes, shown: str
) -> None:
    server.script = always(Answer(status=400, body=body))
    with pytest.raises(ServiceError) as caught:
        call()
    assert caught.value.words == shown


def test_one_connection_serves_requests_one_after_another(server: StubServer, call: Call) -> None:
    for _ in range(5):
        call()
    assert server.connections == 1


def test_the_key_is_sent_and_shown_nowhere(server: StubServer, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = lambda seen: refusal(400, f"bad key {seen.headers['authorization']} {'x' * 268}{KEY}")
    with pytest.raises(ServiceError) as caught:
        call()
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    secret = Secret("KEY", environment={"KEY": KEY})
    shown = [str(caught.value), repr(caught.value), caught.value.words, repr(secret), str(secret), caplog.text]
    assert not [text for text in shown if KEY[:12] in text]
    assert "[key]" in caught.value.words
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_without_a_key_no_header_is_sent(server: StubServer) -> None:
    service = Service(server.url, secret=Secret("NONE", environment={}))
    service.run(lambda: service.call("x")).result()
    service.close()
    assert "authorization" not in server.seen[0].headers


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError, match="the key in KEY holds characters") as caught:
        Secret("KEY", environment={"KEY": "two words"})
    assert "two words" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://host/v1", "http://", "", "http://host:port/v1", "file:///x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="address of a service"):
        Service(url, secret=Secret("NONE"))


@pytest.mark.parametrize("url", [f"http://me:{KEY}@host/v1", f"http://host/v1?key={KEY}", f"http://host/v1#{KEY}"])
def test_a_key_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="keys come from the environment") as caught:
        Service(url, secret=Secret("NONE"))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/", "http://host:8000/v1"),
        ("https://host/api/v3/", "https://host/api/v3"),
    ],
)
def test_an_address_without_a_path_means_v1(url: str, meant: str) -> None:
    assert Service(url, secret=Secret("NONE")).url == meant


def test_closing_drops_what_runs_and_leaves_no_thread(server: StubServer) -> None:
    server.script = always(Answer(hang=True))
    service = Service(server.url, secret=Secret("NONE"))
    futures = [service.run(lambda: service.call("x", b"{}")) for _ in range(4)]
    time.sleep(0.05)
    service.close()
    service.close()
    assert all(future.cancelled() for future in futures)


def test_within_no_deadline_waits() -> None:
    async def late() -> int:
        await asyncio.sleep(0.01)
        return 7

    assert asyncio.run(within(late(), None)) == 7


PROXIES = [
    {"ALL_PROXY": "socks5://127.0.0.1:9"},
    {"all_proxy": "socks://127.0.0.1:9/"},
    {"HTTP_PROXY": "http://127.0.0.1:9"},
    {"http_proxy": "http://user:secret@127.0.0.1:9", "no_proxy": "example.org"},
    {"SSL_CERT_FILE": "/nowhere/ca.pem"},
]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("environment", PROXIES)
def test_a_server_on_this_machine_is_reached_past_any_proxy(
    server: StubServer, call: Call, bare: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        bare.setenv(name, value)
    assert call() == {"good": True}


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("http://example.org/v1", {}, None),
        ("http://example.org/v1", {"http_proxy": "http://p:1"}, ("HTTP_PROXY", "http://p:1")),
        ("https://example.org/v1", {"http_proxy": "http://p:1"}, None),
        ("https://example.org/v1", {"all_proxy": "http://p:1"}, ("ALL_PROXY", "http://p:1")),
        ("http://example.org:8000/v1", {"http_proxy": "http://p:1", "no_proxy": "example.org"}, None),
        ("http://a.example.org/v1", {"http_proxy": "http://p:1", "no_proxy": ".example.org"}, None),
        ("http://localhost:8000/v1", {"http_proxy": "http://p:1"}, None),
        ("http://[::1]:8000/v1", {"http_proxy": "http://p:1"}, None),
        ("http://127.8.0.1/v1", {"http_proxy": "http://p:1"}, None),
    ],
)
def test_the_proxy_of_a_server(
    bare: pytest.MonkeyPatch, url: str, environment: dict[str, str], proxy: tuple[str, str] | None
) -> None:
    for name, value in environment.items():
        bare.setenv(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"ALL_PROXY": "socks://user:secret@127.0.0.1:9/"},
            r"proxy in ALL_PROXY \(socks://\.{3}\) cannot be used; unset it, or put example\.invalid into NO_PROXY",
        ),
        (
            {"HTTP_PROXY": "http://user:secret@127.0.0.1:9"},
            r"cannot be reached through the proxy in HTTP_PROXY \(NO_PROXY names the hosts it is not for\): ",
        ),
    ],
)
def test_a_proxy_that_is_in_the_way_is_named_without_its_password(
    bare: pytest.MonkeyPatch, environment: dict[str, str], said: str
) -> None:
    for name, value in environment.items():
        bare.setenv(name, value)
    service = Service("http://example.invalid/v1", secret=Secret("NONE"), patience=HASTY)
    with pytest.raises(ServiceError, match=said) as caught:
        service.run(lambda: service.call("x", tries=1)).result()
    assert "secret" not in str(caught.value)
    service.close()


def test_certificates_that_are_not_there_are_named(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    service = Service("https://example.invalid/v1", secret=Secret("NONE"), patience=HASTY)
    with pytest.raises(ServiceError, match=r"the certificates in SSL_CERT_FILE cannot be read"):
        service.run(lambda: service.call("x", tries=1)).result()
    service.close()


@pytest.mark.parametrize(
    ("body", "words", "status"),
    [
        (b'{"error": {"message": "No endpoint takes pictures", "code": 404}}', "No endpoint takes pictures 404", 404),
        (b'{"error": "Unexpected endpoint or method"}', "Unexpected endpoint or method", None),
        (b'{"error": {"message": "odd", "code": "model_error"}}', "odd model_error", None),
    ],
)
def test_an_error_with_status_200_is_an_error_in_its_own_words(
    server: StubServer, call: Call, body: bytes, words: str, status: int | None
) -> None:
    server.script = always(Answer(body=body))
    with pytest.raises(ServiceError, match=rf"answered 200 with an error: {words}$") as caught:
        call()
    assert (caught.value.words, caught.value.status, len(server.seen)) == (words, status, 1)


def test_an_error_with_status_200_that_may_pass_is_tried_again(server: StubServer, call: Call) -> None:
    server.script = first([Answer(body=b'{"error": {"message": "busy", "code": 503}}')], always(GOOD))
    assert call() == {"good": True}
    server.script = always(Answer(body=b'{"error": null, "good": true}'))
    assert call() == {"error": None, "good": True}

"""The client of remote services: JSON over HTTP, with retries, deadlines and cancelling.

One background thread runs an event loop for all requests of a service, so that hundreds may wait at once and each can
be cancelled at any moment together with its connection. Endpoints and formats are its callers' business.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ._optional import require
from ._proxies import proxy_for, through_proxy, unusable_proxy
from ._secrets import Secret
from .errors import ConfigError, ServiceError

if TYPE_CHECKING:
    import ssl

    import httpx2

T = TypeVar("T")

AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed when it is sent again; others fail at once."""

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

MOST_BYTES = 64 * 2**20
"""Largest answer read: 64 embeddings of 4,096 numbers take about 5 MB as JSON, a chat turn far less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a service; times in seconds."""

    tries: int = 6
    """Maximum number of times a request is sent; at least 1."""
    first: float = 0.5
    """Pause before the second try, doubled before each further one; half of it is drawn at random."""
    longest: float = 60.0
    """Longest pause; a request fails when the service asks for a longer one."""
    connect: float = 10.0
    """Timeout for opening a connection."""
    answer: float = 600.0
    """Timeout for the next byte of an answer; a large model may think for minutes before the first."""


class _Again(Exception):
    """The same request may succeed later."""

    def __init__(self, error: ServiceError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


class Service:
    """One server, reached over kept connections.

    Args:
        url: address of the API, as in `http://localhost:8000/v1`; without a path, `/v1` is added.
        secret: the key, sent as a bearer token; removed from everything the server says.
        patience: how long to wait for it.

    Raises:
        ConfigError: it is not an address of a service, or holds a user, a password or a query.
        MissingDependency: the extra `http` is not installed.
    """

    def __init__(self, url: str, *, secret: Secret, patience: Patience | None = None) -> None:
        self.url = _base(url)
        self.patience = patience or Patience()
        self._httpx: Any = require("httpx2", extra="http")
        self.secret = secret
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._free: list[httpx2.AsyncClient] = []
        self._trust: ssl.SSLContext | None = None
        self._works: set[asyncio.Task[Any]] = set()

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Start the coroutine that `work` returns in the background; cancelling the future drops its requests."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="vretrver-http", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(self._noted(work), self._loop)

    async def _noted(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("work is run by the loop, as a task")
        self._works.add(task)
        try:
            return await work()
        finally:
            self._works.discard(task)

    def close(self) -> None:
        """Cancel what is running and close the connections; a later `run` starts again."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _shut(self) -> None:
        works = list(self._works)
        for work in works:  # these alone: a connection's own tasks warn when they are cancelled before they start
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        while self._free:
            await self._free.pop().aclose()

    async def call(self, path: str, body: bytes | None = None, *, tries: int | None = None) -> Any:
        """Send a request, retry where that may help, and return the JSON of its answer.

        Args:
            path: below the address, as in `chat/completions`.
            body: JSON to post; None sends a GET.
            tries: maximum number of times it is sent; None takes that of `patience`.

        Raises:
            ServiceError: it was refused, or every try failed.
        """
        most = self.patience.tries if tries is None else tries
        for count in range(1, most + 1):
            try:
                return await self._once(path, body)
            except _Again as again:
                wait = self._pause(count) if again.wait is None else again.wait
                if count == most or wait > self.patience.longest:
                    raise _given_up(again.error, count) from again
                await asyncio.sleep(wait)
        raise ValueError(f"a request is sent at least once, got {most} tries")

    def _pause(self, count: int) -> float:
        most = min(self.patience.first * 2.0 ** (count - 1), self.patience.longest)
        return most * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, decides nothing

    async def _once(self, path: str, body: bytes | None) -> Any:
        """Send a request once; raises _Again where another try may help, else ServiceError."""
        where = f"{self.url}/{path}"
        try:
            method = "GET" if body is None else "POST"
            async with self._client() as client, client.stream(method, where, content=body) as answer:
                content = await _read(answer, where)
        except self._httpx.TimeoutException as error:
            late = ServiceError(f"{where} did not answer in time ({type(error).__name__})")
            if isinstance(error, self._httpx.ConnectTimeout):
                raise _Again(late) from error
            raise late from error
        except self._httpx.HTTPError as error:
            words = self._shown(str(error)) or type(error).__name__
            broken = ServiceError(f"{where} cannot be reached{through_proxy(self.url)}: {words}", words=words)
            if isinstance(error, self._httpx.NetworkError | self._httpx.RemoteProtocolError):
                raise _Again(broken) from error
            raise broken from error
        if answer.status_code != 200:
            words = self._shown(_words(content)) or "an empty body"
            refused = ServiceError(
                f"{where} answered {answer.status_code}: {words}", status=answer.status_code, words=words
            )
            if answer.status_code in AGAIN:
                raise _Again(refused, _asked_wait(answer.headers.get("retry-after")))
            raise refused
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            words = self._shown(_words(content)) or "an empty body"
            raise ServiceError(f"{where} gave an answer that is not JSON: {words}") from error
        if isinstance(value, dict) and value.get("error"):
            raise self._error_of_success(where, value["error"], content)
        return value

    def _error_of_success(self, where: str, error: object, content: bytes) -> Exception:
        """Return what to raise for an error that a gateway sends with status 200; its code, if any, is the status."""
        words = self._shown(_words(content))
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else None
        refused = ServiceError(f"{where} answered 200 with an error: {words}", status=status, words=words)
        return _Again(refused) if status in AGAIN else refused

    def _shown(self, text: str) -> str:
        """Return a server's text without the key, on one line of at most 300 characters."""
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        clean = self.secret.removed(line)
        return clean if len(clean) <= 300 else f"{clean[:297]}..."

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx2.AsyncClient]:
        """Lend a client with one connection, the one used last where any is free.

        A single client for all connections would look at each of them for every request.
        """
        client = self._free.pop() if self._free else self._new_client()
        try:
            yield client
        finally:
            self._free.append(client)

    def _new_client(self) -> httpx2.AsyncClient:
        """Return a client that takes the environment's proxy where one is meant for this server.

        Raises:
            ServiceError: the proxy, or the certificates the environment names, cannot be used.
        """
        patience, httpx = self.patience, self._httpx
        proxy = proxy_for(self.url)
        try:
            if self._trust is None and self.url.startswith("https:"):
                self._trust = httpx.create_ssl_context()
            client: httpx2.AsyncClient = httpx.AsyncClient(
                headers={"content-type": "application/json", "user-agent": "vretrver", **self.secret.header()},
                verify=self._trust or False,  # False only where nothing is encrypted
                proxy=proxy[1] if proxy else None,
                trust_env=False,  # what it says of proxies is read above, for this server alone
                timeout=httpx.Timeout(
                    connect=patience.connect, read=patience.answer, write=patience.answer, pool=None
                ),
                limits=httpx.Limits(max_connections=1, keepalive_expiry=60.0),
            )
        except OSError as error:
            named = " or ".join(name for name in _CERTIFICATES if os.environ.get(name))
            raise ServiceError(
                f"the certificates in {named or 'the system'} cannot be read ({error.strerror or error}); "
                "correct or unset it"
            ) from error
        except (ImportError, ValueError) as error:
            raise ServiceError(f"{self.url}: {unusable_proxy(self.url, proxy)}") from error
        return client


async def within(work: Coroutine[Any, Any, T], deadline: float | None) -> T:
    """Return the result of `work`; raises TimeoutError when the deadline (`time.monotonic()` seconds) passes."""
    async with asyncio.timeout(None if deadline is None else max(deadline - time.monotonic(), 0)):
        return await work


def _base(url: str) -> str:
    """Return the address without a trailing slash; one that may hold a secret is refused and never repeated."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"the address of a service cannot be read: {error}") from error
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError(
            "the address of a service holds a user, a password or a query; keys come from the environment"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or (port == 0):
        raise ConfigError(f"{url!r} is not the address of a service; write http://host:port/v1")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v1'}"


async def _read(answer: httpx2.Response, where: str) -> bytes:
    content = bytearray()
    async for block in answer.aiter_bytes():
        content += block
        if len(content) > MOST_BYTES:
            raise ServiceError(f"{where} answered more than {MOST_BYTES} bytes")
    return bytes(content)


def _given_up(error: ServiceError, count: int) -> ServiceError:
    tried = f" (tried {count} times)" if count > 1 else ""
    return ServiceError(f"{error}{tried}", status=error.status, words=error.words)


def _asked_wait(value: str | None) -> float | None:
    """Return the seconds a Retry-After header asks for, given in seconds or as a date; None when it is neither."""
    if value is None:
        return None
    with suppress(ValueError):
        seconds = float(value)
        return seconds if 0 <= seconds < float("inf") else None
    with suppress(ValueError):
        when = parsedate_to_datetime(value)
        return max((when.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)
    return None


def _words(content: bytes) -> str:
    """Return the message in an error body, or the body itself."""
    text = content[:20_000].decode("utf-8", "replace")
    try:
        value = json.loads(content) if len(content) <= 20_000 else None
    except (ValueError, RecursionError):
        return text
    error = value.get("error", value) if isinstance(value, dict) else None
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return text
    said = [error.get(name) for name in ("message", "detail", "type", "code")]
    return " ".join(word if isinstance(word, str) else json.dumps(word) for word in said if word is not None) or text

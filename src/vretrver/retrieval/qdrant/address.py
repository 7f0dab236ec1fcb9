"""The address of a Qdrant collection, a client for it, and its errors in one sentence each.

The key comes from the environment only and is never sent in the clear to another machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..._optional import require
from ..._proxies import is_loopback, proxy_for, unusable_proxy
from ..._secrets import Secret
from ...errors import ConfigError, ServiceError

KEY_VARIABLE = "VRETRVER_QDRANT_API_KEY"
"""Environment variable that holds the key of a Qdrant server."""

SECONDS = 30
"""Timeout of a request."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class QdrantAddress:
    """A collection on a server; its text form is `qdrant://HOST:PORT/COLLECTION`, `qdrants://` over TLS."""

    host: str
    """Name or address of the server."""
    port: int
    """Port of its HTTP interface."""
    collection: str
    """Name of the collection."""
    tls: bool = False
    """Whether the connection is encrypted."""

    def __str__(self) -> str:
        return f"{'qdrants' if self.tls else 'qdrant'}://{_host(self)}:{self.port}/{self.collection}"

    @property
    def local(self) -> bool:
        """Whether the server is this machine."""
        return is_loopback(self.host)


def _host(address: QdrantAddress) -> str:
    return f"[{address.host}]" if ":" in address.host else address.host


def is_qdrant(text: str) -> bool:
    """Return whether a text names a collection rather than a path."""
    return text.startswith(("qdrant:", "qdrants:"))


def parse_address(url: str) -> QdrantAddress:
    """Read an address; the port is 6333 unless given.

    Raises:
        ConfigError: it has another form, or holds a user or a key, which the message does not repeat.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 6333
    except ValueError as error:
        raise ConfigError(f"not a Qdrant address ({error}); write qdrant://HOST:PORT/COLLECTION") from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"a Qdrant address holds no user, key or options; a key comes from {KEY_VARIABLE}")
    collection = parts.path.removeprefix("/")
    if parts.scheme not in ("qdrant", "qdrants") or not host or not _NAME.fullmatch(collection):
        raise ConfigError(
            f"{url!r} is not a Qdrant address; write qdrant://HOST:PORT/COLLECTION, or qdrants:// for TLS"
        )
    return QdrantAddress(host=host, port=port, collection=collection, tls=parts.scheme == "qdrants")


def connect(address: QdrantAddress, *, key: Secret | None = None) -> Any:
    """Return a client for a server; nothing is sent yet.

    Args:
        address: the server.
        key: its key; None reads `KEY_VARIABLE`.

    Raises:
        ConfigError: a key would be sent in the clear to another machine, or the environment's proxy cannot be used.
        MissingDependency: qdrant-client is not installed.
    """
    client = require("qdrant_client", extra="qdrant")
    secret = Secret(KEY_VARIABLE) if key is None else key
    if secret and not address.tls and not address.local:
        raise ConfigError(f"{address}: the key in {secret.variable} would be sent in the clear; write qdrants://...")
    url = f"{'https' if address.tls else 'http'}://{_host(address)}:{address.port}"
    proxy = proxy_for(url)
    try:
        return client.QdrantClient(
            host=address.host,
            port=address.port,
            https=address.tls,
            headers=secret.header(),  # as a bearer token, which Qdrant takes like its own header
            timeout=SECONDS,
            check_compatibility=False,
            proxy=proxy[1] if proxy else None,
            trust_env=address.tls and proxy is None and not address.local,
        )
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{address}: {unusable_proxy(url, proxy)}") from error


@contextmanager
def speaking_to(name: str) -> Iterator[None]:
    """Turn the client's errors into a ServiceError that names the collection `name`."""
    exceptions = require("qdrant_client.http.exceptions", extra="qdrant")
    try:
        yield
    except exceptions.UnexpectedResponse as error:
        words = _words(error.content)
        if error.status_code in (401, 403):
            message = f"{name}: the server refused the key; set {KEY_VARIABLE}"
        elif error.status_code == 404:
            message = f"{name}: not found{words}; check the address and the collection's name"
        else:
            message = f"{name}: the server answered {error.status_code}{words}"
        raise ServiceError(message, status=error.status_code) from None
    except exceptions.ResponseHandlingException as error:
        raise ServiceError(f"{name}: cannot be reached ({_reason(error.source)}); is Qdrant running there?") from None


def _words(content: bytes) -> str:
    """Return what the server said, on one short line, with a colon before it."""
    said = " ".join(content.decode("utf-8", "replace").split())
    return f": {said[:200]}" if said else ""


def _reason(error: object) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

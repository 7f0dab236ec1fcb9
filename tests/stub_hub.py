"""A small hub of models on the loopback device for tests: the endpoints its client needs, files out of memory.

Set `HF_ENDPOINT` to its address. Downloads can be cut short or changed on the way, models be gated or missing.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import pytest

from vretrver.models import hub as hubs

LARGE = (".safetensors", ".bin")
"""Endings of files whose SHA-256 is stated; of others the hash that git makes."""


def commit_of(files: Mapping[str, bytes]) -> str:
    """Return a commit, 40 hex digits that depend on the files."""
    content = b"".join(name.encode() + data for name, data in sorted(files.items()))
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, as a model of a hub has them."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@dataclass(slots=True, kw_only=True)
class Model:
    """A model of the hub."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Commit -> its files."""
    refs: dict[str, str] = field(default_factory=dict)
    """Branch or tag -> commit."""
    licence: str = "mit"
    """What its card says."""
    gated: bool = False
    """Whether files are handed out to a token only."""

    def push(self, files: Mapping[str, bytes], *, ref: str = "main") -> str:
        """Add a commit, name it and return it."""
        commit = commit_of(files)
        self.commits[commit] = dict(files)
        self.refs[ref] = commit
        return commit


class StubHub:
    """Serves on a free port while it is entered."""

    def __init__(self) -> None:
        self.models: dict[str, Model] = {}
        """`owner/name` -> model."""
        self.seen: list[tuple[str, str]] = []
        """(method, path) of every request, in order."""
        self.tokens: list[str | None] = []
        """The authorization header of every request."""
        self.cut: dict[str, int] = {}
        """File -> bytes after which its next download breaks off; -1 breaks all of them off at once."""
        self.changed: set[str] = set()
        """Files whose bytes are changed on the way."""
        self.down = False
        """Whether every answer is 503."""
        hub = self

        class Handler(_Handler):
            owner = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def model(self, name: str, files: Mapping[str, bytes], **options: Any) -> Model:
        """Add a model with one commit on `main`."""
        self.models[name] = Model(**options)
        self.models[name].push(files)
        return self.models[name]

    def downloads(self) -> list[str]:
        """Return the files that were downloaded, in order."""
        return [path.rpartition("/")[2] for method, path in self.seen if method == "GET" and "/resolve/" in path]

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def use(hub: StubHub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a hub the one that is asked, by this process and those it starts, and a folder its cache."""
    for name in (*hubs.OFFLINE, "HF_TOKEN", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(hubs, "_FOUND", {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are none of a test's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10.0
    owner: StubHub

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.owner.seen.append((self.command, path))
        self.owner.tokens.append(self.headers.get("authorization"))
        if self.owner.down:
            self._send(503, b"out of order")
            return
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[:2] == ["api", "models"] and parts[4:5] == ["revision"]:
            self._info("/".join(parts[2:4]), parts[5])
        elif parts[2:3] == ["resolve"]:
            self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._send(404, b"no such endpoint")

    def _found(self, name: str, revision: str) -> tuple[Model, str] | None:
        """Return a model and its commit, or answer that there is none."""
        model = self.owner.models.get(name)
        if model is None:
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
            return None
        commit = model.refs.get(revision, revision)
        if commit not in model.commits:
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            return None
        return model, commit

    def _info(self, name: str, revision: str) -> None:
        if (found := self._found(name, revision)) is None:
            return
        model, commit = found
        siblings = [_listed(file, data) for file, data in model.commits[commit].items()]
        tags = ["transformers", f"license:{model.licence}"] if model.licence else ["transformers"]
        value = {"_id": "0", "id": name, "sha": commit, "tags": tags, "siblings": siblings, "gated": model.gated}
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _file(self, name: str, revision: str, file: str) -> None:
        if (found := self._found(name, revision)) is None:
            return
        model, commit = found
        if model.gated and not self.headers.get("authorization"):
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."})
            return
        data = model.commits[commit].get(file)
        if data is None:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
            return
        headers = {"ETag": f'"{_hash(file, data)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if file in self.owner.changed and self.command == "GET":
            data = data[:-1] + bytes([data[-1] ^ 1])
        start = int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(206 if start else 200, data[start:], headers, file=file)

    def _send(
        self, status: int, data: bytes, headers: Mapping[str, str] | None = None, *, file: str | None = None
    ) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        body = b"" if self.command == "HEAD" else data
        most = self.owner.cut.get(file or "", len(data)) if body else 0
        if body and most < len(data):
            self.close_connection = True
            if most >= 0:
                del self.owner.cut[file or ""]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body[: max(most, 0)])


def _hash(file: str, data: bytes) -> str:
    if file.endswith(LARGE):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _listed(file: str, data: bytes) -> dict[str, object]:
    """Return a file as the hub lists it."""
    entry: dict[str, object] = {"rfilename": file, "size": len(data), "blobId": _hash(file, data)}
    if file.endswith(LARGE):
        entry |= {"blobId": "0" * 40, "lfs": {"sha256": _hash(file, data), "size": len(data), "pointerSize": 134}}
    return entry

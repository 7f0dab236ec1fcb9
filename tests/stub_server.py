"""A model server for tests: loopback only, standard library only, and as well or badly behaved as a test wants.

What it answers is a function of what it was sent. Answers can be late, cut short, reset or never come; nothing it
does lasts longer than `LONGEST` seconds. It knows no model: turns and vectors are written by the test.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from PIL import Image

LONGEST = 10.0
"""Seconds after which a hanging answer gives up by itself."""

MODEL = "stub"
"""The model it serves."""

FRAME = 5
"""Tokens of a turn besides its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    number: int
    """Requests of this path before it, from 0."""
    path: str
    """With the leading slash."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The JSON; None when there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back, and how."""

    body: bytes = b"{}"
    """The whole body."""
    status: int = 200
    """HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""
    delay: float = 0.0
    """Seconds before the first byte."""
    cut: int | None = None
    """Close after this many bytes of the body."""
    reset: bool = False
    """Reset the connection in place of an answer."""
    hang: bool = False
    """Send nothing."""


Script = Callable[[Seen], Answer]
"""Answers a request."""

Write = Callable[[Seen], str]
"""Writes the turn that follows a conversation."""


def as_json(value: object, **changes: Any) -> Answer:
    """Return an answer that is JSON."""
    return Answer(body=json.dumps(value).encode(), **changes)


def refusal(status: int, message: str, **changes: Any) -> Answer:
    """Return an error in the form of OpenAI's."""
    return as_json({"error": {"message": message, "type": "error"}}, status=status, **changes)


def tokens_of(message: Mapping[str, Any], *, keep_thoughts: bool = True, cell: int | None = 32) -> int:
    """Count tokens: a word or sign is one, a picture one for each cell, a turn `FRAME` for its frame.

    Args:
        message: in wire form.
        keep_thoughts: False counts assistant turns without their thoughts, as some chat templates send them.
        cell: pixels a visual token and side; None counts every picture as 100.
    """
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    count = FRAME
    for part in parts:
        if part["type"] == "text":
            text = part["text"]
            if message["role"] == "assistant" and not keep_thoughts:
                text = re.sub(r"<think>.*?</think>", "", text, flags=re.DOTALL)
            count += len(re.findall(r"\w+|[^\w\s]", text))
        else:
            width, height = picture_of(part).size
            count += 2 + (100 if cell is None else (width // cell) * (height // cell))
    return count


def picture_of(part: Mapping[str, Any]) -> Image.Image:
    """Return the picture of a part."""
    return Image.open(io.BytesIO(picture_bytes(part)))


def picture_bytes(part: Mapping[str, Any]) -> bytes:
    """Return the bytes of a part's data URL."""
    head, _, data = part["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    return base64.b64decode(data, validate=True)


def completion(texts: Sequence[str], *, prompt: int = 10, finish: str = "stop", **choice: Any) -> dict[str, Any]:
    """Return a chat completion with one choice for each text."""
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": finish, **choice}
        for index, text in enumerate(texts)
    ]
    written = sum(len(re.findall(r"\w+|[^\w\s]", text)) for text in texts)
    usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    return {"object": "chat.completion", "model": MODEL, "choices": choices, "usage": usage}


def chat(
    write: Write,
    *,
    delay: Callable[[Seen], float] | float = 0.0,
    keep_thoughts: bool = True,
    cell: int | None = 32,
    continues: bool = True,
) -> Script:
    """Return a well-behaved chat server, or one that changes what it is sent as `tokens_of` counts it.

    Args:
        write: the turn, its beginning included where it was begun by the client.
        delay: seconds before an answer.
        keep_thoughts: as of `tokens_of`.
        cell: as of `tokens_of`.
        continues: whether a turn that was begun is continued; else the field that asks for it is ignored.
    """

    def script(seen: Seen) -> Answer:
        if seen.path == "/v1/models":
            return as_json({"data": [{"id": MODEL, "max_model_len": 32768}]})
        if seen.path != "/v1/chat/completions":
            return refusal(404, "Not Found")
        prompt = sum(tokens_of(m, keep_thoughts=keep_thoughts, cell=cell) for m in seen.body["messages"])
        text = write(seen)
        if continues and seen.body.get("continue_final_message"):
            prompt -= FRAME
            text = text.removeprefix(seen.body["messages"][-1]["content"])
        return as_json(completion([text], prompt=prompt), delay=delay(seen) if callable(delay) else delay)

    return script


def embeddings(*, dimension: int) -> Script:
    """Return a server of embeddings, each drawn from the hash of what it was sent."""

    def vector(what: object) -> list[float]:
        digest = hashlib.blake2b(json.dumps(what).encode(), digest_size=dimension).digest()
        return [(byte - 127.5) / 128 for byte in digest]

    def script(seen: Seen) -> Answer:
        if seen.path != "/v1/embeddings":
            return refusal(404, "Not Found")
        items = seen.body["input"] if "input" in seen.body else [seen.body["messages"]]
        rows = [{"object": "embedding", "index": n, "embedding": vector(item)} for n, item in enumerate(items)]
        return as_json({"object": "list", "data": rows, "model": MODEL})

    return script


def say(text: str) -> Script:
    """Return a chat server that always says the same."""
    return chat(lambda _: text)


def first(answers: Sequence[Answer], then: Script) -> Script:
    """Return a server that gives these answers to the first posts, and then behaves as `then`."""
    waiting = list(answers)

    def script(seen: Seen) -> Answer:
        return waiting.pop(0) if waiting and seen.body is not None else then(seen)

    return script


class StubServer:
    """Serves on a free port of the loopback device while it is entered.

    Args:
        script: what it answers; may be exchanged at any time.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: list[Seen] = []
        """Every request, in order of arrival."""
        self.connections = 0
        """Connections taken."""
        self.left = 0
        """Requests whose client went away before the answer."""
        self.closing = threading.Event()
        self._lock = threading.Lock()
        stub = self

        class Handler(_Handler):
            owner = stub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def posts(self) -> list[Any]:
        """The bodies of all posts, in order."""
        return [seen.body for seen in self.seen if seen.body is not None]

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; whatever hangs is let go."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def note(self, path: str, headers: Mapping[str, str], body: Any) -> Seen:
        """Keep a request."""
        with self._lock:
            number = sum(seen.path == path for seen in self.seen)
            self.seen.append(Seen(number=number, path=path, headers=headers, body=body))
            return self.seen[-1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are none of a test's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = LONGEST
    owner: StubServer

    def setup(self) -> None:
        super().setup()
        self.owner.connections += 1

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._reply(None)

    def do_POST(self) -> None:
        self._reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _reply(self, body: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.owner.script(self.owner.note(self.path, headers, body))
        if answer.hang or answer.delay:
            self._wait(LONGEST if answer.hang else answer.delay)
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer.hang or answer.reset:
            self.close_connection = True
            return
        lines = [
            f"HTTP/1.1 {answer.status} X",
            "Content-Type: application/json",
            f"Content-Length: {len(answer.body)}",
        ]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        sent = answer.body if answer.cut is None else answer.body[: answer.cut]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + sent)
        self.close_connection = self.close_connection or answer.cut is not None

    def _wait(self, seconds: float) -> None:
        """Wait, but not for a client that has gone away, nor for a test that has ended."""
        until = time.monotonic() + min(seconds, LONGEST)
        while (left := until - time.monotonic()) > 0 and not self.owner.closing.wait(min(left, 0.02)):
            self.connection.setblocking(False)
            try:
                gone = self.connection.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            finally:
                self.connection.settimeout(LONGEST)
            if gone:
                self.owner.left += 1
                self.close_connection = True
                return

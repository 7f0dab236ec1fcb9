"""A chat server that answers after a time it is told, for measuring what a client adds to it.

Run as `python -m measure slow_server`; it prints its port and serves the loopback device until its input is closed. A
conversation that holds `answer-after-200-ms` is answered 200 milliseconds after it was read: with a look where the
assistant has said nothing yet, else with a ranking.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

LOOK = '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 1, "bbox_2d": [0, 0, 500, 500]}}</tool_call>'
ANSWER = "<answer>[1, 2, 3, 4, 5, 6]</answer>"

_AFTER = re.compile(rb"answer-after-(\d+)-ms")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def reply(text: str, *, read: int) -> bytes:
    """Return a whole HTTP answer with one turn."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "usage": {"prompt_tokens": read, "completion_tokens": 10}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


FIRST, THEN = reply(LOOK, read=1000), reply(ANSWER, read=1200)


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it is closed."""
    try:
        while True:
            length = _LENGTH.search(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(int(length[1]) if length else 0)
            after = _AFTER.search(body)
            await asyncio.sleep(int(after[1]) / 1000 if after else 0)
            writer.write(THEN if b'"role": "assistant"' in body else FIRST)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve() -> None:
    """Serve until standard input is closed."""
    server = await asyncio.start_server(converse, "127.0.0.1", 0, limit=2**20, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())

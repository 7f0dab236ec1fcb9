"""The process that reads pictures: run by `ocr_process`, never imported by it."""

from __future__ import annotations

import json
import resource
import signal
import sys
from typing import IO, Any

from ..errors import PictureError, VRetrverError
from ..images import ImageLimits
from ..pictures.opening import open_picture
from ..pictures.reading import FileBytes
from ..records import ImageRef
from .engine import shared_engine
from .ocr import read_pixels
from .stored import lines_to_json


def main() -> None:
    """Answer requests until standard input ends."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    shared_engine()
    file = FileBytes.of(b"")
    _answer(answers, {"loaded": False})
    for line in requests:
        request = json.loads(line)
        data = requests.read(request["bytes"])
        if data:
            file = FileBytes.of(data)
        try:
            lines = _read(request, file)
        except (VRetrverError, MemoryError) as error:
            _answer(answers, {"refused": _reason(error), "loaded": True})
        else:
            _answer(answers, {"loaded": True}, lines)


def _read(request: dict[str, Any], file: FileBytes) -> bytes:
    ref = ImageRef(path=request["path"], root=request["root"], page=request["page"])
    with open_picture(ref, file, ImageLimits(**request["limits"])) as opened:
        picture = opened.decode(ref.page)
    return lines_to_json(read_pixels(picture, name=ref)).encode()


def _reason(error: VRetrverError | MemoryError) -> str:
    if isinstance(error, PictureError):
        return error.reason
    return str(error) or "it takes more memory than there is"


def _answer(answers: IO[bytes], head: dict[str, object], payload: bytes = b"") -> None:
    answers.write(json.dumps({**head, "bytes": len(payload)}).encode() + b"\n" + payload)
    answers.flush()


if __name__ == "__main__":
    main()

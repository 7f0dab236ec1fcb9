"""Pins docs/python.md: every block runs, in order, in a folder of drawn letters, and prints what stands below it."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from PIL import Image
from tests.stub_server import StubServer, chat
from tests.unit.pictures.documents import one_page
from tests.unit.text.test_layer import FONT

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text()

BLOCKS = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, flags=re.DOTALL)
"""(code, output) of each block."""

LETTERS = {
    "march": ["Potter and Sons", "Invoice 2024-0173", "12 March 2024", "Total 118.40 EUR"],
    "april": ["Potter and Sons", "Invoice 2024-0174", "12 April 2024", "Total 118.40 EUR"],
    "may": ["Potter and Sons", "Invoice 2024-0174", "12 May 2024", "Total 204.00 EUR"],
    "reminder": ["Potter and Sons", "Reminder of invoice 2024-0173", "1 June 2024"],
}
"""Name -> lines of the letter."""

TURNS = (
    '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 2, "bbox_2d": [0, 0, 500, 500]}}</tool_call>',
    "<answer>[2, 1]</answer>",
)
"""What the server says."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("letters").mkdir()
    for name, lines in LETTERS.items():
        shown = " 0 -24 Td ".join(f"({line}) Tj" for line in lines)
        page = one_page(f"BT /F 12 Tf 72 700 Td {shown} ET".encode(), box=b"0 0 612 792", extra=FONT)
        Path(f"letters/{name}.pdf").write_bytes(page)
    for name, colour in {"a": (200, 30, 30), "b": (30, 60, 200)}.items():
        Image.new("RGB", (320, 256), colour).save(f"{name}.jpg")
    return tmp_path


class Service(ThreadingHTTPServer):
    """Serves until sixteen questions, eight at once, are answered."""

    answers: ClassVar[list[dict[str, object]]] = []

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        self.answers.clear()
        serving = threading.Thread(target=super().serve_forever, args=(poll_interval,), daemon=True)
        serving.start()
        try:
            with ThreadPoolExecutor(8) as pool:
                self.answers.extend(pool.map(self._ask, ["invoice 2024-0173 of 12 March 2024", "giraffe"] * 8))
        finally:
            self.shutdown()
            self.server_close()
            serving.join()

    def _ask(self, text: str) -> dict[str, object]:
        with urlopen(f"http://127.0.0.1:{self.server_address[1]}/?q={quote(text)}", timeout=10) as answer:
            found: dict[str, object] = json.load(answer)
            return found


def test_every_block_runs_and_prints_what_stands_below_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.log_message", lambda *_: None)
    shared: dict[str, object] = {"__name__": "page", "Service": Service}
    with StubServer(chat(lambda seen: TURNS[len(seen.body["messages"]) > 2])) as server:
        for number, (code, printed) in enumerate(BLOCKS, start=1):
            placed = code.replace("http://localhost:8000/v1", server.url)
            placed = placed.replace('ThreadingHTTPServer(("127.0.0.1", 8000)', 'Service(("127.0.0.1", 0)')
            exec(compile(placed, f"docs/python.md, block {number}", "exec"), shared)  # noqa: S102
            assert capsys.readouterr().out == printed, f"block {number}"
    assert len(BLOCKS) == 7
    assert (folder / "evidence.jpg").read_bytes().startswith(b"\xff\xd8")
    wanted = ["march.pdf#page=1", "reminder.pdf#page=1", "may.pdf#page=1"]
    assert [answer["ids"] for answer in Service.answers[::2]] == [wanted] * 8
    assert {answer["reason"] for answer in Service.answers[1::2]} == {
        'no item holds "giraffe", and of pictures the encoder hash knows colours only; name a model with --encoder'
    }


def test_the_first_block_is_short() -> None:
    assert len(BLOCKS[0][0].splitlines()) < 15


def test_a_block_of_the_service_is_short() -> None:
    assert len(BLOCKS[-1][0].splitlines()) <= 24

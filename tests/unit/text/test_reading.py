"""Pins which text is read how in each mode, that each content is read once, and what a kill leaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.pictures.documents import one_page
from tests.unit.text.test_layer import FONT

from vretrver.errors import ConfigError, MissingDependency, PictureError
from vretrver.geometry import Box
from vretrver.images import ImageStore
from vretrver.records import ImageRef, TextLine
from vretrver.retrieval.directory.texts import TextStore
from vretrver.text import pool, reading
from vretrver.text.files import ReadTextMode, checked_mode
from vretrver.text.ocr import ocr_name
from vretrver.text.ocr_process import OcrProcess
from vretrver.text.pool import OcrPool
from vretrver.text.reader import PageText
from vretrver.text.reading import TextReport, ocr_at_hand, read_texts, texts_in_memory, wanted_of

SEEN = TextLine(text="seen", box=Box(left=0, top=0, right=9, bottom=9), confidence=0.9)
CONTENT = b"BT /F 12 Tf 72 700 Td (Dear customer, thank you) Tj ET"


class Seer:
    """Stands for the process that reads: sees one line on everything but a picture named `plain`."""

    calls: list[str] = []  # noqa: RUF012 - cleared by each test

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def read(self, image: ImageRef, data: bytes, sha256: str) -> tuple[TextLine, ...]:
        assert data
        self.calls.append(image.path)
        if image.path.startswith("broken"):
            raise PictureError(image, "it takes longer than 120 s, the limit")
        return () if image.path.startswith("plain") else (SEEN,)

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A letter with a text layer, a scan without one, three pictures, an icon."""
    monkeypatch.setattr(pool, "OcrProcess", Seer)
    Seer.calls.clear()
    source = tmp_path / "source"
    source.mkdir()
    (source / "letter.pdf").write_bytes(one_page(CONTENT, box=b"0 0 612 792", extra=FONT))
    (source / "scan.pdf").write_bytes(one_page(b"", box=b"0 0 612 792"))
    for level, name in enumerate(("photo.png", "plain.png", "broken.png")):
        Image.new("L", (200, 100), level).save(source / name)
    Image.new("L", (64, 64)).save(source / "icon.png")
    return tmp_path


def pages(folder: Path) -> list[ImageRef]:
    images = ImageStore({"": folder / "source"})
    return [images.pin(ImageRef(path=path.name)) for path in sorted((folder / "source").iterdir())]


def read(folder: Path, mode: ReadTextMode = "auto", *, ocr: bool = True, refs: Sequence[ImageRef] = ()) -> TextReport:
    """Read what the store does not have yet, as `vretrver index` does."""
    reader, incomplete = wanted_of(mode, ocr=ocr)
    with TextStore(folder) as store:
        due = list(store.missing(refs or pages(folder), reader=reader, incomplete=incomplete))
        return read_texts(due, ImageStore({"": folder / "source"}), mode=mode, ocr=ocr, keep=store.keep, workers=2)


def kept(folder: Path) -> dict[str, tuple[list[str], str]]:
    """Return name -> (lines, first word of the reader) of what was kept."""
    found: dict[str, tuple[list[str], str]] = {}
    with TextStore(folder) as store:
        for page in pages(folder):
            text = store.text(page)
            if text is not None:
                found[page.path] = ([line.text for line in text.lines], text.reader.split()[0])
    return found


def counts(report: TextReport) -> tuple[int, int, int, int, int]:
    return report.layer, report.ocr, report.empty, report.waiting, len(report.refused)


def test_auto_takes_layers_and_reads_the_rest_by_ocr(folder: Path) -> None:
    report = read(folder)
    assert counts(report) == (1, 2, 1, 0, 1)
    assert sorted(Seer.calls) == ["broken.png", "photo.png", "plain.png", "scan.pdf"]
    assert [(image.path, reason) for image, reason in report.refused] == [
        ("broken.png", "it takes longer than 120 s, the limit")
    ]
    assert kept(folder) == {
        "letter.pdf": (["Dear customer, thank you"], "text"),
        "scan.pdf": (["seen"], "rapidocr"),
        "photo.png": (["seen"], "rapidocr"),
        "plain.png": ([], "rapidocr"),
        "broken.png": ([], "rapidocr"),
    }


def test_a_second_run_reads_nothing_also_under_new_names(folder: Path) -> None:
    read(folder)
    Seer.calls.clear()
    (folder / "source" / "photo.png").rename(folder / "source" / "moved.png")
    assert counts(read(folder)) == (0, 0, 0, 0, 0)
    assert Seer.calls == []


def test_never_reads_nothing(folder: Path) -> None:
    assert counts(read(folder, "never", ocr=False)) == (0, 0, 0, 0, 0)
    assert (Seer.calls, kept(folder)) == ([], {})


def test_always_reads_everything_by_ocr_and_once(folder: Path) -> None:
    read(folder)
    Seer.calls.clear()
    assert counts(read(folder, "always")) == (0, 2, 0, 0, 0)
    assert sorted(Seer.calls) == ["icon.png", "letter.pdf"]
    assert kept(folder)["letter.pdf"] == (["seen"], "rapidocr")


def test_without_ocr_layers_are_read_and_the_rest_waits_until_it_is_there(folder: Path) -> None:
    assert counts(read(folder, ocr=False)) == (1, 0, 0, 4, 0)
    assert counts(read(folder, ocr=False)) == (0, 0, 0, 0, 0)
    assert Seer.calls == []
    assert counts(read(folder)) == (0, 2, 1, 0, 1)
    assert "letter.pdf" not in Seer.calls


def test_a_file_that_is_gone_is_named_and_read_when_it_is_back(folder: Path) -> None:
    photo, refs = folder / "source" / "photo.png", pages(folder)
    data = photo.read_bytes()
    photo.unlink()
    assert [image.path for image, _ in read(folder, refs=refs).refused] == ["broken.png", "photo.png"]
    photo.write_bytes(data)
    assert counts(read(folder)) == (0, 1, 0, 0, 0)


def test_an_interrupted_reading_keeps_what_was_read(folder: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    images = ImageStore({"": folder / "source"})
    with TextStore(folder) as store, pytest.raises(KeyboardInterrupt):
        read_texts(pages(folder), images, mode="auto", ocr=True, keep=store.keep, workers=1, progress=stop)
    assert len(kept(folder)) == 2
    assert sum(counts(read(folder))) == 3


KILLED = """
import os, sys
from pathlib import Path
from tests.unit.text import test_reading
from vretrver.text import pool, reading

folder, most = Path(sys.argv[1]), int(sys.argv[2])

class Seer(test_reading.Seer):
    def read(self, image, data, sha256):
        with (folder / "calls").open("a") as stream:
            stream.write(image.path + "\\n")
        return (test_reading.SEEN,)

pool.OcrProcess = Seer
reading.KEPT_AT_ONCE = 3
done = 0
keep = test_reading.TextStore.keep

def counted(store, texts):
    global done
    keep(store, texts)
    done += len(texts)
    if done >= most:
        os.kill(os.getpid(), 9)

test_reading.TextStore.keep = counted
test_reading.read(folder)
"""


def test_two_runs_and_a_kill_read_each_file_once_but_for_the_last_few(folder: Path) -> None:
    source = folder / "source"
    for name in ("icon.png", "plain.png", "broken.png"):
        (source / name).unlink()
    for level in range(30):
        Image.new("L", (200, 100), level + 10).save(source / f"more-{level:02}.png")
    root = Path(__file__).parents[3]
    ends = [
        subprocess.run([sys.executable, "-c", KILLED, folder, str(most)], cwd=root, check=False).returncode
        for most in (15, 1000, 1000)
    ]
    assert ends == [-9, 0, 0]
    calls = (folder / "calls").read_text().split()
    assert set(calls) == {"scan.pdf", "photo.png", *(f"more-{level:02}.png" for level in range(30))}
    assert len(calls) <= 32 + 3 + 2 * 2 + 2, "what was read and not yet kept, and what was under way"
    assert len(kept(folder)) == 33


def test_a_word_that_is_no_mode_is_refused() -> None:
    assert checked_mode("auto") == "auto"
    with pytest.raises(ConfigError, match="--read-text is 'maybe', not one of auto, always, never"):
        checked_mode("maybe")


def test_always_needs_the_extra_and_auto_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "is_installed", lambda: False)
    assert (ocr_at_hand("auto"), ocr_at_hand("never")) == (False, False)
    with pytest.raises(MissingDependency, match=r"OCR is not installed; run: pip install 'vretrver\[ocr\]'"):
        ocr_at_hand("always")


def test_a_source_in_memory_gives_its_layers_and_reads_no_picture(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "is_installed", lambda: True)
    images = ImageStore({"": folder / "source"})
    refs = [ImageRef(path="letter.pdf"), ImageRef(path="photo.png"), ImageRef(path="photo.png")]
    texts, _ = texts_in_memory(refs, images)
    assert [line.text for line in texts.lines(refs[0]) or ()] == ["Dear customer, thank you"]
    assert (texts.lines(refs[1]), texts.lines(ImageRef(path="x.png")), Seer.calls) == (None, None, [])


def test_a_process_that_hangs_is_killed_and_the_picture_refused(tmp_path: Path) -> None:
    Image.new("L", (200, 100)).save(tmp_path / "a.png")
    images = ImageStore({"": tmp_path})
    process = OcrProcess(images.limits, seconds=0.2)
    process._helper._command = [sys.executable, "-c", HANGS]
    ref = images.pin(ImageRef(path="a.png"))
    try:
        with pytest.raises(PictureError, match=r"a\.png: it takes longer than 0\.2 s, the limit"):
            process.read(ref, images.read_bytes(ref), ref.sha256 or "")
    finally:
        process.close()


HANGS = 'import sys, time; print(\'{"loaded": false, "bytes": 0}\', flush=True); time.sleep(60)'


def test_leaving_the_pool_ends_a_process_in_the_middle_of_a_picture(tmp_path: Path) -> None:
    Image.new("L", (200, 100)).save(tmp_path / "a.png")
    images = ImageStore({"": tmp_path})
    ref = images.pin(ImageRef(path="a.png"))
    with OcrPool(images, workers=1) as running:
        running._processes[0]._helper._command = [sys.executable, "-c", HANGS]
        assert list(running.submit(ref, pool.Unseen(lines=()))) == []
        while running._processes[0]._helper._process is None:
            pass
        child = running._processes[0]._helper._process
    assert child.poll() is not None


def test_the_name_of_the_reader_tells_its_version() -> None:
    assert PageText(lines=(), reader=ocr_name()).reader.startswith("rapidocr")

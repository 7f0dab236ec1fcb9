"""Pins how often an ImageStore reads and hashes a file, that nothing outlives its file, and what threads share."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image
from tests.drawn import DrawnFolder, draw
from typer.testing import CliRunner

from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import Trajectory
from vretrver.cli.main import app
from vretrver.data.sources.source import read_source
from vretrver.errors import PictureError
from vretrver.geometry import Box, PixelBudget, SizeRule
from vretrver.images import ImageStore, Picture
from vretrver.pictures import reading
from vretrver.pictures.raster import RasterFile
from vretrver.pictures.roots import DirectoryRoot, Identity
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text
from vretrver.records import ImageRef, parts_of
from vretrver.retrieval.hash_encoder import HashEncoder

RULE = PixelBudget(cell=8, tokens=8)
BOX = Box(left=0, top=0, right=40, bottom=30)
CHANGED = "has changed since it was recorded"


@dataclass(slots=True)
class Counts:
    """What was done to files."""

    reads: Counter[str] = field(default_factory=Counter)
    hashes: Counter[bytes] = field(default_factory=Counter)
    crops: int = 0

    @property
    def totals(self) -> tuple[int, int]:
        return self.reads.total(), self.hashes.total()


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Count whole-file reads by path, and hashes by content."""
    found = Counts()
    read, sha256_of = DirectoryRoot.read, reading.sha256_of

    def spy_read(self: DirectoryRoot, ref: ImageRef, *, max_bytes: int) -> bytes:
        found.reads[ref.path] += 1
        return read(self, ref, max_bytes=max_bytes)

    def spy_hash(data: bytes) -> str:
        found.hashes[data] += 1
        return sha256_of(data)

    crop = ImageStore.crop

    def spy_crop(self: ImageStore, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        found.crops += 1
        return crop(self, ref, box, size)

    monkeypatch.setattr(DirectoryRoot, "read", spy_read)
    monkeypatch.setattr(reading, "sha256_of", spy_hash)
    monkeypatch.setattr(ImageStore, "crop", spy_crop)
    return found


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files for settled as soon as they are written; a test does not wait for them."""
    monkeypatch.setattr(reading, "SETTLING_NS", 0)


def zooming(moment: Moment) -> str:
    """Zoom into candidates 1 to 8, four in a turn, then reverse the order."""
    turn = len(moment.said)
    if turn == 2:
        return answer_text(range(moment.count, 0, -1))
    calls = (
        f'{{"name": "zoom_in", "arguments": {{"target_image": {number}, "bbox_2d": [0, 0, 500, 500]}}}}'
        for number in range(4 * turn + 1, 4 * turn + 5)
    )
    return "".join(f"<tool_call>{call}</tool_call>" for call in calls)


def reranked(drawn: DrawnFolder) -> tuple[Trajectory, ...]:
    """Rerank 50 pictures in the four windows of the reference schedule, eight zooms in each."""
    reranker = Reranker(ScriptedPolicy(zooming, name="zooming"), drawn.store)
    return reranker.rerank(drawn.query(), drawn.hits(50)).trajectories


# ---- how often


@pytest.mark.usefixtures("settled")
def test_fifty_pictures_in_four_windows_with_thirty_two_zooms_are_read_once_each(
    drawn: DrawnFolder, counts: Counts
) -> None:
    assert len(reranked(drawn)) == 4
    assert counts.crops == 32
    assert counts.totals == (50, 50)
    assert set(counts.reads.values()) == {1}
    assert set(counts.hashes.values()) == {1}


def test_files_just_written_are_read_for_every_use(drawn: DrawnFolder, counts: Counts) -> None:
    assert len(reranked(drawn)) == 4
    assert counts.crops == 32
    assert counts.totals == (192, 192)


@pytest.mark.usefixtures("settled")
def test_what_is_shown_does_not_depend_on_what_is_held(drawn: DrawnFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [window.without_timing() for window in reranked(drawn)]
    monkeypatch.setattr(reading, "SETTLING_NS", 10**18)
    afresh = DrawnFolder(path=drawn.path, store=ImageStore({"": drawn.path}, cache_bytes=0, shown_bytes=0))
    assert [window.without_timing() for window in reranked(afresh)] == held


@pytest.mark.usefixtures("settled")
def test_every_way_to_use_a_picture_shares_one_reading(drawn: DrawnFolder, counts: Counts) -> None:
    store, ref = drawn.store, drawn.ref(1)
    store.survey(ref)
    pinned = store.pin(ref)
    assert store.identify(ref) == pinned
    store.thumbnail(pinned, RULE)
    store.whole(pinned, RULE, quality=75)
    store.crop(pinned, BOX, (20, 15))
    store.original(ref)
    store.read_bytes(pinned)
    assert counts.totals == (1, 1)


@pytest.mark.usefixtures("settled")
def test_a_known_picture_is_pinned_and_shown_again_without_being_opened(
    drawn: DrawnFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ImageStore({"": drawn.path}, held_bytes=0)
    pinned = store.pin(drawn.ref(1))
    shown = store.whole(pinned, RULE, quality=75)
    monkeypatch.setattr(DirectoryRoot, "read", lambda *_, **__: pytest.fail("it was read"))
    assert store.pin(drawn.ref(1)) == pinned
    assert store.whole(pinned, RULE, quality=75) is shown


@pytest.mark.usefixtures("settled")
def test_two_files_of_the_same_content_are_each_read_once(drawn: DrawnFolder, counts: Counts) -> None:
    first = drawn.ref(1)
    (drawn.path / "copy.png").write_bytes((drawn.path / "1.png").read_bytes())
    for _ in range(2):
        assert drawn.store.pin(first).sha256 == drawn.store.pin(ImageRef(path="copy.png")).sha256
    assert counts.reads == {"1.png": 1, "copy.png": 1}


@pytest.mark.usefixtures("settled")
def test_pages_of_a_document_share_its_reading(tmp_path: Path, counts: Counts) -> None:
    pages = [Image.new("RGB", (8, 4)), Image.new("RGB", (4, 8))]
    pages[0].save(tmp_path / "a.pdf", save_all=True, append_images=pages[1:])
    store = ImageStore({"": tmp_path})
    sizes = {(store.pin(ImageRef(path="a.pdf", page=page)).width or 0) > 15 for page in (0, 1)}
    for page in (0, 1):
        store.whole(ImageRef(path="a.pdf", page=page), RULE, quality=75)
    assert sizes == {True, False}
    assert counts.totals == (1, 1)


@pytest.mark.usefixtures("settled")
def test_a_folder_that_is_listed_and_encoded_is_read_once(drawn: DrawnFolder, counts: Counts) -> None:
    drawn.hits(12)
    source = read_source(drawn.path)
    vectors = HashEncoder(source.images).encode_candidates(list(source.candidates()))
    assert len(vectors) == 12
    assert counts.totals == (12, 12)


@pytest.mark.usefixtures("settled")
def test_a_folder_is_indexed_with_one_reading_of_each_file(
    drawn: DrawnFolder, counts: Counts, tmp_path: Path
) -> None:
    drawn.hits(12)
    done = CliRunner().invoke(
        app, ["index", str(drawn.path), "--out", str(tmp_path / "shop")], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert counts.totals == (12, 12)


# ---- what vanished or changed


USES: dict[str, Callable[[ImageStore, ImageRef], object]] = {
    "pin": lambda store, ref: store.pin(ref),
    "whole": lambda store, ref: store.whole(ref, RULE, quality=75),
    "thumbnail": lambda store, ref: store.thumbnail(ref, RULE),
    "crop": lambda store, ref: store.crop(ref, BOX, (20, 15)),
    "read_bytes": lambda store, ref: store.read_bytes(ref),
}


@pytest.fixture
def pinned(drawn: DrawnFolder, settled: None) -> ImageRef:
    """A pinned picture that every cache of the store holds."""
    del settled
    ref = drawn.store.pin(drawn.ref(1))
    for use in USES.values():
        use(drawn.store, ref)
    return ref


@pytest.mark.parametrize("use", USES)
def test_a_picture_that_vanished_is_refused(drawn: DrawnFolder, pinned: ImageRef, use: str) -> None:
    (drawn.path / pinned.path).unlink()
    with pytest.raises(PictureError, match=r"picture 1\.png: cannot be read"):
        USES[use](drawn.store, pinned)


@pytest.mark.parametrize("use", USES)
def test_a_picture_that_was_written_over_is_refused(drawn: DrawnFolder, pinned: ImageRef, use: str) -> None:
    draw(2).save(drawn.path / pinned.path)
    with pytest.raises(PictureError, match=CHANGED):
        USES[use](drawn.store, pinned)


@pytest.mark.parametrize("use", USES)
def test_a_picture_in_whose_place_another_was_moved_is_refused(
    drawn: DrawnFolder, pinned: ImageRef, use: str
) -> None:
    drawn.ref(2)
    (drawn.path / "2.png").replace(drawn.path / pinned.path)
    with pytest.raises(PictureError, match=CHANGED):
        USES[use](drawn.store, pinned)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("use", USES)
def test_a_change_that_keeps_size_and_time_is_refused(tmp_path: Path, use: str) -> None:
    path = tmp_path / "a.bmp"
    Image.new("RGB", (96, 64), (255, 0, 0)).save(path)
    store, before = ImageStore({"": tmp_path}), path.stat()
    ref = store.pin(ImageRef(path="a.bmp"))
    Image.new("RGB", (96, 64), (0, 0, 255)).save(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    with pytest.raises(PictureError, match=CHANGED):
        USES[use](store, ref)


@pytest.mark.parametrize("use", USES)
def test_a_change_within_one_tick_of_the_clock_is_refused(
    tmp_path: Path, use: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Identity(mark="same file, same size, same tick", changed_ns=time.time_ns())
    monkeypatch.setattr(DirectoryRoot, "identity", lambda *_: one)
    path = tmp_path / "a.bmp"
    Image.new("RGB", (96, 64), (255, 0, 0)).save(path)
    store = ImageStore({"": tmp_path})
    ref = store.pin(ImageRef(path="a.bmp"))
    Image.new("RGB", (96, 64), (0, 0, 255)).save(path)
    with pytest.raises(PictureError, match=CHANGED):
        USES[use](store, ref)


class Watched:
    """A store as `Pictures` and nothing more, and what it refused."""

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self.refused: list[tuple[object, str]] = []

    def pin(self, ref: ImageRef) -> ImageRef:
        with self._watching():
            return self.store.pin(ref)

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        with self._watching():
            return self.store.whole(ref, rule, quality=quality)

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        with self._watching():
            return self.store.crop(ref, box, size)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        try:
            yield
        except PictureError as error:
            self.refused.append((error.ref, error.reason))
            raise


@pytest.mark.usefixtures("settled")
def test_a_picture_that_changes_between_windows_is_refused_in_the_next(drawn: DrawnFolder) -> None:
    images, before = Watched(drawn.store), []

    def script(moment: Moment) -> str:
        if moment.session.endswith("/w1"):
            draw(99).save(drawn.path / "21.png")
            (drawn.path / "22.png").unlink()
            before.extend(images.refused)
        return answer_text(range(1, moment.count + 1))

    hits = [
        replace(
            hit, candidate=replace(hit.candidate, parts=parts_of(images=map(drawn.store.pin, hit.candidate.pictures)))
        )
        for hit in drawn.hits(50)
    ]
    reranked = Reranker(ScriptedPolicy(script, name="changing"), images).rerank(drawn.query(), hits)
    assert len(reranked.ranking) == 50
    assert before == []
    assert images.refused == [
        (hits[20].candidate.pictures[0], "the file has changed since it was recorded; index it again"),
        (hits[21].candidate.pictures[0], "cannot be read: No such file or directory"),
    ]


@pytest.mark.usefixtures("settled")
def test_an_unpinned_picture_that_changed_is_shown_as_it_is_now(drawn: DrawnFolder) -> None:
    ref = drawn.ref(1)
    before = drawn.store.whole(ref, RULE, quality=75)
    draw(2).save(drawn.path / "1.png")
    after = drawn.store.whole(ref, RULE, quality=75)
    assert after.sha256 != before.sha256
    assert after == ImageStore({"": drawn.path}).whole(ref, RULE, quality=75)


# ---- threads


@pytest.mark.usefixtures("settled")
def test_threads_share_reads_and_decoded_originals(
    drawn: DrawnFolder, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = [drawn.ref(number) for number in range(6)]
    alone = ImageStore({"": drawn.path})
    expected = [alone.crop(ref, BOX, (20, 15)).tobytes() for ref in refs]
    counts.reads.clear()
    counts.hashes.clear()
    decoded: Counter[str] = Counter()
    decode = RasterFile.decode

    def spy(self: RasterFile, page: int, *, least: tuple[int, int] | None = None) -> Image.Image:
        decoded["whole" if least is None else "reduced"] += 1
        time.sleep(0.01)
        return decode(self, page, least=least)

    monkeypatch.setattr(RasterFile, "decode", spy)
    start = threading.Barrier(8)

    def work(offset: int) -> list[bytes]:
        start.wait()
        order = [refs[(place + offset) % 6] for place in range(6)]
        shown = {}
        for ref in order:
            pinned = drawn.store.pin(ref)
            drawn.store.whole(pinned, RULE, quality=75)
            shown[ref.path] = drawn.store.crop(pinned, BOX, (20, 15)).tobytes()
        return [shown[ref.path] for ref in refs]

    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(work, range(8)))
    assert counts.totals == (6, 6)
    assert decoded["whole"] == 6


def test_decoding_in_threads_leaves_the_filters_of_warnings_as_they_were(drawn: DrawnFolder) -> None:
    refs = [drawn.ref(number) for number in range(4)]
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: drawn.store.thumbnail(refs[n % 4], RULE), range(200)))
    assert warnings.filters == before

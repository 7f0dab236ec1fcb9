"""Pins galleries and drawn stores: they show, byte for byte, what a written catalogue shows."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.small_world import ITEMS, SEED

from vretrver.errors import DataError, PictureError
from vretrver.geometry import Box, PixelBudget
from vretrver.images import LOOK_QUALITY, THUMBNAIL_QUALITY, ImageStore, encode_picture
from vretrver.records import ImageRef
from vretrver.world import gallery as module
from vretrver.world.draw.render import label_place
from vretrver.world.draw.world import Shot
from vretrver.world.draw.write import write_catalogue
from vretrver.world.drawn import DrawnStore
from vretrver.world.gallery import LOOKS, REGION, SELECT, THUMBNAIL, Gallery, View, draw_gallery


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    """The store over the catalogue of the gallery, written to files."""
    folder = tmp_path_factory.mktemp("world")
    write_catalogue(folder, seed=SEED, items=ITEMS)
    return ImageStore({"": folder})


def shots_of(gallery: Gallery) -> dict[str, Shot]:
    return {p: i.shot(v) for i in gallery.plan() for v, p in enumerate((i.picture, i.query_picture))}


def views_of(gallery: Gallery) -> list[View]:
    """Return every view, in a fixed order."""
    found = [
        gallery.view(path, kind, number)
        for path in sorted(shots_of(gallery))
        for kind in ("thumbnail", "select", "look", "empty")
        for number in range(LOOKS)
    ]
    return [view for view in found if view is not None]


def test_every_view_is_what_a_written_catalogue_shows(gallery_file: Path, written: ImageStore) -> None:
    gallery = Gallery(gallery_file)
    views = views_of(gallery)
    counts = {kind: sum(view.kind == kind for view in views) for kind in ("thumbnail", "select", "look", "empty")}
    assert counts["thumbnail"] == 2 * ITEMS
    assert counts["look"] == 2 * LOOKS * ITEMS
    assert 0 < counts["select"] < 2 * ITEMS > counts["empty"] > 0
    for view in views:
        ref = ImageRef(path=view.path)
        if view.box is None:
            rule, quality = {"thumbnail": (THUMBNAIL, THUMBNAIL_QUALITY), "select": (SELECT, LOOK_QUALITY)}[view.kind]
            shown = written.whole(ref, rule, quality=quality)
        else:
            left, top, right, bottom = view.box
            box = Box(left=left, top=top, right=right, bottom=bottom)
            shown = encode_picture(written.crop(ref, box, (REGION, REGION)), quality=LOOK_QUALITY)
        assert view.picture.data == shown.data
        assert view.picture.sha256 == hashlib.sha256(shown.data).hexdigest()


def test_looks_hold_the_whole_label_and_empties_nothing_of_it(gallery_file: Path) -> None:
    gallery = Gallery(gallery_file)
    shots = shots_of(gallery)
    for view in views_of(gallery):
        if view.box is None:
            continue
        left, top, right, bottom = label_place(shots[view.path]).box
        inside = view.box[0] <= left and view.box[1] <= top and right <= view.box[2] and bottom <= view.box[3]
        apart = right <= view.box[0] or view.box[2] <= left or bottom <= view.box[1] or view.box[3] <= top
        assert (inside, apart) == ((True, False) if view.kind == "look" else (False, True))


def test_a_gallery_that_was_killed_is_completed_to_what_an_undisturbed_one_holds(
    tmp_path: Path, gallery_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, drawn = tmp_path / "cut.gallery", 0
    draw = module._views

    def dies(job: tuple[str, Shot]) -> list[View]:
        nonlocal drawn
        drawn += 1
        if drawn > 7:
            raise KeyboardInterrupt
        return draw(job)

    monkeypatch.setattr(module, "_views", dies)
    with pytest.raises(KeyboardInterrupt):
        draw_gallery(path, seed=SEED, items=ITEMS)
    with pytest.raises(DataError, match="of its 40 pictures are drawn"):
        Gallery(path)
    monkeypatch.setattr(module, "_views", draw)
    told: list[tuple[int, int]] = []
    assert draw_gallery(path, seed=SEED, items=ITEMS, progress=lambda *at: told.append(at)) == 40
    assert told[-1] == (40, 40)
    assert views_of(Gallery(path)) == views_of(Gallery(gallery_file))


def test_a_file_of_another_gallery_is_refused(gallery_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds another gallery \\(seed 3, 20 items\\)"):
        draw_gallery(gallery_file, seed=SEED + 1, items=ITEMS)
    with pytest.raises(DataError, match="no such gallery; draw it first"):
        Gallery(tmp_path / "none")
    (tmp_path / "text").write_text("not a database, but long enough to be taken for one" * 20)
    with pytest.raises(DataError, match="not a gallery"):
        Gallery(tmp_path / "text")
    with pytest.raises(DataError, match="not a gallery"):
        draw_gallery(tmp_path / "text", seed=1, items=5)
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="not a gallery"):
        Gallery(tmp_path / "empty")


@pytest.mark.parametrize("with_gallery", [False, True])
def test_a_drawn_store_shows_what_a_written_catalogue_shows(
    gallery_file: Path, written: ImageStore, *, with_gallery: bool
) -> None:
    gallery = Gallery(gallery_file)
    shots = shots_of(gallery)
    store = DrawnStore(shots, gallery=gallery if with_gallery else None)
    for number, path in enumerate(sorted(shots)[:6]):
        ref = ImageRef(path=path)
        for rule, quality in ((THUMBNAIL, 75), (SELECT, 90), (PixelBudget(tokens=25), 75)):
            assert store.whole(ref, rule, quality=quality) == written.whole(ref, rule, quality=quality)
        box = Box(left=101 * number, top=50 + number, right=101 * number + 131, bottom=178 + number)
        assert store.crop(ref, box, (160, 128)).tobytes() == written.crop(ref, box, (160, 128)).tobytes()
        assert store.thumbnail(ref, THUMBNAIL).tobytes() == written.thumbnail(ref, THUMBNAIL).tobytes()
        assert store.read_bytes(ref) == written.read_bytes(ref)
        pinned = store.pin(ref)
        assert (pinned.width, pinned.height) == (768, 768)


def test_a_drawn_store_knows_its_own_pictures_only() -> None:
    store = DrawnStore({})
    ref, rule = ImageRef(path="images/000/000001.jpg"), PixelBudget(tokens=4)
    for use in (
        lambda: store.pin(ref),
        lambda: store.whole(ref, rule, quality=75),
        lambda: store.thumbnail(ref, rule),
        lambda: store.crop(ref, Box(left=0, top=0, right=8, bottom=8), (8, 8)),
    ):
        with pytest.raises(PictureError, match=r"images/000/000001\.jpg: the drawn catalogue has none of this path"):
            use()

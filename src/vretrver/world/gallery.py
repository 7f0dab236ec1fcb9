"""A gallery: the finished pictures of a training catalogue in one SQLite file, so that each is drawn once.

Holds what a model is shown: thumbnails, larger whole pictures, and regions with and without the label. An
interrupted gallery is completed; two galleries of equal arguments hold equal pictures.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from ..errors import ConfigError, DataError
from ..geometry import Box
from ..images import LOOK_QUALITY, THUMBNAIL_QUALITY, ImageLimits, Picture, encode_picture, resized
from ..pictures.opening import open_picture
from ..pictures.reading import FileBytes
from ..prng import Stream
from ..processes import mapped
from ..records import ImageRef
from .draw.plan import Item, make_plan, shots_of
from .draw.pose import FRAME
from .draw.render import label_place
from .draw.world import Shot
from .draw.write import encode_native
from .tiny.views import VIEWS

ViewKind = Literal["thumbnail", "select", "look", "empty"]
"""A whole picture small, the same larger, a region with the whole label, a region without any of it."""

THUMBNAIL = VIEWS.candidate
"""How candidates are shown: 96 px, where no detail can be seen (the gate's size)."""

SELECT = VIEWS.select
"""What `select_images` shows: 256 px."""

REGION = 128
"""Pixels per side of a look's region, shown at full scale as 16 visual tokens."""

LOOKS = 2
"""Regions with the label, per picture."""

_VERSION = 1
_CHUNK = 16
_TABLE = """
create table if not exists views (
    path text, kind text, number integer, box text, width integer, height integer, data blob,
    primary key (path, kind, number));
create table if not exists about (name text primary key, value text);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One finished picture."""

    path: str
    """Path of the native picture in its catalogue."""
    kind: ViewKind
    """What it shows."""
    number: int
    """Tells views of one kind apart, from 0."""
    box: tuple[int, int, int, int] | None
    """The region in native pixels: left, top, right, bottom; None for a whole picture."""
    picture: Picture
    """The bytes."""


class Gallery:
    """Reads a gallery; safe to open in several processes.

    Raises:
        DataError: there is no gallery, or only a part of one.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataError(f"{path}: no such gallery; draw it first with `vretrver train pictures`")
        self.path = path
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        try:
            about = dict(self._database.execute("select name, value from about"))
            self.seed, self.items = int(about["seed"]), int(about["items"])
            drawn = self._database.execute("select count(*) from views where kind = 'thumbnail'").fetchone()[0]
        except (sqlite3.Error, KeyError, ValueError) as error:
            self.close()
            raise DataError(f"{path}: not a gallery ({error}); draw one with `vretrver train pictures`") from error
        if drawn < 2 * self.items:
            self.close()
            raise DataError(
                f"{path}: {drawn} of its {2 * self.items} pictures are drawn; run `vretrver train pictures` again"
            )

    @classmethod
    def of_catalogue(cls, path: Path | None, *, seed: int, items: int) -> Gallery | None:
        """Return the gallery of a catalogue, or None without a path.

        Raises:
            ConfigError: it shows another catalogue: all catalogues use the same paths, with different pictures.
            DataError: there is no gallery.
        """
        found = None if path is None else cls(path)
        if found is not None and (found.seed, found.items) != (seed, items):
            found.close()
            raise ConfigError(
                f"{path}: shows {found.items} items of seed {found.seed}, and {items} of seed {seed} are needed; "
                "name the gallery of those, or set seed and items to its own"
            )
        return found

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def plan(self) -> list[Item]:
        """Return the items the gallery shows, twins next to each other."""
        return make_plan(self.seed, self.items)

    def paths(self, kind: ViewKind) -> list[str]:
        """Return the paths of the pictures that are shown as `kind`, sorted."""
        rows = self._database.execute("select distinct path from views where kind = ? order by path", (kind,))
        return [row[0] for row in rows]

    def view(self, path: str, kind: ViewKind, number: int = 0) -> View | None:
        """Return one view, or None where there is none."""
        row = self._database.execute(
            "select box, width, height, data from views where path = ? and kind = ? and number = ?",
            (path, kind, number),
        ).fetchone()
        if row is None:
            return None
        box, width, height, data = row
        left, top, right, bottom = (int(edge) for edge in box.split()) if box else (0, 0, 0, 0)
        return View(
            path=path,
            kind=kind,
            number=number,
            box=(left, top, right, bottom) if box else None,
            picture=Picture(data=data, width=width, height=height, sha256=hashlib.sha256(data).hexdigest()),
        )

    def whole(self, path: str, size: tuple[int, int], quality: int) -> Picture | None:
        """Return a whole picture of (width, height) and JPEG quality, or None where there is none."""
        for kind, rule, made in (
            ("thumbnail", THUMBNAIL, THUMBNAIL_QUALITY),
            ("select", SELECT, LOOK_QUALITY),
        ):
            if size == rule.fit(FRAME, FRAME) and quality == made:
                view = self.view(path, "thumbnail" if kind == "thumbnail" else "select")
                return None if view is None else view.picture
        return None


def draw_gallery(
    path: Path, *, seed: int, items: int, workers: int = 1, progress: Callable[[int, int], None] | None = None
) -> int:
    """Draw the missing pictures of a gallery and return the number of native pictures it shows.

    Args:
        path: the file; its folder must exist.
        seed: seed of the catalogue.
        items: products; a multiple of 5.
        workers: processes that draw.
        progress: called with (pictures done, pictures in all).

    Raises:
        DataError: the file holds another gallery.
    """
    plan = make_plan(seed, items)
    shots = [*shots_of(plan).items()]
    with closing(sqlite3.connect(path)) as database:
        _begin(database, path, seed=seed, items=items)
        _complete(database, shots, workers, progress)
        database.execute("pragma journal_mode=delete")
    return len(shots)


def _begin(database: sqlite3.Connection, path: Path, *, seed: int, items: int) -> None:
    """Make the tables, or check that they are those of this gallery."""
    about = {"version": str(_VERSION), "seed": str(seed), "items": str(items)}
    try:
        database.execute("pragma journal_mode=wal")
        database.executescript(_TABLE)
        found = dict(database.execute("select name, value from about"))
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path}: not a gallery ({error}); choose another file") from error
    if found and found != about:
        held = f"seed {found.get('seed')}, {found.get('items')} items"
        raise DataError(f"{path}: holds another gallery ({held}); choose another file or remove it")
    database.executemany("insert or replace into about values (?, ?)", about.items())
    database.commit()


def _complete(
    database: sqlite3.Connection,
    shots: Sequence[tuple[str, Shot]],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Draw the missing pictures; the views of a picture are written together."""
    there = {row[0] for row in database.execute("select path from views where kind = 'thumbnail'")}
    missing = [(p, shot) for p, shot in shots if p not in there]
    done = len(shots) - len(missing)
    for views in mapped(_views, missing, workers=workers, chunk=_CHUNK):
        database.executemany("insert or replace into views values (?, ?, ?, ?, ?, ?, ?)", [_row(v) for v in views])
        done += 1
        if done % 64 == 0 or done == len(shots):
            database.commit()
            if progress is not None:
                progress(done, len(shots))
    database.commit()


def _row(view: View) -> tuple[str, str, int, str | None, int, int, bytes]:
    box = None if view.box is None else " ".join(map(str, view.box))
    picture = view.picture
    return view.path, view.kind, view.number, box, picture.width, picture.height, picture.data


def _views(job: tuple[str, Shot]) -> list[View]:
    """Return the views of one native picture; every eighth is also shown larger, every fourth without its label."""
    path, shot = job
    data, pixels = encode_native(shot)
    native = Image.frombytes("RGB", (FRAME, FRAME), pixels)
    stream = Stream(shot.family.seed, "gallery", shot.family.index, shot.twin, shot.view)
    label = label_place(shot).box
    views = [_whole(path, "thumbnail", data)]
    if stream.below(8) == 0:
        views.append(_whole(path, "select", data))
    views += [_region(path, "look", number, native, _around(stream, label)) for number in range(LOOKS)]
    if stream.below(4) == 0:
        views.append(_region(path, "empty", 0, native, _away(stream, label)))
    return views


def _whole(path: str, kind: Literal["thumbnail", "select"], data: bytes) -> View:
    """Return a whole picture, decoded at a reduced scale as `ImageStore.thumbnail` does."""
    rule, quality = (THUMBNAIL, THUMBNAIL_QUALITY) if kind == "thumbnail" else (SELECT, LOOK_QUALITY)
    size = rule.fit(FRAME, FRAME)
    with open_picture(ImageRef(path=path), FileBytes.of(data), ImageLimits()) as file:
        native = file.decode(0, least=(4 * size[0], 4 * size[1]))
    picture = encode_picture(resized(native, size), quality=quality)
    return View(path=path, kind=kind, number=0, box=None, picture=picture)


def _region(path: str, kind: Literal["look", "empty"], number: int, native: Image.Image, box: Box) -> View:
    region = native.crop((box.left, box.top, box.right, box.bottom))
    return View(
        path=path,
        kind=kind,
        number=number,
        box=(box.left, box.top, box.right, box.bottom),
        picture=encode_picture(region, quality=LOOK_QUALITY),
    )


def _around(stream: Stream, label: tuple[int, int, int, int]) -> Box:
    """Return a region that holds the whole label, somewhere in it."""
    left = stream.between(max(label[2] - REGION, 0), min(label[0], FRAME - REGION))
    top = stream.between(max(label[3] - REGION, 0), min(label[1], FRAME - REGION))
    return Box(left=left, top=top, right=left + REGION, bottom=top + REGION)


def _away(stream: Stream, label: tuple[int, int, int, int]) -> Box:
    """Return a region that holds nothing of the label."""
    while True:
        left, top = stream.below(FRAME - REGION + 1), stream.below(FRAME - REGION + 1)
        apart_x = left + REGION <= label[0] or left >= label[2]
        apart_y = top + REGION <= label[1] or top >= label[3]
        if apart_x or apart_y:
            return Box(left=left, top=top, right=left + REGION, bottom=top + REGION)

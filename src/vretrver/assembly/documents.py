"""Queries and documents as a caller has them: strings, paths, PIL images, mappings of text and image."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from ..data.folder import SUFFIXES
from ..errors import DataError, PictureError
from ..geometry import Box, SizeRule
from ..images import ImageStore, Picture, Pictures, encode_picture, resized
from ..pictures.layer import PageLayer
from ..pictures.raster import finished, orientation_of
from ..records import Candidate, Hit, ImageRef, Part, Query, parts_of

Document: TypeAlias = str | Path | Image.Image | Mapping[str, object]
"""A text, a picture, or both; `Agent.rank` says which is which."""

HELD = "held"
"""Root of pictures that are in memory."""

_KEYS = {"text", "image"}

_LONGEST_NAME = 255
"""Characters of the longest name of a file; a longer string is a text however it ends."""

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|data:)\S+\Z", re.IGNORECASE)
"""A URL and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankInput:
    """A query and its documents as the agent takes them."""

    query: Query
    """What is asked."""
    hits: tuple[Hit, ...]
    """The documents in the order given; the did is the document's number, from 0."""
    images: Pictures
    """Where their pictures are read."""


def given(query: Document, documents: Sequence[Document]) -> RankInput:
    """Return a query and documents as the agent takes them; raises DataError as `Agent.rank` says."""
    if isinstance(documents, str | Path):
        raise DataError("the documents are one string; give a list of them")
    pictures = _Collected()
    asked = _parts(query, pictures, where="the query")
    hits = [
        Hit(
            candidate=Candidate(did=str(number), parts=_parts(document, pictures, where=f"document {number}")),
            score=1.0 / (number + 1),
        )
        for number, document in enumerate(documents)
    ]
    if not hits:
        raise DataError("there are no documents to rank; give at least one")
    qid = hashlib.sha256(repr(asked).encode("utf-8", "replace")).hexdigest()[:12]
    return RankInput(query=Query(qid=qid, parts=asked), hits=tuple(hits), images=pictures.opened())


def _parts(document: object, pictures: _Collected, *, where: str) -> tuple[Part, ...]:
    if isinstance(document, Mapping):
        unknown = sorted(map(str, document.keys() - _KEYS))
        if unknown:
            raise DataError(f"{where}: unknown key {unknown[0]!r}; a mapping has text, image, or both")
        text, image = document.get("text"), document.get("image")
        if not isinstance(text, str | None):
            raise DataError(f"{where}: text is {type(text).__name__}, not a string")
        images = [] if image is None else [pictures.add(image, where=where)]
    elif isinstance(document, str) and not _is_picture(document):
        _refuse_missing(document, where=where)
        text, images = document, []
    else:
        text, images = None, [pictures.add(document, where=where)]
    if not images and not (text and text.strip()):
        raise DataError(f"{where}: it is empty; give a text or a picture")
    return parts_of(text=text, images=images)


def _is_picture(text: str) -> bool:
    """Say whether a plain string names a picture: by its ending, and by the file."""
    return text.lower().endswith(SUFFIXES) and os.path.isfile(text)  # a Path raises for a long text


def _refuse_missing(text: str, *, where: str) -> None:
    """Refuse a plain string that can only be meant as a picture, and is none that can be read here."""
    if len(text) > _LONGEST_NAME or len(text.splitlines()) > 1:
        return
    if _ADDRESS.match(text.strip()):
        found = "an address, and nothing is fetched; give a file or a PIL image"
    elif text.strip().lower().endswith(SUFFIXES):
        found = "named like a picture, and there is no such file; correct the path"
    else:
        return
    raise DataError(f"{where}: {text!r} is {found}, or {{'text': ...}} for a text")


class _Collected:
    """The pictures of one call: files below their folders, and images in memory."""

    def __init__(self) -> None:
        self._folders: dict[str, Path | str] = {}
        self._held: list[Image.Image] = []

    def add(self, image: object, *, where: str) -> ImageRef:
        """Return the reference of a picture; raises DataError for what is none."""
        if isinstance(image, Image.Image):
            self._held.append(image)
            return ImageRef(path=str(len(self._held) - 1), root=HELD)
        if not isinstance(image, str | Path):
            kind = type(image).__name__
            raise DataError(f"{where}: a {kind} is neither text nor picture; give a string, a Path or a PIL image")
        file = Path(image)
        if not file.is_file():
            raise DataError(f"{where}: {file}: no such picture")
        file = file.resolve()  # a link the caller names may lead out of its folder
        folder = str(file.parent)
        self._folders[folder] = file.parent
        return ImageRef(path=file.name, root=folder)

    def opened(self) -> Pictures:
        """Return where all of them are read."""
        return _GivenPictures(self._folders, [_upright(image) for image in self._held])


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # a TIFF is turned by this, and says so afterwards
    return finished(image, orientation=orientation_of(image))


class _GivenPictures:
    """Pictures of files, and of images in memory, which are upright, in RGB, transparent pixels on white."""

    def __init__(self, folders: Mapping[str, Path | str], held: Sequence[Image.Image]) -> None:
        self._files = ImageStore(folders) if folders else None
        self._held = held

    def pin(self, ref: ImageRef) -> ImageRef:
        """Return the reference with upright size and the hash of the file, or of an image's pixels."""
        if ref.root != HELD:
            return self._store(ref).pin(ref)
        image = self._image(ref)
        pixels = hashlib.sha256(f"{image.size}".encode() + image.tobytes())
        return ref.identified(sha256=pixels.hexdigest(), width=image.width, height=image.height)

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        """Return the finished bytes of a whole picture at the rule's size."""
        if ref.root != HELD:
            return self._store(ref).whole(ref, rule, quality=quality)
        image = self._image(ref)
        return encode_picture(resized(image, rule.fit(image.width, image.height)), quality=quality)

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        """Return the part of the original inside `box`, at (width, height) in pixels."""
        if ref.root != HELD:
            return self._store(ref).crop(ref, box, size)
        return resized(self._image(ref).crop((box.left, box.top, box.right, box.bottom)), size)

    def layer(self, ref: ImageRef) -> PageLayer | None:
        """Return the text layer of a document's page; None for a picture."""
        return None if ref.root == HELD else self._store(ref).layer(ref)

    def _image(self, ref: ImageRef) -> Image.Image:
        return self._held[int(ref.path)]

    def _store(self, ref: ImageRef) -> ImageStore:
        if self._files is None:
            raise PictureError(ref, "it is not among the pictures given")
        return self._files

"""The nouns of retrieval: parts, queries, candidates, hits, and the address of a picture in a prompt.

A query or a candidate is an ordered sequence of text and picture parts; M-BEIR's single picture with a text is the
common case. Nothing here opens a file: `images.ImageStore` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .geometry import Box

Modality = Literal["text", "image", "image,text"]
"""M-BEIR's three modalities of a query or a candidate, spelled as in its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """Where a picture is and, once it has been read, what it is."""

    path: str
    """POSIX path below the root; relative, without `..`."""
    root: str = ""
    """Name of the root, resolved by an `ImageStore`; the empty name is the default root."""
    page: int = 0
    """Page of a document or frame of an animation, from 0."""
    sha256: str | None = None
    """Hash of the file's bytes; None until the picture is first read."""
    width: int | None = None
    """Width in pixels of the upright picture (EXIF orientation applied); None until first read."""
    height: int | None = None
    """Height in pixels of the upright picture; None until first read."""

    def identified(self, *, sha256: str, width: int, height: int) -> ImageRef:
        """Return the same reference with what the file holds."""
        return replace(self, sha256=sha256, width=width, height=height)

    def __str__(self) -> str:
        """Name the picture in messages: `root:path`, and `#page=n`, n from 1, where it is not the first."""
        name = f"{self.root}:{self.path}" if self.root else self.path
        return f"{name}#page={self.page + 1}" if self.page else name


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A stretch of text."""

    text: str
    """The text as it is shown; not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """A picture."""

    image: ImageRef
    """The picture."""


Part = TextPart | ImagePart


def parts_of(*, text: str | None = None, images: Iterable[ImageRef] = ()) -> tuple[Part, ...]:
    """Return pictures followed by the text, the order M-BEIR uses; empty text gives no part."""
    pictures: tuple[Part, ...] = tuple(ImagePart(image=image) for image in images)
    return (*pictures, TextPart(text=text)) if text else pictures


def pictures_in(parts: Iterable[Part]) -> tuple[ImageRef, ...]:
    """Return the pictures among parts, in order."""
    return tuple(part.image for part in parts if isinstance(part, ImagePart))


def text_in(parts: Iterable[Part]) -> str:
    """Return the texts among parts joined by newlines; empty when there is none."""
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def modality_of(parts: Iterable[Part]) -> Modality:
    """Return the modality of parts; raises ValueError for no parts at all."""
    kinds = {type(part) for part in parts}
    if not kinds:
        raise ValueError("an item needs at least one text or picture part")
    if kinds == {TextPart}:
        return "text"
    return "image" if kinds == {ImagePart} else "image,text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked."""

    qid: str
    """Unique id, `dataset:number` in M-BEIR."""
    parts: tuple[Part, ...]
    """What is asked, in order; at least one part."""
    instruction: str = ""
    """Sentence that describes the kind of item wanted."""
    metadata: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    """Fields that travel along with the query; never shown to a model."""

    @property
    def pictures(self) -> tuple[ImageRef, ...]:
        """The query's pictures in order."""
        return pictures_in(self.parts)

    @property
    def text(self) -> str:
        """The query's texts, joined by newlines."""
        return text_in(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One item of the corpus."""

    did: str
    """Unique id, `dataset:number` in M-BEIR."""
    parts: tuple[Part, ...]
    """The item's content, in order; at least one part."""
    metadata: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    """Declared fields for filters and display; never shown to a model."""

    @property
    def pictures(self) -> tuple[ImageRef, ...]:
        """The candidate's pictures in order."""
        return pictures_in(self.parts)

    @property
    def text(self) -> str:
        """The candidate's texts, joined by newlines."""
        return text_in(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A line of text as it stands on a picture or a page."""

    text: str
    """The line, without a line break; not empty."""
    box: Box
    """Where it stands, in pixels of the upright original."""
    confidence: float = 1.0
    """How sure its reader is, from 0 to 1; 1 where the file itself holds the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """The line of a candidate that matched a query's words."""

    text: str
    """The line as it stands."""
    source: Literal["picture", "text", "name", "metadata"]
    """Where it stands: on a picture or page, in the candidate's own text, in its file's name, in its metadata."""
    picture: int = 0
    """Which of the candidate's pictures, from 1; 0 where it is on none."""
    box: Box | None = None
    """Where on the picture, in pixels of the upright original; None where it is on none."""
    confidence: float = 1.0
    """How sure its reader is, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A candidate with its coarse score."""

    candidate: Candidate
    """The item found."""
    score: float
    """Coarse score, higher is better; comparable within one query only."""
    citation: Citation | None = None
    """The line that matched, where words were searched and one did."""


class AddressError(ValueError):
    """A value is not the address of a picture.

    Args:
        value: what was written.
        outside: whether it has the form of an address, and numbers that none can have.
    """

    def __init__(self, value: object, *, outside: bool) -> None:
        form = "items count from 0, pictures from 1" if outside else "use k or [k, j]"
        super().__init__(f"{value!r} is not a picture address: {form}")
        self.value = value
        self.outside = outside


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Address:
    """The name of one picture in a prompt, a tool call, an observation and a trajectory.

    Written `0` for the query's first picture, `k` for the first picture of candidate k, `[k, j]` for its j-th
    picture when j > 1. Candidates count from 1 in the order shown, pictures from 1; a text-only candidate keeps
    its number.
    """

    item: int
    """0 for the query, 1..K for the candidates."""
    picture: int = 1
    """1 for the item's first picture."""

    def to_wire(self) -> int | list[int]:
        """Return the address as it is written in JSON."""
        return self.item if self.picture == 1 else [self.item, self.picture]

    @classmethod
    def from_wire(cls, value: int | list[int]) -> Address:
        """Read an address from JSON; raises AddressError for anything but `k` or `[k, j]` with k >= 0, j >= 1."""
        pair = [value, 1] if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(pair, list) or len(pair) != 2 or any(type(n) is not int for n in pair):
            raise AddressError(value, outside=False)
        if pair[0] < 0 or pair[1] < 1:
            raise AddressError(value, outside=True)
        return cls(item=pair[0], picture=pair[1])

    def __str__(self) -> str:
        """Write the address as in JSON."""
        return str(self.to_wire())

"""Where words of an item stand: on its pictures, in its own text, in its metadata, in its name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from ...records import Candidate, Citation, ImageRef, TextLine, TextPart
from ...text.reader import Texts


class NoTexts:
    """Pictures of which none was read."""

    def lines(self, image: ImageRef) -> tuple[TextLine, ...] | None:
        """Return None."""
        del image
        return None


_PAGE = re.compile(r"#page=\d+$")
_ENDING = re.compile(r"\.(?=[A-Za-z0-9]{1,5}$)")


def lines_of(candidate: Candidate, store: Texts) -> Iterator[Citation]:
    """Yield every line of an item as a citation of it: pictures first, then text, metadata and name.

    Metadata gives its texts only; a number is found by a filter.
    """
    for number, image in enumerate(candidate.pictures, start=1):
        for line in store.lines(image) or ():
            yield Citation(text=line.text, source="picture", picture=number, box=line.box, confidence=line.confidence)
    for part in candidate.parts:
        if isinstance(part, TextPart):
            yield from (Citation(text=line, source="text") for line in part.text.splitlines() if line.strip())
    for value in candidate.metadata.values():
        if isinstance(value, str) and value.strip():
            yield Citation(text=value, source="metadata")
    for name in dict.fromkeys((_PAGE.sub("", candidate.did), *(image.path for image in candidate.pictures))):
        yield Citation(text=name, source="name")


def words_text(line: Citation) -> str:
    """Return the text that a line's tokens are made of: in a name, folders and ending stand apart."""
    if line.source != "name":
        return line.text
    return _ENDING.sub(" ", line.text.replace("/", " / "))


def indexed_text(candidate: Candidate, store: Texts) -> str:
    """Return all that an item is found by, a line below the other."""
    return "\n".join(words_text(line) for line in lines_of(candidate, store))


def stamp_of(text: str) -> bytes:
    """Return the hash by which an item that stayed as it was is told."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

"""The query and the numbered candidates of a V-Retrver row.

`extra_info` lists pictures and texts apart and leaves out what a candidate lacks, so that one without a text shifts
the texts after it. Where the lists are complete they are used; otherwise the section of the prompt is taken apart.
"""

from __future__ import annotations

from itertools import pairwise

from ...errors import DataError
from ...records import Candidate, ImageRef, Query, parts_of
from .messages import MARK, PublishedMessage
from .rows import PathMap, PublishedRow, text_in, texts_in, whole_in


def query_of(row: PublishedRow, info: PublishedRow, where: str, paths: PathMap) -> Query:
    """Return the query; what `extra_info` does not say is taken from the row itself, as the published code does."""
    qid, image, text = (
        text_in(info, field, where) or text_in(row, field, where) for field in ("qid", "query_image", "query_text")
    )
    if not qid or not (image or text):
        raise DataError(f"{where}: the row needs a qid, and a query_image or a query_text")
    return Query(qid=qid, parts=parts_of(text=text, images=[paths.ref(image, where)] if image else []))


def candidates_of(
    info: PublishedRow, user: PublishedMessage, query: Query, where: str, paths: PathMap
) -> tuple[Candidate, ...]:
    """Return the candidates as numbered in the prompt.

    Args:
        info: the row's `extra_info`.
        user: the message that lists the candidates, with its pictures.
        query: what is asked; its pictures come first in the message.
        where: the row, for messages.
        paths: where pictures lie.

    Raises:
        DataError: the candidates cannot be told apart, or a picture is another one in the prompt.
    """
    count = whole_in(info, "num_candidates", where)
    images = [paths.ref(path, where) for path in texts_in(info, "candidate_images", where)]
    texts = texts_in(info, "candidate_texts", where)
    if user.pictures != (*query.pictures, *images):
        raise DataError(f"{where}: images are not query_image followed by candidate_images")
    if count < 1 or len(images) not in (0, count) or len(texts) not in (0, count):
        pairs = _from_prompt(user.text, images, count, where)
    else:
        pictures: list[ImageRef | None] = [*images] or [None] * count
        pairs = list(zip(pictures, texts or [""] * count, strict=True))
    empty = next((k for k, (image, text) in enumerate(pairs, start=1) if image is None and not text.strip()), None)
    if empty is not None:
        raise DataError(f"{where}: candidate {empty} holds neither text nor a picture")
    return tuple(
        Candidate(did=f"{query.qid}#{k}", parts=parts_of(text=text.strip(), images=[image] if image else []))
        for k, (image, text) in enumerate(pairs, start=1)
    )


def _from_prompt(text: str, images: list[ImageRef], count: int, where: str) -> list[tuple[ImageRef | None, str]]:
    """Take the section between `Candidates:` and `Guidelines:` apart at the numbers `(1) ` to `(count) `."""
    section = text.partition("Candidates:")[2].rpartition("Guidelines:")[0]
    marks = [f"({number}) " for number in range(1, count + 1)]
    if not marks or "Candidates:" in section or any(section.count(mark) != 1 for mark in marks):
        raise DataError(
            f"{where}: its {count} candidates cannot be told apart: candidate_images and candidate_texts have gaps, "
            "and their numbers do not stand once each in the prompt"
        )
    starts = [section.index(mark) for mark in marks]
    if starts != sorted(starts):
        raise DataError(f"{where}: the candidates of the prompt are not in the order of their numbers")
    pieces = [section[start:stop] for start, stop in pairwise([*starts, len(section)])]
    bodies = [piece.removeprefix(mark) for piece, mark in zip(pieces, marks, strict=True)]
    if any(body.count(MARK) > 1 for body in bodies) or sum(MARK in body for body in bodies) != len(images):
        raise DataError(f"{where}: a candidate has one picture at most, and each stands in candidate_images")
    left = iter(images)
    return [(next(left) if MARK in body else None, body.replace(MARK, "")) for body in bodies]

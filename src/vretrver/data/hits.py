"""The JSONL a search engine hands over for reranking: one query a line with the candidates it found, best first.

    {"qid": "q1", "text": "red mug", "candidates": [{"did": "a", "image": "a.jpg", "score": 0.9}, {"did": "b", ...}]}

Queries and candidates may also stand in files of their own, one a line, for a ranking that names them by id
(`trec_hits`). Keys are checked strictly: a misspelt key is an error, and whatever else should travel along goes
under `metadata`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import DataError
from ..records import Candidate, Hit, ImagePart, ImageRef, Part, Query, TextPart, parts_of
from .rows import Source, picture_ref, read_objects


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankRequest:
    """A query and the hits to rerank."""

    query: Query
    """What is asked."""
    hits: tuple[Hit, ...]
    """The hits in the order given; at least one. Without scores in the file hit k of the order scores 1/k."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


R = TypeVar("R", bound=_Row)


class _PartRow(_Row):
    text: str | None = Field(default=None, min_length=1)
    image: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> _PartRow:
        if (self.text is None) == (self.image is None):
            raise ValueError("a part holds either text or image")
        return self


class _ItemRow(_Row):
    """Content of a query or a candidate: either `parts` in order, or pictures and then text."""

    text: str | None = None
    image: str | None = None
    parts: list[_PartRow] | None = None

    @property
    def paths(self) -> list[str]:
        return [] if self.image is None else [self.image]

    @model_validator(mode="after")
    def _one_form(self) -> _ItemRow:
        simple = bool(self.text) or bool(self.paths)
        if self.parts is not None and simple:
            raise ValueError("give either parts, or text and pictures")
        if not self.parts and not simple:
            raise ValueError("it holds neither text nor a picture")
        return self

    def to_parts(self, root: str, where: str) -> tuple[Part, ...]:
        def picture(path: str) -> ImageRef:
            return picture_ref(path, where, root=root)

        if self.parts is None:
            return parts_of(text=self.text, images=[picture(path) for path in self.paths])
        return tuple(
            TextPart(text=part.text) if part.text is not None else ImagePart(image=picture(part.image or ""))
            for part in self.parts
        )


class _CandidateRow(_ItemRow):
    did: str = Field(min_length=1)
    images: list[str] | None = None
    score: float | None = None
    metadata: dict[str, str | int | float | bool | None] = Field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        return [*([] if self.image is None else [self.image]), *(self.images or [])]

    @model_validator(mode="after")
    def _one_list(self) -> _CandidateRow:
        if self.image is not None and self.images is not None:
            raise ValueError("give either image or images")
        return self

    def to_candidate(self, root: str, where: str) -> Candidate:
        return Candidate(did=self.did, parts=self.to_parts(root, where), metadata=self.metadata)


class _QueryRow(_ItemRow):
    qid: str = Field(min_length=1)
    instruction: str = ""
    metadata: dict[str, str | int | float | bool | None] = Field(default_factory=dict)

    def to_query(self, root: str, where: str) -> Query:
        return Query(
            qid=self.qid, parts=self.to_parts(root, where), instruction=self.instruction, metadata=self.metadata
        )


class _RequestRow(_QueryRow):
    candidates: list[_CandidateRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> _RequestRow:
        seen: set[str] = set()
        for candidate in self.candidates:
            if candidate.did in seen:
                raise ValueError(f"did {candidate.did!r} appears twice among the candidates")
            seen.add(candidate.did)
        if len({candidate.score is None for candidate in self.candidates}) > 1:
            raise ValueError("either all candidates have a score or none has")
        return self


def read_requests(source: Source, *, root: str = "", name: str | None = None) -> Iterator[RerankRequest]:
    """Yield the requests of a file or stream in its order, reading as they are asked for.

    Args:
        source: file or stream of JSONL.
        root: name of the image root that paths are relative to.
        name: what a stream is called in messages.

    Raises:
        DataError: naming path:line; also for a qid that came before, and when there is no line at all.
    """
    first: dict[str, str] = {}
    for where, value in read_objects(source, name=name):
        row = _checked(_RequestRow, value, where)
        if row.qid in first:
            raise DataError(f"{where}: qid {row.qid!r} stands already at {first[row.qid]}; make qids unique")
        first[row.qid] = where
        yield _request(row, root=root, where=where)
    if not first:
        raise DataError(f"{name or source}: holds no query; give one JSON object a line")


def read_query_rows(source: Source, *, root: str = "", name: str | None = None) -> Iterator[Query]:
    """Yield queries written as in a request, without candidates; see `read_requests`."""
    for where, value in read_objects(source, name=name):
        yield _checked(_QueryRow, value, where).to_query(root, where)


def read_candidate_rows(source: Source, *, root: str = "", name: str | None = None) -> Iterator[Candidate]:
    """Yield candidates written as in a request, one a line; see `read_requests`."""
    for where, value in read_objects(source, name=name):
        yield _checked(_CandidateRow, value, where).to_candidate(root, where)


def _checked(kind: type[R], value: dict[str, object], where: str) -> R:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise DataError(f"{where}: {_sentence(error)}") from error


def _request(row: _RequestRow, *, root: str, where: str) -> RerankRequest:
    hits = tuple(
        Hit(candidate=item.to_candidate(root, where), score=1.0 / place if item.score is None else item.score)
        for place, item in enumerate(row.candidates, start=1)
    )
    return RerankRequest(query=row.to_query(root, where), hits=hits)


def _sentence(error: ValidationError) -> str:
    """Return the first thing wrong as `field: reason (value)`, and how many more there are.

    Unknown keys come first: a misspelt key is also a missing one, and the spelling is what has to be mended.
    """
    wrong = error.errors(include_url=False, include_context=False)
    first, *more = sorted(wrong, key=lambda one: one["type"] != "extra_forbidden")
    field = ".".join(str(step) for step in first["loc"]) or "the line"
    shown = "" if isinstance(first["input"], dict) else f", got {str(first['input'])[:80]!r}"
    if first["type"] == "extra_forbidden":
        return f"unknown key {field!r}{shown}; what should travel along goes under metadata"
    if first["type"] == "missing":
        return f"the key {field!r} is missing"
    if first["type"] in ("dict_type", "model_type", "model_attributes_type"):
        example = '{"did": "a", "text": "..."}' if "candidates" in first["loc"] else '{"text": "..."}'
        return f"{field}: it must be an object, as in {example}{shown}"
    reason = first["msg"].removeprefix("Value error, ").replace(" or instance of _CandidateRow", "")
    return f"{field}: {reason}{shown}" + (f" (and {len(more)} more)" if more else "")

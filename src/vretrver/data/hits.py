"""The JSONL a search engine hands over for reranking: one query a line with the candidates it found, best first.

    {"qid": "q1", "text": "red mug", "candidates": [{"did": "a", "image": "a.jpg", "score": 0.9}, {"did": "b", ...}]}

Queries and candidates may also stand in files of their own, one a line, for a ranking that names them by id
(`trec_hits`). Keys are checked strictly: a misspelt key is an error, and whatever else should travel along goes
under `metadata`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import DataError
from ..records import Candidate, Hit, ImagePart, ImageRef, Part, Query, TextPart, parts_of
from .rows import RowSource, picture_ref, read_objects


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

Known = Callable[[Sequence[str]], Mapping[str, Candidate]]
"""Returns the candidates of ids; what it does not know is left out."""


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


class _NamedRow(_Row):
    """A candidate by its id alone, for a corpus that knows the rest."""

    did: str = Field(min_length=1)
    score: float | None = None


class _RequestRow(_QueryRow):
    candidates: list[_CandidateRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> _RequestRow:
        _check_list([(candidate.did, candidate.score) for candidate in self.candidates])
        return self


class _NamedRequestRow(_QueryRow):
    candidates: list[_NamedRow]

    @model_validator(mode="after")
    def _consistent(self) -> _NamedRequestRow:
        _check_list([(candidate.did, candidate.score) for candidate in self.candidates])
        return self


def _check_list(candidates: Sequence[tuple[str, float | None]]) -> None:
    """Raise ValueError for a did that appears twice, and for scores that only some have."""
    seen: set[str] = set()
    for did, _ in candidates:
        if did in seen:
            raise ValueError(f"did {did!r} appears twice among the candidates")
        seen.add(did)
    if len({score is None for _, score in candidates}) > 1:
        raise ValueError("either all candidates have a score or none has")


def read_requests(
    source: RowSource, *, root: str = "", name: str | None = None, known: Known | None = None
) -> Iterator[RerankRequest]:
    """Yield the requests of a file or stream in its order, reading as they are asked for.

    Args:
        source: file or stream of JSONL.
        root: name of the image root that paths are relative to.
        name: what a stream is called in messages.
        known: looks candidates up by id. With it a request may name them so, `["a", "b"]` or `[{"did": "a",
            "score": 0.9}]`, all of them; without it each brings its content.

    Raises:
        DataError: naming path:line; also for a qid that came before, an id that is not known, and when there is no
            line at all.
    """
    first: dict[str, str] = {}
    for where, value in read_objects(source, name=name):
        named = None if known is None else _ids_of(value)
        if known is not None and named is not None:
            row = _checked(_NamedRequestRow, {**value, "candidates": named}, where)
            request = _by_id(row, known, root, where)
        else:
            request = _request(_checked(_RequestRow, value, where), root=root, where=where)
        qid = request.query.qid
        if qid in first:
            raise DataError(f"{where}: qid {qid!r} stands already at {first[qid]}; make qids unique")
        first[qid] = where
        yield request
    if not first:
        raise DataError(f"{name or source}: holds no query; give one JSON object a line")


def read_query_rows(source: RowSource, *, root: str = "", name: str | None = None) -> Iterator[Query]:
    """Yield queries written as in a request, without candidates; see `read_requests`."""
    for where, value in read_objects(source, name=name):
        yield _checked(_QueryRow, value, where).to_query(root, where)


def read_candidate_rows(source: RowSource, *, root: str = "", name: str | None = None) -> Iterator[Candidate]:
    """Yield candidates written as in a request, one a line; see `read_requests`."""
    for where, value in read_objects(source, name=name):
        yield _checked(_CandidateRow, value, where).to_candidate(root, where)


def _checked(kind: type[R], value: dict[str, object], where: str) -> R:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise DataError(f"{where}: {_sentence(error)}") from error


def _ids_of(value: Mapping[str, object]) -> list[dict[str, object]] | None:
    """Return the candidates of a request that are ids, as texts or as objects that hold nothing but them, or None."""
    listed = value.get("candidates")
    if not isinstance(listed, list) or not listed:
        return None
    named: list[dict[str, object]] = [{"did": one} if isinstance(one, str) else one for one in listed]
    return named if all(isinstance(one, dict) and one.keys() <= {"did", "score"} for one in named) else None


def _by_id(row: _NamedRequestRow, known: Known, root: str, where: str) -> RerankRequest:
    dids = [one.did for one in row.candidates]
    found = known(dids)
    missing = [did for did in dids if did not in found]
    if missing:
        more = f" (nor are {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(f"{where}: did {missing[0]!r} is not in the index{more}; give the index they are of")
    return RerankRequest(query=row.to_query(root, where), hits=_hits_of(row.candidates, [found[did] for did in dids]))


def _hits_of(rows: Sequence[_NamedRow], candidates: Sequence[Candidate]) -> tuple[Hit, ...]:
    return tuple(
        Hit(candidate=candidate, score=1.0 / place if row.score is None else row.score)
        for place, (row, candidate) in enumerate(zip(rows, candidates, strict=True), start=1)
    )


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
        candidate = "candidates" in first["loc"]
        example = '{"did": "a", "text": "..."}' if candidate else '{"text": "..."}'
        named = "; ids alone need the index that knows them, --index" if candidate else ""
        return f"{field}: it must be an object, as in {example}{shown}{named}"
    reason = first["msg"].removeprefix("Value error, ").replace(" or instance of _CandidateRow", "")
    return f"{field}: {reason}{shown}" + (f" (and {len(more)} more)" if more else "")

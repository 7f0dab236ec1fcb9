"""The encoder behind an OpenAI-compatible `/v1/embeddings`: lists of texts, or messages with pictures as in vLLM.

The server pools and, where the model wants it, adds its own instruction; nothing here checks that a model is used as
it was trained. Whatever is sent besides the item is part of the fingerprint.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from .._http import Patience, Service
from .._secrets import KEY_VARIABLE, Secret
from .._served import why_not
from .._text import sendable
from ..errors import DataError, ServiceError
from ..geometry import PixelBudget, SizeRule
from ..images import THUMBNAIL_QUALITY, Pictures
from ..records import Candidate, Part, Query, TextPart, text_in
from .encoder import Vectors

VERSION = "http-1"
"""Part of the fingerprint; changes whenever what is sent for an item changes."""

PATH = "embeddings"
"""Path of the service, below the address."""

NO_INSTRUCTION = "Represent the user's input."
"""The system message of a candidate, and of a query that has no instruction: Qwen3-VL-Embedding's."""

LIST_LENGTH = 64
"""Texts in one request of the form `texts`."""


class HttpEncoder:
    """Vectors over HTTP; threads may share one.

    Args:
        store: opens the pictures.
        url: address of the API, as in `http://localhost:8000/v1`.
        model: the model's name, as the server lists it.
        form: `messages` sends an item as a conversation (instruction as system message, item as user message), one a
            request; `texts` sends lists of texts, and refuses items with pictures.
        dimension: length of a vector; None asks the server when it is first needed.
        pictures: at what size pictures are sent.
        in_flight: number of requests kept running.
        key_variable: environment variable that holds the key.
        patience: how long to wait for the server, and how often to retry.
        extra: further fields of every request, as `{"add_generation_prompt": True}`.
        keep: keep connections open between calls, until `close`; an encoder that nobody will close keeps none.

    Raises:
        ConfigError: the address or the key cannot be used.
        MissingDependency: the extra `http` is not installed.
    """

    def __init__(
        self,
        store: Pictures,
        url: str,
        *,
        model: str,
        form: Literal["messages", "texts"] = "messages",
        dimension: int | None = None,
        pictures: SizeRule | None = None,
        in_flight: int = 16,
        key_variable: str = KEY_VARIABLE,
        patience: Patience | None = None,
        extra: Mapping[str, object] | None = None,
        keep: bool = True,
    ) -> None:
        self.store = store
        self.model = model
        self.form = form
        self.pictures = pictures or PixelBudget(tokens=256)
        self.extra = dict(extra or {})
        self._dimension = dimension
        self._in_flight = in_flight
        self._keep = keep
        self._service = Service(url, secret=Secret(key_variable), patience=patience)
        self._lock = threading.Lock()
        self._calls = 0

    @property
    def dimension(self) -> int:
        """Length of a vector; asks the server when it is not known yet, see `check`."""
        if self._dimension is None:
            self.check()
        return self._dimension or 0

    @property
    def fingerprint(self) -> str:
        """Version, model, form, size of pictures, dimension and extra fields; never the address or the key."""
        extra = f" {json.dumps(self.extra, sort_keys=True)}" if self.extra else ""
        return f"{VERSION} {self.model} {self.form} {self.pictures} {self.dimension}{extra}"

    def check(self) -> None:
        """Request one vector; raises ServiceError, one sentence, when the server cannot be used."""
        with self._working():
            try:
                self._ask([self._body([(TextPart(text="ready"),)], [""])], ["the first vector"], tries=2)
            except ServiceError as error:
                raise self._explained(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Return [N, D] float32, L2-normalised.

        Raises:
            PictureError: a picture cannot be read.
            DataError: the server refuses an item, or the form cannot carry its picture.
            ServiceError: the server failed, or its answer cannot be used.
        """
        names = [f"query {query.qid}" for query in queries]
        return self._encode([query.parts for query in queries], [query.instruction for query in queries], names)

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Return [N, D] float32, L2-normalised; raises as `encode_queries`."""
        names = [f"candidate {candidate.did}" for candidate in candidates]
        return self._encode([candidate.parts for candidate in candidates], [""] * len(candidates), names)

    def _explained(self, error: ServiceError) -> ServiceError:
        """Return the error of the first request as a sentence with its remedy."""
        reason = self._service.run(lambda: why_not(self._service, self.model, error, what="embeddings")).result()
        return ServiceError(reason, status=error.status, words=error.words)

    def _encode(
        self, items: Sequence[tuple[Part, ...]], instructions: Sequence[str], names: Sequence[str]
    ) -> Vectors:
        if not items:
            return np.zeros((0, self.dimension), dtype=np.float32)
        length = 1 if self.form == "messages" else LIST_LENGTH
        starts = range(0, len(items), length)
        for parts, name in zip(items, names, strict=True):
            if self.form == "texts" and text_in(parts) == "":
                raise DataError(f"{name} has no text, and this encoder is sent texts; use the form `messages`")
            if self.form == "texts" and any(not isinstance(part, TextPart) for part in parts):
                raise DataError(f"{name} has a picture, and this encoder is sent texts; use the form `messages`")
        bodies = [self._body(items[n : n + length], instructions[n : n + length]) for n in starts]
        with self._working():
            return self._ask(bodies, [names[n] if length == 1 else f"{names[n]} and those after it" for n in starts])

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Count the calls under way; the last one closes the connections where nobody will do it later."""
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                if not self._calls and not self._keep:
                    self.close()

    def _body(self, items: Sequence[tuple[Part, ...]], instructions: Sequence[str]) -> tuple[bytes, int]:
        """Return the request body of some items, and their number."""
        what: dict[str, object]
        if self.form == "texts":
            what = {
                "input": [_line(parts, instruction) for parts, instruction in zip(items, instructions, strict=True)]
            }
        else:
            system = {"role": "system", "content": sendable(instructions[0] or NO_INSTRUCTION)}
            user = {"role": "user", "content": [self._part(part) for part in items[0]]}
            what = {"messages": [system, user]}
        fields = {"model": self.model, "encoding_format": "float", **what, **self.extra}
        return json.dumps(fields).encode(), len(items)

    def _part(self, part: Part) -> dict[str, object]:
        if isinstance(part, TextPart):
            return {"type": "text", "text": sendable(part.text)}
        picture = self.store.whole(part.image, self.pictures, quality=THUMBNAIL_QUALITY)
        data = base64.b64encode(picture.data).decode()
        return {"type": "image_url", "image_url": {"url": f"data:{picture.media_type};base64,{data}"}}

    def _ask(self, bodies: Sequence[tuple[bytes, int]], names: Sequence[str], *, tries: int | None = None) -> Vectors:
        """Send all bodies, several at once, and return their vectors stacked in order."""

        async def one(place: int, places: asyncio.Semaphore) -> Vectors:
            body, count = bodies[place]
            async with places:
                try:
                    value = await self._service.call(PATH, body, tries=tries)
                except ServiceError as error:
                    if tries is None and error.status in (400, 413, 422):
                        raise DataError(f"{names[place]} is refused: {error}") from error
                    raise
            return _vectors(value, count)

        async def every() -> list[Vectors]:
            places = asyncio.Semaphore(self._in_flight)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(place, places)) for place in range(len(bodies))]
            return [task.result() for task in tasks]

        try:
            blocks = self._service.run(every).result()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return self._checked(blocks)

    def _checked(self, blocks: Sequence[Vectors]) -> Vectors:
        """Return the blocks as one array; all must have the dimension the first answer had."""
        for block in blocks:
            if self._dimension is None:
                self._dimension = block.shape[1]
            if block.shape[1] != self._dimension:
                raise ServiceError(
                    f"{self._service.url} gives vectors of length {block.shape[1]}, expected {self._dimension}; "
                    "the server may have changed its model"
                )
        return np.concatenate(blocks)


def _vectors(value: Any, count: int) -> Vectors:
    """Return the vectors of an answer [count, D], L2-normalised; raises ServiceError when it holds anything else."""
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ServiceError("the answer holds no embeddings; give the address of an OpenAI-compatible API")
    places = [row.get("index", place) for place, row in enumerate(rows)]
    if sorted(places, key=str) != sorted(range(count), key=str):
        raise ServiceError(f"the answer holds {len(rows)} embeddings for {count} items, or numbers them wrongly")
    try:
        found = np.array([rows[places.index(place)].get("embedding") for place in range(count)], dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ServiceError("the embeddings of the answer are not lists of numbers of one length") from error
    if found.ndim != 2 or found.shape[1] == 0:
        raise ServiceError("the embeddings of the answer are not lists of numbers of one length")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    if not (np.isfinite(found).all() and (lengths > 0).all() and np.isfinite(lengths).all()):
        raise ServiceError("an embedding of the answer is zero or holds numbers that are not finite")
    unit: Vectors = (found / lengths).astype(np.float32)
    return unit


def _line(parts: Sequence[Part], instruction: str) -> str:
    """Return an item as one text, in the wording of instruction-tuned text encoders."""
    text = sendable(text_in(parts))
    return f"Instruct: {sendable(instruction)}\nQuery: {text}" if instruction else text

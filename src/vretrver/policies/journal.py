"""A policy that remembers on disk what another has written, so that after a kill nothing is paid for twice.

A turn is found again by a hash of the conversation, as texts and pictures, and of how the turn is drawn. How the
conversation came about does not count: one that was forked has the key of the same one opened at once. Only finished
turns are kept: errors, deadlines and cancelled requests are asked again. One file may serve several runs and several
policies.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from .._text import storable
from .._validation import first_problem
from ..agent.messages import Message, Piece
from ..agent.policy import Completion, FinishReason, Policy, Request
from ..errors import DataError
from ..files import append_durably, check_torn, lock_file, open_regular
from .conversations import TURNS, refuse_untimely
from .delegating import DelegatingPolicy

VERSION = 2
"""Version of a line; it grows when the meaning of a field changes."""


@dataclass(slots=True)
class _Conversation:
    """What was said in a session."""

    state: str = ""
    """Hash of all messages."""
    messages: list[Message] = field(default_factory=list)
    """The messages, the policy's own turns included."""
    told: bool = False
    """Whether the inner policy has the conversation as well; it then has all of it."""

    def fork(self) -> _Conversation:
        return _Conversation(self.state, list(self.messages))

    def add(self, *messages: Message) -> None:
        for message in messages:
            self.state = _digest(self.state, message.role, [_named(piece) for piece in _runs(message.pieces)])
            self.messages.append(message)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request the inner policy works on."""

    key: str
    stream: str
    sampled: bool
    read_only: bool


class JournaledPolicy(DelegatingPolicy):
    """Wraps a policy.

    Equal conversations of several sessions get an entry each; a session is given its own again where the journal has
    one of its random stream. One that is drawn greedily takes another stream's where there is none of its own; one
    that is sampled does not, or after a kill two streams would have one draw. A conversation that the journal
    answered in part goes on with the inner policy from a request that holds all of it, assistant turns included.
    Openings that are only read are handed on and not kept.

    Threads: `cancel` and `wake` may be called by any thread; one thread makes all other calls.

    Args:
        inner: writes the turns the journal does not hold; closed with this one.
        path: the journal.

    Raises:
        DataError: the journal cannot be used.
    """

    def __init__(self, inner: Policy, path: Path) -> None:
        super().__init__(inner)
        self._file = _JournalFile(path)
        self._conversations: dict[str, _Conversation] = {}
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()
        self._ready: dict[str, Completion] = {}
        """By session, what the journal answered and nobody collected yet; `cancel` changes it from any thread."""

    def submit(self, request: Request) -> None:
        """Take a request: what the journal holds is ready at once, the rest goes to the inner policy."""
        refuse_untimely(request, known=self._conversations, pending=self._asked.keys() | self._ready.keys())
        source = None if request.after is None else self._conversations[request.after]
        conversation = self._conversations.setdefault(
            request.session, _Conversation() if source is None else source.fork()
        )
        before = tuple(conversation.messages)
        conversation.add(*request.messages)
        asked = _Asked(
            key=_digest(self.fingerprint, conversation.state, *_drawn(request)),
            stream=request.stream or request.session,
            sampled=request.sampling.temperature > 0,
            read_only=request.read_only,
        )
        entry = None if conversation.told or asked.read_only else self._file.take(asked)
        if entry is not None:
            with self._lock:
                self._ready[request.session] = replace(entry.completion, session=request.session)
            return
        if not conversation.told and (source is None or not source.told):
            request = replace(request, messages=(*before, *request.messages), after=None)
        self.inner.submit(request)
        conversation.told = True
        self._asked[request.session] = asked

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        """Return what the journal held and the inner policy finished; what is returned is on disk.

        Raises:
            DataError: the journal cannot be written.
        """
        done = [
            replace(completion, text=storable(completion.text))
            for completion in self.inner.collect(patience=0 if self._ready else patience)
        ]
        asked = [self._asked.pop(completion.session) for completion in done]
        self._file.append(
            [
                _Entry(key=ask.key, stream=ask.stream, completion=completion)
                for ask, completion in zip(asked, done, strict=True)
                if completion.finish in TURNS and not ask.read_only
            ]
        )
        with self._lock:
            ready, self._ready = list(self._ready.values()), {}
        for completion in [*ready, *(turn for turn, ask in zip(done, asked, strict=True) if not ask.read_only)]:
            if completion.finish in TURNS:
                self._conversations[completion.session].add(Message(role="assistant", pieces=(completion.text,)))
        return [*ready, *done]

    def cancel(self, session: str) -> None:
        """End a pending request as CANCELLED, one the journal has answered too; any thread may call it."""
        with self._lock:
            if session in self._ready:
                self._ready[session] = Completion(session=session, text="", finish=FinishReason.CANCELLED)
                return
        self.inner.cancel(session)

    def release(self, session: str) -> None:
        """Forget a session; the journal keeps its turns."""
        self._conversations.pop(session, None)
        self._asked.pop(session, None)
        with self._lock:
            self._ready.pop(session, None)
        self.inner.release(session)

    def close(self) -> None:
        """Close the inner policy and the file."""
        self.inner.close()
        self._file.close()


def _drawn(request: Request) -> list[object]:
    """Return what decides a turn beside the conversation; the session's name, its stream and the deadline do not."""
    grammar = None if request.grammar is None else list(astuple(request.grammar))
    return [list(astuple(request.sampling)), list(request.stop), request.prefix, grammar, list(request.score_tokens)]


def _runs(pieces: tuple[Piece, ...]) -> list[Piece]:
    """Return pieces with neighbouring texts joined, as they are one run."""
    runs: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and runs and isinstance(runs[-1], str):
            runs[-1] += piece
        else:
            runs.append(piece)
    return runs


def _named(piece: Piece) -> object:
    return piece if isinstance(piece, str) else [piece.picture.sha256]


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    version: int = VERSION
    """Version of the line."""
    key: str
    """Hash of the policy, the conversation up to this turn, and how the turn is drawn."""
    stream: str
    """Random stream it was drawn from: equal conversations draw several turns, and each finds its own again."""
    completion: Completion
    """The turn."""


_ENTRY = TypeAdapter(_Entry)
_BEGINS = b'{"version":'


class _JournalFile:
    """Entries on disk, held by one process at a time.

    Args:
        path: the file, made when it is missing; its folder must exist. A torn last line is cut off.

    Raises:
        DataError: the file cannot be used, another process holds it, or a line is not an entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, deque[tuple[str, int, int]]] = {}
        try:
            self._file = FileIO(open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "ab+")
        except OSError as error:
            raise DataError(f"{path}: the journal cannot be opened: {error.strerror}; choose another file") from error
        try:
            lock_file(self._file, f"{path}: another process writes this journal; wait for it, or choose another")
            self._read()
        except DataError:
            self._file.close()
            raise

    def take(self, asked: _Asked) -> _Entry | None:
        """Return an entry that was not taken yet: the stream's own, else the oldest where the draw is greedy."""
        places = self._places.get(asked.key)
        if not places:
            return None
        place = next((place for place in places if place[0] == asked.stream), None if asked.sampled else places[0])
        if place is None:
            return None
        places.remove(place)
        return _ENTRY.validate_json(os.pread(self._file.fileno(), place[2], place[1]))

    def append(self, entries: Sequence[_Entry]) -> None:
        """Write entries; when this returns they are on disk.

        Raises:
            DataError: they cannot be written, and no part of them is left in the file.
        """
        if entries:
            lines = b"".join(_ENTRY.dump_json(entry) + b"\n" for entry in entries)
            append_durably(self._file, lines, what=f"{self.path}: the journal")

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _read(self) -> None:
        """Note where every entry is, and cut off a torn last line."""
        offset = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    check_torn(line, _BEGINS, name=str(self.path))
                    self._file.truncate(offset)
                    return
                entry = self._parse(line, number)
                place = entry.stream, offset, len(line)
                self._places.setdefault(entry.key, deque()).append(place)
                offset += len(line)

    def _parse(self, line: bytes, number: int) -> _Entry:
        where = f"{self.path}:{number}"
        try:
            version = json.loads(line)["version"]
            if version == VERSION:
                return _ENTRY.validate_json(line)
        except ValidationError as error:
            raise DataError(f"{where}: not a journal entry ({first_problem(error)}); choose another file") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"{where}: not a journal entry; choose another file") from error
        raise DataError(f"{where}: journal version {version}, this program reads {VERSION}; choose another file")

"""A policy that remembers on disk what another has written, so that after a kill nothing is paid for twice.

A turn is found again by a hash of everything sent in its session so far. Only finished turns are kept: errors,
deadlines and cancelled requests are asked again. The file may serve several runs and several policies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..agent.messages import Message
from ..agent.policy import Completion, FinishReason, Policy, PolicyLimits, Request
from .journal_file import Entry, JournalFile

_TURNS = {FinishReason.STOP, FinishReason.LENGTH}


@dataclass(slots=True)
class _Talk:
    """A conversation: what it hashes to, and its messages as long as the inner policy was told none of them."""

    state: str
    history: list[Message] = field(default_factory=list)
    told: bool = False


class JournaledPolicy:
    """Wraps a policy.

    Equal conversations of several sessions get an entry each; a session is given its own again where the journal
    has one under its name. A conversation that the journal answered in part goes on with the inner policy from a
    request that holds all of it, assistant turns included.

    Args:
        inner: writes the turns the journal does not hold; closed with this one.
        path: the journal.

    Raises:
        DataError: the journal cannot be used.
    """

    def __init__(self, inner: Policy, path: Path) -> None:
        self.inner = inner
        self._file = JournalFile(path)
        self._talks: dict[str, _Talk] = {}
        self._ready: list[Completion] = []

    @property
    def fingerprint(self) -> str:
        """The inner policy's: it is what decides what is written."""
        return self.inner.fingerprint

    @property
    def limits(self) -> PolicyLimits:
        """The inner policy's."""
        return self.inner.limits

    def submit(self, request: Request) -> None:
        """Take a request: what the journal holds is ready at once, the rest goes to the inner policy."""
        missing = []
        for session in request.sessions:
            talk = self._talks.setdefault(session, _Talk(_digest(self.fingerprint)))
            talk.state = _digest(talk.state, *_sent(request))
            entry = None if talk.told else self._file.take(talk.state, session)
            if entry is None:
                missing.append(session)
            else:
                completion = replace(entry.completion, session=session)
                self._ready.append(completion)
                talk.history += [*request.messages, Message(role="assistant", pieces=(completion.text,))]
                talk.state = _after(entry)
        if missing:
            history = self._talks[missing[0]].history
            self.inner.submit(replace(request, sessions=tuple(missing), messages=(*history, *request.messages)))
            for session in missing:
                self._talks[session].told = True
                self._talks[session].history = []

    def collect(self) -> list[Completion]:
        """Return what the journal held, else wait for the inner policy; what is returned is on disk.

        Raises:
            DataError: the journal cannot be written.
        """
        if self._ready:
            ready, self._ready = self._ready, []
            return ready
        done = [replace(completion, text=_storable(completion.text)) for completion in self.inner.collect()]
        turns = [completion for completion in done if completion.finish in _TURNS]
        for entry in self._file.append([(self._talks[turn.session].state, turn) for turn in turns]):
            self._talks[entry.completion.session].state = _after(entry)
        return done

    def cancel(self, session: str) -> None:
        """End a pending request as CANCELLED, one the journal has answered too."""
        cancelled = Completion(session=session, text="", finish=FinishReason.CANCELLED)
        self._ready = [cancelled if done.session == session else done for done in self._ready]
        self.inner.cancel(session)

    def release(self, session: str) -> None:
        """Forget a session; the journal keeps its turns."""
        self._talks.pop(session, None)
        self._ready = [done for done in self._ready if done.session != session]
        self.inner.release(session)

    def close(self) -> None:
        """Close the inner policy and the file."""
        self.inner.close()
        self._file.close()


def _sent(request: Request) -> Iterable[object]:
    """Yield everything of a request that decides what is written; the session's name and the deadline do not."""
    for message in request.messages:
        yield message.role
        yield [piece if isinstance(piece, str) else [piece.picture.sha256] for piece in message.pieces]
    sampling = request.sampling
    yield [sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.seed, sampling.complete_answers]
    yield [list(request.stop), request.answer_only, request.candidates, list(request.score_tokens)]


def _after(entry: Entry) -> str:
    """Return the state of a conversation that went on with an entry; equal turns of two draws stay apart."""
    return _digest(entry.key, entry.ordinal, entry.completion.text)


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=True).encode()).hexdigest()


def _storable(text: str) -> str:
    """Return text without lone surrogates: they have no UTF-8 form."""
    return text.encode("utf-8", "replace").decode()

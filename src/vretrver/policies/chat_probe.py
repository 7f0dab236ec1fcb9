"""Asks a chat server, before a run, whether it will do and whether it changes what it is sent.

Some chat templates drop earlier thoughts, some servers resize every picture or read none: the agent would then look
at something else than the record says. The counts of prompt tokens tell.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from PIL import Image

from .._served import served, why_not
from ..agent.messages import Message, Piece, ShownPicture
from ..agent.policy import PolicyLimits, Request, Sampling
from ..errors import PolicyError, ServiceError
from ..geometry import visual_tokens
from ..images import encode_picture
from ..records import Address
from .chat_endpoint import ChatEndpoint, message_json

SMALL, LARGE = (8, 8), (16, 16)
"""Columns and rows, in cells, of the two pictures shown, unless a thumbnail takes the place of the smaller one."""

_BEGUN = ("", "a", "a a")
"""Beginnings of a turn, of 0, 1 and 2 words that are one token each for any tokenizer."""

_WORDS = 64
"""Words of the earlier turn; each is at least one token for any tokenizer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a probe found."""

    marks: tuple[str, ...] = ()
    """What the server does to what it is sent, a few words each, as they stand in the fingerprint."""
    sentences: tuple[str, ...] = ()
    """The same in the same order, each with its remedy; to follow the server's address."""
    context_tokens: int | None = None
    """Most tokens of a conversation; None when the server does not tell."""

    def limited(self, limits: PolicyLimits) -> PolicyLimits:
        """Return limits with the context's length, unless they have one."""
        if self.context_tokens is None or limits.context_tokens is not None:
            return limits
        return replace(limits, context_tokens=self.context_tokens)


async def check(endpoint: ChatEndpoint) -> None:
    """Ask for a few tokens; raises PolicyError with one sentence when the server will not do."""
    try:
        await endpoint.ask([_user("Say: ready.")], _request(), tries=2)
    except ServiceError as error:
        raise PolicyError(await _reason(endpoint, error)) from error


async def _reason(endpoint: ChatEndpoint, error: ServiceError) -> str:
    return await why_not(endpoint.service, endpoint.model, error, what="chat completions")


async def probe(endpoint: ChatEndpoint, *, cell: int, thumbnail: tuple[int, int] | None = None) -> Findings:
    """Find out what the server does to earlier turns and to pictures.

    Args:
        endpoint: the model.
        cell: pixels a visual token and side.
        thumbnail: width and height in pixels of what candidates are shown as; some servers enlarge small pictures.

    Raises:
        PolicyError: the server cannot be asked.
    """
    known = await served(endpoint.service) or {}
    context = known.get(endpoint.model)
    try:
        opening = await _read_tokens(endpoint, [_user("Say: ready.")])
        thought = "<think>" + " ".join(f"w{number}" for number in range(_WORDS)) + "</think>"
        said = message_json(Message(role="assistant", pieces=(thought,)))
        reply = _user("<tool_response>\nGo on.\n</tool_response>")
        longer = await _read_tokens(endpoint, [_user("Say: ready."), said, reply])
    except ServiceError as error:
        raise PolicyError(await _reason(endpoint, error)) from error
    if opening is None or longer is None:
        mark, sentence = "no token counts", "reports no token counts: whether it changes what it is sent is not known"
        return Findings(marks=(mark,), sentences=(sentence,), context_tokens=context)
    found = []
    if longer - opening < _WORDS:
        found.append(
            ("earlier turns rewritten", "drops or rewrites earlier turns; give it the shipped chat template")
        )
    found += await _pictures(endpoint, opening, cell, thumbnail or (SMALL[0] * cell, SMALL[1] * cell))
    return Findings(
        marks=tuple(mark for mark, _ in found),
        sentences=tuple(sentence for _, sentence in found),
        context_tokens=context,
    )


class Continuing:
    """Whether a server continues a turn that was begun for it, found out once, when it is first wanted."""

    def __init__(self, endpoint: ChatEndpoint) -> None:
        self._endpoint = endpoint
        self._lock = asyncio.Lock()
        self._found: list[str | None] = []

    async def why_not(self) -> str | None:
        """Return why the server does not, in words that follow its address, or None where it does.

        Raises:
            ServiceError: the server cannot be asked.
        """
        async with self._lock:
            if not self._found:
                self._found.append(await _why_not_continuing(self._endpoint))
            return self._found[0]


async def _why_not_continuing(endpoint: ChatEndpoint) -> str | None:
    """Compare what turns of 0, 1 and 2 words cost: all that is read besides them must be the same.

    A server that ignores what it was asked closes the turn and opens another one, and that costs tokens. So does what
    a template puts into the turn before its beginning.
    """
    try:
        none, one, two = [await _read_tokens(endpoint, [_user("Say: ready.")], prefix=text) for text in _BEGUN]
    except ServiceError as error:
        if error.status not in (400, 422):
            raise
        return f"refuses to continue a turn ({error.words})"
    if none is None or one is None or two is None:
        return "reports no token counts: whether it continues a turn is not known"
    return None if one - (two - one) == none else "does not continue a turn as it was begun"


async def _pictures(endpoint: ChatEndpoint, opening: int, cell: int, size: tuple[int, int]) -> list[tuple[str, str]]:
    """Compare what two pictures of known size cost; a mark and a sentence when that is not as it should be."""
    full = LARGE[0] * cell, LARGE[1] * cell
    try:
        small = await _read_tokens(endpoint, [_user("Say: ready.", _picture(size, cell))])
        large = await _read_tokens(endpoint, [_user("Say: ready.", _picture(full, cell))])
    except ServiceError as error:
        if error.status not in (400, 422):
            raise PolicyError(str(error)) from error
        return [("pictures refused", f"refuses pictures ({error.words}); serve a model that reads them")]
    if small is None or large is None or large <= opening:
        return [("pictures not read", "reads no pictures: they cost no tokens; serve a model that reads them")]
    due, cost = visual_tokens(full, cell) - visual_tokens(size, cell), large - small
    if cost == due:
        return []
    mark = f"pictures resized: {due} tokens more cost {cost}"
    return [(mark, f"resizes pictures ({due} visual tokens more cost {cost}); raise its pixel limits")]


async def _read_tokens(endpoint: ChatEndpoint, messages: list[bytes], *, prefix: str = "") -> int | None:
    """Return how many tokens the server read; None when it does not tell."""
    usage = (await endpoint.ask(messages, replace(_request(), prefix=prefix))).usage
    return usage.prompt_tokens if usage is not None and usage.prompt_tokens else None


def _request() -> Request:
    return Request(session="probe", messages=(), sampling=Sampling(max_tokens=16))


def _user(text: str, *pictures: Piece) -> bytes:
    return message_json(Message(role="user", pieces=(*pictures, text)))


def _picture(size: tuple[int, int], cell: int) -> ShownPicture:
    picture = encode_picture(Image.new("RGB", size, (128, 128, 128)))
    return ShownPicture(address=Address(item=0), picture=picture, tokens=visual_tokens(size, cell))

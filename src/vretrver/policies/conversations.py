"""What all policies that keep conversations by session agree on."""

from __future__ import annotations

from collections.abc import Container

from ..agent.policy import FinishReason, Request

TURNS = (FinishReason.STOP, FinishReason.LENGTH)
"""How a turn ends that its conversation goes on with; after every other end the conversation has no turn of it."""


def refuse_untimely(request: Request, *, known: Container[str], pending: Container[str]) -> None:
    """Refuse a request that comes at the wrong time.

    Args:
        request: what was submitted.
        known: sessions with a conversation.
        pending: sessions with a request whose completion was not collected yet.

    Raises:
        ValueError: the session has a request pending, or starts `after` a session that is unknown or has one, or
            has a conversation already.
    """
    if request.session in pending:
        raise ValueError(f"session {request.session!r} has a request pending; collect or release it first")
    if request.after is None:
        return
    if request.session in known:
        raise ValueError(
            f"session {request.session!r} has a conversation and cannot start after {request.after!r}; release it"
        )
    if request.after not in known:
        raise ValueError(f"session {request.session!r} starts after {request.after!r}, which is not known")
    if request.after in pending:
        raise ValueError(
            f"session {request.session!r} starts after {request.after!r}, which has a request pending; collect it"
        )

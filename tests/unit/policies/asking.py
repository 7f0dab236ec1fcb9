"""Requests to a server, for the tests of the policy over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vretrver._http import Patience
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, Request, Sampling
from vretrver.policies.chat_api import ChatPolicy

HASTY = Patience(tries=2, first=0.01, longest=0.5, connect=5.0, answer=8.0)
SAID = Message(role="user", pieces=("hello",))
MORE = Message(role="user", pieces=("more",))

Make = Callable[..., ChatPolicy]
"""Makes a policy of the stub server; keywords are options of `ChatPolicy`."""


def ask(session: str, **fields: Any) -> Request:
    """Return a request."""
    return Request(**{"session": session, "messages": (SAID,), "sampling": Sampling(), **fields})


def answer(policy: ChatPolicy, request: Request) -> Completion:
    """Submit a request and return what comes of it."""
    policy.submit(request)
    (done,) = policy.collect()
    return done

"""Pins when a request may be submitted."""

from __future__ import annotations

import pytest

from vretrver.agent.policy import Request, Sampling
from vretrver.policies.conversations import refuse_untimely


def _refuse(session: str, after: str | None = None) -> None:
    """Submit to a policy that knows `idle` and `busy`, of which one is waited for."""
    request = Request(session=session, messages=(), sampling=Sampling(), after=after)
    refuse_untimely(request, known={"idle", "busy"}, pending={"busy"})


@pytest.mark.parametrize(("session", "after"), [("new", None), ("idle", None), ("new", "idle")])
def test_a_request_that_comes_in_time_is_taken(session: str, after: str | None) -> None:
    _refuse(session, after)


@pytest.mark.parametrize(
    ("session", "after", "words"),
    [
        ("busy", None, "session 'busy' has a request pending; collect or release it first"),
        ("new", "busy", "session 'new' starts after 'busy', which has a request pending; collect it"),
        ("new", "gone", "session 'new' starts after 'gone', which is not known"),
        ("idle", "other", "session 'idle' has a conversation and cannot start after 'other'; release it"),
    ],
)
def test_a_request_that_does_not_is_refused(session: str, after: str | None, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        _refuse(session, after)

"""A stub server and policies that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.stub_server import StubServer, say
from tests.unit.policies.asking import HASTY, Make

from vretrver.policies.chat_api import ChatPolicy


@pytest.fixture
def server() -> Iterator[StubServer]:
    """Always gives the same answer, until a test exchanges its script."""
    with StubServer(say("<answer>[1]</answer>")) as stub:
        yield stub


@pytest.fixture
def make(server: StubServer) -> Iterator[Make]:
    """Makes policies of the server and closes them in the end."""
    made: list[ChatPolicy] = []

    def one(**options: Any) -> ChatPolicy:
        made.append(ChatPolicy(server.url, **{"model": "stub", "patience": HASTY, **options}))
        return made[-1]

    yield one
    for policy in made:
        policy.close()

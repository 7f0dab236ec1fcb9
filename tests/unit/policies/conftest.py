"""A stub server and policies that ask it; a journal that can be opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stub_server import StubServer, say
from tests.unit.policies.asking import HASTY, Make
from tests.unit.policies.journals import Opened, Paid

from vretrver.agent.policy import Completion
from vretrver.policies.chat_api import ChatPolicy
from vretrver.policies.journal import JournaledPolicy
from vretrver.policies.scripted import Moment


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


@pytest.fixture
def reopen(tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Opens the same journal again, as another process would."""
    opened: list[Opened] = []

    def one(text: Callable[[Moment], str | Completion] | None = None) -> Opened:
        for before in opened:
            before.policy.close()
        paid = Paid(text)
        opened.append(Opened(policy=JournaledPolicy(paid.policy(), tmp_path / "journal.jsonl"), paid=paid))
        return opened[-1]

    yield one
    for last in opened:
        last.policy.close()

"""Runs the policy contract over the policies that need a server or a file: HTTP, journaled, and both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.policy_contract import PolicyContract
from tests.stub_server import StubServer, chat

from vretrver.agent.policy import Policy
from vretrver.policies.chat_api import ChatPolicy
from vretrver.policies.journal import JournaledPolicy
from vretrver.policies.scripted import first_k

SLOW = 0.5
"""Seconds before an answer where a request is cancelled or released right after it was submitted."""


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[StubServer]:
    dropped = "a_cancelled_request" in request.node.name or "a_released_request" in request.node.name
    with StubServer(chat(lambda _: "<answer>[2, 1]</answer>", delay=SLOW if dropped else 0.0)) as stub:
        yield stub


class TestChat(PolicyContract):
    """Over HTTP."""

    @pytest.fixture
    def policy(self, server: StubServer) -> Iterator[Policy]:
        policy = ChatPolicy(server.url, model="stub")
        yield policy
        policy.close()


class TestJournaledScripted(PolicyContract):
    """A journal before a policy that answers at once."""

    @pytest.fixture
    def policy(self, tmp_path: Path) -> Iterator[Policy]:
        policy = JournaledPolicy(first_k(), tmp_path / "journal.jsonl")
        yield policy
        policy.close()


class TestJournaledChat(PolicyContract):
    """A journal before HTTP."""

    @pytest.fixture
    def policy(self, server: StubServer, tmp_path: Path) -> Iterator[Policy]:
        policy = JournaledPolicy(ChatPolicy(server.url, model="stub"), tmp_path / "journal.jsonl")
        yield policy
        policy.close()

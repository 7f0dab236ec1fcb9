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


class OverHttp(PolicyContract):
    """What is asked of a server, which answers in the background."""

    waits = True

    @pytest.fixture
    def server(self) -> Iterator[StubServer]:
        """Answers at once."""
        with StubServer(chat(lambda _: "<answer>[2, 1]</answer>")) as stub:
            yield stub

    @pytest.fixture
    def slow(self, server: StubServer) -> None:
        """Answers late."""
        server.script = chat(lambda _: "<answer>[2, 1]</answer>", delay=SLOW)

    @pytest.fixture
    def constrains(self) -> bool:
        """The server answers when it must."""
        return True


class TestChat(OverHttp):
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

    @pytest.fixture
    def constrains(self) -> bool:
        """As the policy within."""
        return True


class TestJournaledChat(OverHttp):
    """A journal before HTTP."""

    @pytest.fixture
    def policy(self, server: StubServer, tmp_path: Path) -> Iterator[Policy]:
        policy = JournaledPolicy(ChatPolicy(server.url, model="stub"), tmp_path / "journal.jsonl")
        yield policy
        policy.close()

"""Runs the policy contract over a policy whose pictures are kept, and pins that they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.policy_contract import PolicyContract
from tests.drawn import DrawnFolder

from vretrver.agent.reranker import Reranker
from vretrver.errors import DataError
from vretrver.policies.scripted import first_k, shuffled
from vretrver.training.book import PictureBook, RecordedPolicy


class TestRecorded(PolicyContract):
    """A scripted policy with a picture book."""

    @pytest.fixture
    def policy(self, tmp_path: Path) -> Iterator[RecordedPolicy]:
        """A new one for every test."""
        book = PictureBook(tmp_path / "a.pictures", write=True)
        yield RecordedPolicy(shuffled(1), book)
        book.close()

    @pytest.fixture
    def constrains(self) -> bool:
        """As the policy within."""
        return True


def test_a_book_holds_every_picture_that_was_shown_once(drawn: DrawnFolder, tmp_path: Path) -> None:
    book = PictureBook(tmp_path / "a.pictures", write=True)
    reranker = Reranker(RecordedPolicy(first_k(), book), drawn.store)
    done = [reranker.rerank(drawn.query(picture=9), drawn.hits(3)) for _ in range(2)]
    book.close()
    again = PictureBook(tmp_path / "a.pictures")
    shown = {record.sha256 for record in done[0].trajectories[0].pictures}
    assert len(shown) == 4
    for sha256 in shown:
        data = again.get(str(sha256))
        assert data is not None
        assert data.startswith(b"\xff\xd8")
    assert again.get("0" * 64) is None
    again.close()


def test_a_book_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such picture book; synthesize the trajectories again"):
        PictureBook(tmp_path / "none")

"""Pins how work is shared out: results in the order of the jobs, in this process where there is little to share."""

from __future__ import annotations

import os

import pytest

from vretrver.processes import mapped


def worked(job: int) -> tuple[int, int]:
    """Return a job with the process that did it."""
    return job, os.getpid()


@pytest.mark.parametrize(("workers", "chunk"), [(1, 1), (4, 5)])
def test_one_worker_or_one_chunk_needs_no_other_process(workers: int, chunk: int) -> None:
    assert [*mapped(worked, range(5), workers=workers, chunk=chunk)] == [(job, os.getpid()) for job in range(5)]


def test_others_work_in_the_order_of_the_jobs_and_pass_on_what_was_raised() -> None:
    assert [*mapped(int, ["3", "1", "2"], workers=2)] == [3, 1, 2]
    with pytest.raises(ValueError, match="invalid literal"):
        list(mapped(int, ["3", "x", "2"], workers=2))

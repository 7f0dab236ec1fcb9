"""Pins TREC runs and qrels: what is written can be read back, ties and lost queries cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.errors import DataError
from vretrver.runs import Qrels, Run, read_qrels, read_run, replace_file, write_run


def qrels_file(folder: Path, text: str) -> Path:
    path = folder / "qrels.txt"
    path.write_text(text)
    return path


# ---- qrels


def test_four_and_five_columns_are_read(tmp_path: Path):
    qrels = read_qrels(qrels_file(tmp_path, "1:1 0 1:7 1 0\n1:1 0 1:8 0\n\n1:2\t0\t1:7\t2\n"))
    assert qrels.judged == {"1:1": {"1:7": 1, "1:8": 0}, "1:2": {"1:7": 2}}
    assert (len(qrels), list(qrels)) == (2, ["1:1", "1:2"])


def test_only_relevance_above_zero_is_relevant():
    qrels = Qrels(judged={"q": {"a": 1, "b": 0, "c": -1, "d": 3}})
    assert qrels.relevant("q") == {"a", "d"}
    with pytest.raises(DataError, match="query x has no relevance judgements"):
        qrels.relevant("x")


def test_a_pair_judged_twice_alike_is_one_judgement(tmp_path: Path):
    assert read_qrels(qrels_file(tmp_path, "q 0 a 1\nq 0 a 1\n")).judged == {"q": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q 0 a 1\nq 0 a\n", r"qrels\.txt:2: a qrels line has 4 or 5 columns .*, got 3"),
        ("q 0 a one\n", r"qrels\.txt:1: relevance 'one' is not a whole number"),
        ("q 0 a 1\nq 0 a 0\n", r"qrels\.txt:2: a is judged 1 and 0 for query q"),
        ("\n", "is empty"),
    ],
)
def test_wrong_qrels_are_refused_by_their_place(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=message):
        read_qrels(qrels_file(tmp_path, text))


def test_a_missing_file_is_a_data_error(tmp_path: Path):
    with pytest.raises(DataError, match=r"gone\.txt"):
        read_qrels(tmp_path / "gone.txt")


# ---- runs


def test_the_lines_of_a_run(tmp_path: Path):
    path = tmp_path / "run.txt"
    write_run(Run(tag="bm25", rankings={"q": (("a", 2.5), ("b", 1.0))}), path)
    assert path.read_text() == "q Q0 a 1 2.5 bm25\nq Q0 b 2 1.0 bm25\n"


def test_rankings_without_scores_count_down(tmp_path: Path):
    run = Run.from_order(tag="agent", order={"q": ["a", "b", "c"]})
    assert run.rankings == {"q": (("a", 3.0), ("b", 2.0), ("c", 1.0))}


SCORED = st.dictionaries(
    st.text("abc:1", min_size=1, max_size=4),
    st.lists(st.floats(-(2.0**60), 2.0**60, width=32), min_size=1, max_size=30).map(
        lambda scores: sorted(scores)[::-1]
    ),
    min_size=1,
    max_size=3,
)


@given(SCORED)
def test_a_run_made_of_tied_scores_is_untied_in_32_bits_and_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, scores: dict[str, list[float]]
):
    scored = {qid: [(f"d{n}", score) for n, score in enumerate(row)] for qid, row in scores.items()}
    run = Run.from_scores(tag="t", scored=scored)
    path = tmp_path_factory.mktemp("run") / "run.txt"
    write_run(run, path)
    again = read_run(path)
    assert again == run
    for qid, row in scores.items():
        written = np.array([score for _, score in again.rankings[qid]], dtype=np.float32)
        assert (np.diff(written) < 0).all()
        assert [did for did, _ in again.rankings[qid]] == [f"d{n}" for n in range(len(row))]


def test_untying_leaves_other_scores_alone():
    run = Run.from_scores(tag="t", scored={"q": [("a", 0.75), ("b", 0.5), ("c", 0.5), ("d", 0.25)]})
    (a, b, c, d) = (score for _, score in run.rankings["q"])
    assert (a, b, d) == (0.75, 0.5, 0.25)
    assert 0.5 - 1e-6 < c < 0.5


@pytest.mark.parametrize("scores", [[1.0, 2.0], [float("nan")], [float("inf")], [1e300], [1.0, float("nan")]])
def test_scores_that_are_not_best_first_are_refused(scores: list[float]):
    with pytest.raises(DataError, match="query q: score"):
        Run.from_scores(tag="t", scored={"q": [(str(n), score) for n, score in enumerate(scores)]})


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (Run(tag="t", rankings={"q": (("a", 1.0), ("b", 1.0))}), "strictly decreasing"),
        (Run(tag="t", rankings={"q": (("a", 1.0 + 1e-12), ("b", 1.0))}), "strictly decreasing"),
        (Run(tag="t", rankings={"q": (("a", 1.0), ("b", 2.0))}), "strictly decreasing"),
        (Run(tag="t", rankings={"q": (("a", float("nan")),)}), "finite"),
        (Run(tag="t", rankings={"q": ()}), "query q: its ranking is empty"),
        (Run(tag="t", rankings={"q": (("a", 2.0), ("a", 1.0))}), "a did appears twice"),
        (Run(tag="t", rankings={"q": (("a b.jpg", 1.0),)}), "did 'a b.jpg' cannot be written to a TREC run"),
        (Run(tag="t", rankings={"q 1": (("a", 1.0),)}), "qid 'q 1' cannot be written to"),
        (Run(tag="", rankings={"q": (("a", 1.0),)}), "tag '' cannot be written to"),
    ],
)
def test_a_run_that_would_be_misread_is_not_written(tmp_path: Path, run: Run, message: str):
    path = tmp_path / "run.txt"
    path.write_text("before")
    with pytest.raises(DataError, match=message):
        write_run(run, path)
    assert path.read_text() == "before"


def test_others_runs_are_sorted_by_score_with_ties_as_in_the_file(tmp_path: Path):
    path = tmp_path / "run.txt"
    path.write_text("q Q0 c 9 1.0 other\nq Q0 b 2 1.0 other\nq Q0 a 1 3e1 other 7\n")
    run = read_run(path)
    assert (run.tag, run.rankings) == ("other", {"q": (("a", 30.0), ("c", 1.0), ("b", 1.0))})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q Q0 a 1 2.0", "a run line has 6 columns"),
        ("q Q0 a one 2.0 t", "rank 'one' and score '2.0' must be numbers"),
        ("q Q0 a 1 high t", "must be numbers"),
        ("q Q0 a 1 nan t", "not a finite number"),
        ("q Q0 x 1 2.0 t", "x appears twice in the ranking of query q"),
    ],
)
def test_wrong_run_lines_are_refused_by_their_place(tmp_path: Path, line: str, message: str):
    path = tmp_path / "run.txt"
    path.write_text(f"q Q0 x 1 2.0 t\n{line}\n")
    with pytest.raises(DataError, match=r"run\.txt:2: ") as caught:
        read_run(path)
    assert message in str(caught.value)


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.txt"
    replace_file(path, b"one")

    def full_disk(handle: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="disk full"):
        replace_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_may_come_from_windows_and_its_ids_may_hold_wide_spaces(tmp_path: Path):
    path = tmp_path / "run.trec"
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_text("q\u00a01 Q0 d\u3000a 1 2.0 tag\r\nq\u00a01\tQ0\td2\t2\t1.0\ttag\r\n", encoding=encoding)
        assert read_run(path).rankings == {"q\u00a01": (("d\u3000a", 2.0), ("d2", 1.0))}
    write_run(read_run(path), path)
    assert read_run(path).rankings == {"q\u00a01": (("d\u3000a", 2.0), ("d2", 1.0))}


@pytest.mark.parametrize("read", [read_run, read_qrels])
def test_a_line_that_is_not_text_is_named(tmp_path: Path, read: Callable[[Path], object]):
    path = tmp_path / "lines.txt"
    good = {read_run: b"q1 Q0 d%d 1 1 t\n", read_qrels: b"q1 0 d%d 1\n"}[read]
    path.write_bytes(b"".join(good % number for number in range(899)) + b"q1 Q0 caf\xe9 1 1 t\n" + good % 900)
    with pytest.raises(DataError, match=r"lines\.txt:900: not valid UTF-8 \(invalid continuation byte\)"):
        read(path)

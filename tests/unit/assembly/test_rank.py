"""Pins the one-liner: what a query and documents may be, the rows, the evidence, and what is no order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.unit.pictures.profiles import WIDE, WIDE_RED

from vretrver.agent.answers import Verdict
from vretrver.agent.budget import Budget
from vretrver.agent.memo import WindowKey
from vretrver.agent.trajectory import PictureShown, Trajectory
from vretrver.assembly.agent import Agent, assembled, open_agent
from vretrver.assembly.documents import given
from vretrver.assembly.plans import ReferencePlan
from vretrver.assembly.ranking import Evidence
from vretrver.assembly.spec import AgentSpec
from vretrver.errors import DataError, PolicyError
from vretrver.geometry import Box
from vretrver.policies.scripted import replay
from vretrver.records import ImagePart, TextPart

LOOK = '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 2, "bbox_2d": [0, 0, 500, 500]}}</tool_call>'


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with two pictures."""
    for name, colour in {"a": (200, 30, 30), "b": (40, 60, 200)}.items():
        Image.new("RGB", (320, 256), colour).save(tmp_path / f"{name}.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def agent(*turns: str, spec: AgentSpec | None = None) -> Agent:
    return assembled(spec or AgentSpec(workers=0), replay(turns))


def kinds(documents: Sequence[Any], query: Any = "x") -> list[list[type]]:
    """Return the kinds of parts that the query and each document came to."""
    ranking = agent("<answer>[1]</answer>").rank(query, documents)
    record = ranking.reranked
    return [[type(p) for p in parts] for parts in (record.query.parts, *(h.candidate.parts for h in record.hits))]


def test_rows_are_those_of_a_cross_encoder_with_evidence(photos: Path) -> None:
    documents = ["a.jpg", "b.jpg", "some text"]
    ranking = agent(LOOK, "<answer>[2, 1, 3]</answer>").rank("the blue mug", documents, return_documents=True)
    assert [(row["corpus_id"], row["did"], row["text"]) for row in ranking] == [
        (1, "1", "b.jpg"), (0, "0", "a.jpg"), (2, "2", "some text"),
    ]  # fmt: skip
    assert [row["score"] for row in ranking] == [1, 1 / 2, 1 / 3]
    assert ranking[0]["evidence"] == [Evidence(box=(0, 0, 160, 128), picture=1)]
    assert ranking[1]["evidence"] == ranking[-1]["evidence"] == []
    assert (len(ranking), ranking.verdict, len(ranking.reranked.trajectories)) == (3, Verdict.RANKED, 1)


def test_only_the_best_rows_without_documents(photos: Path) -> None:
    ranking = agent("<answer>[3, 1, 2]</answer>").rank("x", ["a.jpg", "b.jpg", "c"], top_k=2)
    assert [row["corpus_id"] for row in ranking] == [2, 0]
    assert all("text" not in row for row in ranking[:])


def test_a_string_is_a_picture_only_when_it_ends_like_one_and_is_a_file(photos: Path) -> None:
    (photos / "note.txt").write_text("x")
    documents: list[Any] = [
        "a.jpg",
        str(photos / "a.jpg"),
        "note.txt",
        f"{'long ' * 2000}.jpg",
        "see https://x.org/1",
    ]
    assert kinds([*documents, {"text": "gone.jpg"}, {"text": "https://x.org/1"}]) == [
        [TextPart], [ImagePart], [ImagePart], [TextPart], [TextPart], [TextPart], [TextPart], [TextPart],
    ]  # fmt: skip


MISSING = "named like a picture, and there is no such file; correct the path, or {'text': ...} for a text"
ADDRESS = "an address, and nothing is fetched; give a file or a PIL image, or {'text': ...} for a text"


@pytest.mark.parametrize(
    ("given_as", "said"),
    [
        ("gone.jpg", MISSING),
        ("elsewhere/my photo.PNG", MISSING),
        ("scan.pdf", MISSING),
        ("https://example.org/a.jpg", ADDRESS),
        ("s3://shop/mug", ADDRESS),
        ("data:image/png;base64,AAAA", ADDRESS),
    ],
)
def test_a_string_that_can_only_be_meant_as_a_picture_and_is_none_is_refused(
    photos: Path, given_as: str, said: str
) -> None:
    ranked = agent("<answer>[1]</answer>")
    with pytest.raises(DataError) as raised:
        ranked.rank("x", ["a.jpg", given_as])
    assert str(raised.value) == f"document 1: {given_as!r} is {said}"
    with pytest.raises(DataError, match="the query: "):
        ranked.rank(given_as, ["a.jpg"])


def test_paths_images_and_mappings_say_what_they_are(photos: Path) -> None:
    (photos / "elsewhere").mkdir()
    (photos / "elsewhere" / "link.jpg").symlink_to(photos / "b.jpg")
    drawn = Image.new("RGBA", (50, 40), (0, 0, 0, 0))
    documents = [
        Path("a.jpg"), photos / "a.jpg", Path("elsewhere/link.jpg"), drawn, {"text": "t"}, {"image": "a.jpg"},
        {"image": drawn, "text": "t"},
    ]  # fmt: skip
    both = [ImagePart, TextPart]
    assert kinds(documents, query={"image": Path("b.jpg"), "text": "this one"}) == [
        both, [ImagePart], [ImagePart], [ImagePart], [ImagePart], [TextPart], [ImagePart], both,
    ]  # fmt: skip


def test_an_image_in_memory_is_shown_and_zoomed_into(photos: Path) -> None:
    documents = [Image.new("RGB", (320, 256)), Image.new("L", (320, 256), 90)]
    ranking = agent(LOOK, "<answer>[2, 1]</answer>").rank(Image.new("RGB", (64, 64)), documents)
    (trajectory,) = ranking.reranked.trajectories
    assert [isinstance(shown, PictureShown) and shown.refused for shown in trajectory.shown] == [None] * 4
    assert ranking[0]["evidence"] == [Evidence(box=(0, 0, 160, 128), picture=1)]


def test_an_image_in_memory_has_the_colours_and_the_way_up_of_its_file(photos: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (320, 256), WIDE_RED).save(photos / "wide.png", icc_profile=WIDE, exif=turned)
    with Image.open("wide.png") as held:
        content = given("x", [Path("wide.png"), held])
    of_file, of_image = (hit.candidate.pictures[0] for hit in content.hits)
    seen = [content.images.crop(ref, Box(left=0, top=0, right=256, bottom=320), (256, 320)).tobytes()
            for ref in (of_file, of_image)]  # fmt: skip
    assert seen[0] == seen[1]
    assert content.images.pin(of_image).height == 320


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ([], "there are no documents to rank"),
        ("one text", "the documents are one string; give a list"),
        (["x", " "], "document 1: it is empty"),
        ([Path("gone.jpg")], "document 0: gone.jpg: no such picture"),
        ([7], "document 0: a int is neither text nor picture"),
        ([{"txt": "x"}], "document 0: unknown key 'txt'"),
        ([{}], "document 0: it is empty"),
        ([{"text": 7}], "document 0: text is int"),
    ],
)
def test_what_cannot_be_ranked_is_said(documents: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        agent("<answer>[1]</answer>").rank("x", documents)


def test_an_order_that_nothing_confirmed_is_an_error_and_not_rows() -> None:
    with pytest.raises(PolicyError, match="nothing was ranked: the recording has 1 turns"):
        agent("It is the first.").rank("x", ["a", "b"])


def test_a_budget_that_ended_it_gives_the_order_marked() -> None:
    spec = AgentSpec(workers=0, budget=Budget(turns=0))
    ranking = agent("<answer>[2, 1]</answer>", spec=spec).rank("x", ["a", "b"])
    assert ([row["corpus_id"] for row in ranking], ranking.verdict) == ([0, 1], Verdict.FAILED)
    assert ranking.reranked.ended == "budget"


def test_that_nothing_fits_is_said() -> None:
    spec = AgentSpec(workers=0, answers="ranking-or-none")
    ranking = agent("<answer>none [2, 1]</answer>", spec=spec).rank("x", ["a", "b"])
    assert ([row["corpus_id"] for row in ranking], ranking.verdict) == ([1, 0], Verdict.NOTHING_FITS)


def test_documents_after_the_depth_keep_their_place() -> None:
    spec = AgentSpec(workers=0, plan=ReferencePlan(depth=2, size=2))
    ranking = agent("<answer>[2, 1]</answer>", spec=spec).rank("x", ["a", "b", "c"])
    assert [row["corpus_id"] for row in ranking] == [1, 0, 2]


def test_windows_that_are_known_are_not_asked_again(photos: Path) -> None:
    kept: dict[WindowKey, Trajectory] = {}

    class Kept:
        def known(self, key: WindowKey) -> Trajectory | None:
            return kept.get(key)

        def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
            kept[key] = trajectory

    ranked = agent("<answer>[2, 1]</answer>")
    content = ranked.rank("x", ["a", "b"]).reranked
    first = ranked.reranker(memo=Kept()).rerank(content.query, content.hits)
    broken = agent().reranker(memo=Kept()).rerank(content.query, content.hits)
    assert broken.ranking == first.ranking
    assert len(kept) == 1


def test_pictures_are_read_below_the_roots_of_the_spec(photos: Path) -> None:
    with open_agent(AgentSpec(policy="first-k", roots={"shop": str(photos)})) as opened:
        assert opened.images.roots == {"": Path(), "shop": photos}  # type: ignore[attr-defined]

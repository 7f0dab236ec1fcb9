"""Pins the HTTP encoder: what is sent for an item, what is accepted as vectors, and what failures become."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.drawn import DrawnFolder
from tests.stub_server import LONGEST, Answer, Seen, StubServer, as_json, embeddings, first, picture_bytes, refusal

from vretrver._http import Patience
from vretrver.errors import DataError, PictureError, ServiceError
from vretrver.geometry import PixelBudget
from vretrver.images import THUMBNAIL_QUALITY
from vretrver.records import Candidate, ImageRef, Query, parts_of
from vretrver.retrieval.http_encoder import HttpEncoder

HASTY = Patience(tries=2, first=0.01, longest=0.5, connect=5.0, answer=8.0)
PIXELS = PixelBudget(cell=32, tokens=4)

Make = Callable[..., HttpEncoder]


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(embeddings(dimension=8)) as stub:
        yield stub


@pytest.fixture
def make(server: StubServer, drawn: DrawnFolder) -> Iterator[Make]:
    made: list[HttpEncoder] = []

    def one(**options: Any) -> HttpEncoder:
        fields = {"model": "stub", "patience": HASTY, "pictures": PIXELS, **options}
        made.append(HttpEncoder(drawn.store, server.url, **fields))
        return made[-1]

    yield one
    for encoder in made:
        encoder.close()


def text(words: str, number: int = 1) -> Candidate:
    return Candidate(did=f"1:{number}", parts=parts_of(text=words))


def test_an_item_is_a_conversation_with_its_parts_in_order(
    server: StubServer, make: Make, drawn: DrawnFolder
) -> None:
    query = Query(
        qid="q", parts=(*parts_of(text="like"), *drawn.query(picture=3, text="red").parts), instruction="Find it."
    )
    make(dimension=8).encode_queries([query])
    (post,) = server.posts
    system, user = post["messages"]
    assert system == {"role": "system", "content": "Find it."}
    assert [part.get("text") for part in user["content"]] == ["like", None, "red"]
    shown = drawn.store.whole(drawn.ref(3), PIXELS, quality=THUMBNAIL_QUALITY)
    assert hashlib.sha256(picture_bytes(user["content"][1])).hexdigest() == shown.sha256
    assert (post["model"], post["encoding_format"]) == ("stub", "float")


def test_a_candidate_has_the_general_instruction(server: StubServer, make: Make) -> None:
    make(dimension=8).encode_candidates([text("a <|im_end|> \ud800 cup")])
    assert server.posts[0]["messages"] == [
        {"role": "system", "content": "Represent the user's input."},
        {"role": "user", "content": [{"type": "text", "text": "a < |im_end|> ? cup"}]},
    ]


def test_texts_go_in_lists_with_the_instruction_in_front(server: StubServer, make: Make) -> None:
    encoder = make(dimension=8, form="texts")
    encoder.encode_candidates([text(f"cup {number}", number) for number in range(70)])
    encoder.encode_queries([Query(qid="q", parts=parts_of(text="cup"), instruction="Find it.")])
    assert sorted(len(post["input"]) for post in server.posts) == [1, 6, 64]
    assert server.posts[-1]["input"] == ["Instruct: Find it.\nQuery: cup"]


@pytest.mark.parametrize("picture_only", [True, False])
def test_a_picture_has_no_place_among_texts(make: Make, drawn: DrawnFolder, picture_only: bool) -> None:
    candidate = drawn.candidate(1, text=None if picture_only else "a cup")
    with pytest.raises(DataError, match=r"candidate 1:1 has .*; use the form `messages`"):
        make(dimension=8, form="texts").encode_candidates([candidate])


def test_vectors_are_told_apart_by_their_index_and_made_unit_length(server: StubServer, make: Make) -> None:
    rows = [{"index": 1, "embedding": [0, 5]}, {"index": 0, "embedding": [3, 4]}]
    server.script = lambda _: as_json({"data": rows})
    vectors = make(form="texts").encode_candidates([text("a"), text("b", 2)])
    assert vectors.tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 1]]
    assert vectors.dtype == np.float32


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, "holds no embeddings"),
        ([1, 2], "holds no embeddings"),
        ([], "holds 0 embeddings for 1 items"),
        ([{"embedding": [1.0]}, {"embedding": [1.0]}], "holds 2 embeddings for 1 items"),
        ([{"index": 7, "embedding": [1.0]}], "numbers them wrongly"),
        ([{"index": 0}], "not lists of numbers"),
        ([{"index": 0, "embedding": []}], "not lists of numbers"),
        ([{"index": 0, "embedding": "AAAA"}], "not lists of numbers"),
        ([{"index": 0, "embedding": [[1.0]]}], "not lists of numbers"),
        ([{"index": 0, "embedding": [0.0, 0.0]}], "zero or holds numbers that are not finite"),
        ([{"index": 0, "embedding": [1.0, math.nan]}], "zero or holds numbers that are not finite"),
        ([{"index": 0, "embedding": [1.0, math.inf]}], "zero or holds numbers that are not finite"),
        ([{"index": 0, "embedding": [1.0, None]}], "finite|not lists of numbers"),
    ],
)
def test_what_is_no_vector_is_refused(server: StubServer, make: Make, data: object, error: str) -> None:
    server.script = lambda _: as_json({"data": data})
    with pytest.raises(ServiceError, match=error):
        make().encode_candidates([text("a")])


def test_vectors_of_another_length_are_refused(server: StubServer, make: Make) -> None:
    with pytest.raises(ServiceError, match="gives vectors of length 8, expected 4"):
        make(dimension=4).encode_candidates([text("a")])
    rows = [as_json({"data": [{"index": 0, "embedding": [1.0] * size}]}) for size in (3, 2)]
    server.script = first(rows, embeddings(dimension=8))
    with pytest.raises(ServiceError, match="of length 2, expected 3"):
        make(in_flight=1).encode_candidates([text("a"), text("b", 2)])


def test_an_item_the_server_refuses_is_named(server: StubServer, make: Make) -> None:
    good = embeddings(dimension=8)
    server.script = lambda seen: refusal(400, "too long") if "long" in json.dumps(seen.body) else good(seen)
    with pytest.raises(DataError, match=r"candidate 1:2 is refused: .* answered 400: too long"):
        make(dimension=8).encode_candidates([text("a"), text("long", 2), text("c", 3)])


def test_a_server_that_fails_is_a_service_error(server: StubServer, make: Make) -> None:
    server.script = lambda _: refusal(500, "boom")
    with pytest.raises(ServiceError, match=r"answered 500: boom error \(tried 2 times\)"):
        make(dimension=8).encode_candidates([text("a"), text("b", 2)])


def test_a_passing_failure_is_not_seen(server: StubServer, make: Make) -> None:
    server.script = first([refusal(503, "loading"), Answer(reset=True)], embeddings(dimension=8))
    encoder = make(dimension=8, patience=Patience(tries=3, first=0.01))
    assert encoder.encode_candidates([text("a")]).shape == (1, 8)


def test_a_picture_that_cannot_be_read_is_found_before_anything_is_sent(server: StubServer, make: Make) -> None:
    broken = Candidate(did="1:2", parts=parts_of(images=[ImageRef(path="gone.png")]))
    with pytest.raises(PictureError):
        make(dimension=8).encode_candidates([text("a"), broken])
    assert server.posts == []


def test_the_dimension_is_learnt_once(server: StubServer, make: Make) -> None:
    encoder = make()
    assert (encoder.dimension, encoder.dimension) == (8, 8)
    assert len(server.posts) == 1
    assert make(dimension=8).dimension == 8
    assert len(server.posts) == 1


def test_the_fingerprint_tells_what_decides_a_vector_and_no_more(
    server: StubServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VRETRVER_API_KEY", "sk-0123456789")
    first_one, other = make(dimension=8), make(dimension=8, extra={"add_generation_prompt": True})
    assert first_one.fingerprint == "http-1 stub messages PixelBudget(cell=32, tokens=4) 8"
    assert other.fingerprint == f'{first_one.fingerprint} {{"add_generation_prompt": true}}'
    other.encode_candidates([text("a")])
    assert server.posts[0]["add_generation_prompt"] is True
    assert server.seen[0].headers["authorization"] == "Bearer sk-0123456789"
    assert "sk-0123" not in str(vars(other))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(401, "no"), r"asks for a key \(401\); set NO_KEY"),
        (refusal(404, "no"), r"has no embeddings \(404\)"),
        (Answer(body=b"<html>"), "is not JSON: <html>; start the server, or correct the address"),
        (as_json({"data": []}), "holds 0 embeddings for 1 items"),
    ],
)
def test_a_check_says_in_a_sentence_why_a_server_will_not_do(
    server: StubServer, make: Make, answer: Answer, error: str
) -> None:
    server.script = lambda _: answer
    with pytest.raises(ServiceError, match=error):
        make(key_variable="NO_KEY").check()


def test_many_items_are_under_way_at_once(server: StubServer, make: Make) -> None:
    vectors_of, eight = embeddings(dimension=8), threading.Barrier(8)

    def all_eight(seen: Seen) -> Answer:
        eight.wait(LONGEST / 2)
        return vectors_of(seen)

    server.script = all_eight
    vectors = make(dimension=8, in_flight=8).encode_candidates([text(str(number), number) for number in range(16)])
    assert vectors.shape == (16, 8)
    assert server.connections == 8


def test_equal_parts_have_equal_vectors(make: Make) -> None:
    encoder = make(dimension=8)
    one, same, other = encoder.encode_candidates([text("a"), text("a", 2), text("b", 3)])
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)

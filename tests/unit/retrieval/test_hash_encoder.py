"""Pins what the model-free encoder finds: colours a text names, shared words, pictures alike; and that it repeats."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vretrver.images import ImageStore
from vretrver.records import Candidate, ImageRef, Query, parts_of
from vretrver.retrieval.colours import ANCHORS, nearness, text_colours, to_lab
from vretrver.retrieval.hash_encoder import HashEncoder, HashWeights, word_features

COLOURS = {
    "red": (200, 40, 40),
    "green": (60, 150, 70),
    "blue": (50, 90, 200),
    "yellow": (235, 200, 50),
    "grey": (128, 128, 128),
}


def scene(path: Path, thing: tuple[int, int, int], ground: tuple[int, int, int], corner: int = 64) -> None:
    image = Image.new("RGB", (256, 256), ground)
    image.paste(thing, (corner, corner, corner + 128, corner + 128))
    image.save(path)


@pytest.fixture
def encoder(tmp_path: Path) -> HashEncoder:
    for thing, inside in COLOURS.items():
        for ground, outside in COLOURS.items():
            scene(tmp_path / f"{thing} on {ground}.png", inside, outside)
    return HashEncoder(ImageStore({"": tmp_path}))


def ranked(encoder: HashEncoder, query: Query, candidates: list[Candidate]) -> list[str]:
    scores = encoder.encode_candidates(candidates) @ encoder.encode_queries([query])[0]
    return [candidates[place].did for place in np.argsort(-scores, kind="stable")]


def pictures() -> list[Candidate]:
    names = [f"{thing} on {ground}" for thing in COLOURS for ground in COLOURS]
    return [Candidate(did=name, parts=parts_of(images=[ImageRef(path=f"{name}.png")])) for name in names]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a red mug on grass", "red on green"),
        ("green mug on bricks", "green on red"),
        ("something blue against a yellow wall, code A7K", "blue on yellow"),
        ("yellow hat over a cobalt table", "yellow on blue"),
        ("a lemon on concrete", "yellow on grey"),
    ],
)
def test_a_text_finds_the_picture_of_its_colours(encoder: HashEncoder, text: str, found: str):
    assert ranked(encoder, Query(qid="1:1", parts=parts_of(text=text)), pictures())[0] == found


def test_a_text_finds_the_text_with_its_words(encoder: HashEncoder):
    texts = ["a dog on a sofa", "two cats on a sofa", "a dog chases two cats", "an empty sofa"]
    candidates = [Candidate(did=text, parts=parts_of(text=text)) for text in texts]
    query = Query(qid="1:1", parts=parts_of(text="Dog, cats: chases!"))
    assert ranked(encoder, query, candidates)[0] == "a dog chases two cats"


def test_a_picture_finds_itself_then_the_same_thing_elsewhere(encoder: HashEncoder, tmp_path: Path):
    scene(tmp_path / "moved.png", COLOURS["red"], COLOURS["grey"], corner=80)
    order = ranked(encoder, Query(qid="1:1", parts=parts_of(images=[ImageRef(path="red on grey.png")])), pictures())
    assert order[0] == "red on grey"
    order = ranked(encoder, Query(qid="1:1", parts=parts_of(images=[ImageRef(path="moved.png")])), pictures())
    assert order[0] == "red on grey"


def test_words_after_on_name_the_ground():
    thing, around = text_colours("red mug on dark green grass, with a blue label")
    names = list(ANCHORS)
    assert sorted(names[place] for place in np.argsort(-thing)[:2]) == ["blue", "red"]
    assert names[int(np.argmax(around))] in ("dark green", "green")


def test_a_text_without_colours_names_none():
    thing, around = text_colours("a dog in the kitchen")
    assert not thing.any()
    assert not around.any()


@pytest.mark.parametrize(
    "word", ["beach", "beaches", "desert", "sea", "water", "night", "tree", "sky", "road", "sun"]
)
def test_a_place_or_a_living_thing_is_not_a_colour(word: str):
    for text in (word, f"dog on the {word}"):
        thing, around = text_colours(text)
        assert not thing.any()
        assert not around.any()


def test_brown_is_nearer_to_orange_than_to_red(encoder: HashEncoder, tmp_path: Path):
    for name, colour in {"red": (200, 20, 20), "orange": (255, 140, 0), "green": (20, 160, 40)}.items():
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{name}.png")
    candidates = [
        Candidate(did=name, parts=parts_of(images=[ImageRef(path=f"{name}.png")]))
        for name in ("red", "orange", "green")
    ]
    assert ranked(encoder, Query(qid="1:1", parts=parts_of(text="brown")), candidates) == ["orange", "red", "green"]


def test_a_shade_changes_the_lightness_of_the_next_colour():
    names = list(ANCHORS)
    assert names[int(np.argmax(text_colours("light blue")[0]))] in ("light blue", "sky")
    assert names[int(np.argmax(text_colours("dark blue")[0]))] in ("navy", "blue")


@given(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)))
def test_every_pixel_is_shared_out_among_the_anchors(pixel: tuple[int, int, int]):
    near = nearness(to_lab(np.array(pixel, dtype=np.uint8)))
    assert near.shape == (len(ANCHORS),)
    assert near.min() >= 0
    assert near.sum() == pytest.approx(1, abs=1e-5)


def test_lab_of_known_colours():
    lab = to_lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]], dtype=np.uint8))
    assert lab == pytest.approx(np.array([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]), abs=0.05)


@given(st.text(max_size=60))
def test_any_text_gives_a_vector_of_length_one(text: str):
    encoder = HashEncoder(ImageStore({"": Path()}))
    vector = encoder.encode_queries([Query(qid="1:1", parts=parts_of(text=text or "x"))])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_word_features_are_the_same_in_another_process():
    code = (
        "from vretrver.retrieval.hash_encoder import word_features\n"
        "print(word_features('red mug A7K').nonzero()[0].tolist())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert other.stdout.strip() == str(word_features("red mug A7K").nonzero()[0].tolist())


def test_little_words_do_not_count():
    assert np.array_equal(word_features("the mug is on a table"), word_features("mug table"))


def test_the_fingerprint_tells_weights_apart():
    store = ImageStore({"": Path()})
    assert HashEncoder(store).fingerprint != HashEncoder(store, weights=HashWeights(around=0.5)).fingerprint


@pytest.mark.parametrize("weights", [{"constant": 0.0}, {"thing": -1.0}])
def test_weights_that_allow_zero_vectors_are_refused(weights: dict[str, float]):
    with pytest.raises(ValueError, match="weights"):
        HashWeights(**weights)

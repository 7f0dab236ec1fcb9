"""What every encoder must do; a test module subclasses `EncoderContract` and makes the encoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vretrver.errors import PictureError
from vretrver.images import ImageStore
from vretrver.records import Candidate, ImagePart, ImageRef, Part, Query, TextPart, parts_of
from vretrver.retrieval.encoder import Encoder

ITEMS: list[tuple[Part, ...]] = [
    parts_of(text="a red mug on grass"),
    parts_of(images=[ImageRef(path="red.png")]),
    parts_of(text="a red mug", images=[ImageRef(path="red.png")]),
    (TextPart(text="like"), ImagePart(image=ImageRef(path="grey.png")), ImagePart(image=ImageRef(path="red.png"))),
    parts_of(text="?!"),
    parts_of(text="the"),
    parts_of(text="\U0001f600 \u4f60\u597d"),
    parts_of(text="word " * 5000),
    parts_of(images=[ImageRef(path="grey.png")]),
    parts_of(images=[ImageRef(path="dot.png")]),
]


class EncoderContract(ABC):
    """Tests over one implementation."""

    @abstractmethod
    def make(self, store: ImageStore) -> Encoder:
        """Return the encoder under test."""

    @pytest.fixture
    def encoder(self, tmp_path: Path) -> Encoder:
        Image.new("RGB", (40, 30), (200, 20, 20)).save(tmp_path / "red.png")
        Image.new("L", (40, 30), 128).save(tmp_path / "grey.png")
        Image.new("RGBA", (1, 1), (0, 0, 0, 0)).save(tmp_path / "dot.png")
        (tmp_path / "broken.png").write_text("no picture")
        return self.make(ImageStore({"": tmp_path}))

    @staticmethod
    def candidates(items: list[tuple[Part, ...]]) -> list[Candidate]:
        return [Candidate(did=str(n), parts=parts) for n, parts in enumerate(items)]

    @staticmethod
    def queries(items: list[tuple[Part, ...]]) -> list[Query]:
        return [Query(qid=str(n), parts=parts, instruction="Find it.") for n, parts in enumerate(items)]

    def test_vectors_are_float32_of_length_one(self, encoder: Encoder):
        for vectors in (
            encoder.encode_queries(self.queries(ITEMS)),
            encoder.encode_candidates(self.candidates(ITEMS)),
        ):
            assert vectors.shape == (len(ITEMS), encoder.dimension)
            assert vectors.dtype == np.float32
            assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_an_empty_batch_gives_an_empty_array(self, encoder: Encoder):
        assert encoder.encode_queries([]).shape == (0, encoder.dimension)
        assert encoder.encode_candidates([]).shape == (0, encoder.dimension)

    def test_the_batch_does_not_change_a_vector(self, encoder: Encoder):
        candidates = self.candidates(ITEMS)
        together = encoder.encode_candidates(candidates)
        singly = np.concatenate([encoder.encode_candidates([candidate]) for candidate in candidates])
        assert np.allclose(together, singly, atol=1e-5)

    def test_ids_do_not_change_a_vector(self, encoder: Encoder):
        first = encoder.encode_candidates([Candidate(did="1", parts=ITEMS[2])])
        assert np.array_equal(first, encoder.encode_candidates([Candidate(did="2", parts=ITEMS[2])]))

    def test_two_encoders_alike_agree(self, encoder: Encoder, tmp_path: Path):
        again = self.make(ImageStore({"": tmp_path}))
        assert again.fingerprint == encoder.fingerprint
        assert np.array_equal(
            again.encode_queries(self.queries(ITEMS[:4])), encoder.encode_queries(self.queries(ITEMS[:4]))
        )

    @pytest.mark.parametrize("path", ["broken.png", "gone.png", "../red.png"])
    def test_a_picture_that_cannot_be_read_is_a_picture_error(self, encoder: Encoder, path: str):
        item = parts_of(images=[ImageRef(path=path)])
        with pytest.raises(PictureError):
            encoder.encode_candidates(self.candidates([ITEMS[0], item]))
        with pytest.raises(PictureError):
            encoder.encode_queries(self.queries([item]))

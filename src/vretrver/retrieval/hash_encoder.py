"""An encoder without a model: it finds pictures by the colours a text names, and texts by the words they share.

A stand-in for demonstrations and tests. It does not know objects: "red mug on grass" finds red things on green, mugs
or not. Use a model's encoder for real pictures.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from ..images import Thumbnails
from ..records import Candidate, ImageRef, Part, Query, pictures_in, text_in
from .colours import ANCHOR_WEIGHTS, ANCHORS, Floats, nearness, text_colours, to_lab
from .encoder import Vectors

VERSION = "hash-2"
"""Part of the fingerprint; changes whenever a vector changes."""

WORD_SLOTS = 512
"""Features that words are hashed to."""

SIDE = 64
"""Side in pixels of the square that every picture is reduced to."""

_LITTLE_WORDS = (
    "a an and are as at be but by for from has have in is it its near no of on or that the their them there this to "
    "was were which while who with"
)
_STOP = frozenset(_LITTLE_WORDS.split())
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class HashWeights:
    """How much each kind of feature counts before the vector is normalised."""

    thing: float = 1.0
    """Colours of the middle of a picture that its border lacks; colours a text names for the thing itself."""
    around: float = 1.0
    """Colours of the border; colours a text names for its surroundings."""
    words: float = 1.0
    """Words; they match other texts only."""
    constant: float = 0.05
    """One feature every item has, so that no vector is zero; above 0."""

    def __post_init__(self) -> None:
        """Refuse weights below 0 and a constant of 0 with ValueError."""
        if min(self.thing, self.around, self.words) < 0 or self.constant <= 0:
            raise ValueError(f"weights must not be negative and the constant must be above 0, got {self}")


class HashEncoder:
    """Colour and word features of a fixed length; deterministic, no weights, no training.

    Args:
        store: opens the pictures.
        weights: how much each kind of feature counts.
    """

    def __init__(self, store: Thumbnails, *, weights: HashWeights | None = None) -> None:
        self.store = store
        self.weights = weights or HashWeights()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return 2 * len(ANCHORS) + WORD_SLOTS + 1

    @property
    def fingerprint(self) -> str:
        """Version and weights."""
        return f"{VERSION} {self.weights}"

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Return [N, D] float32, L2-normalised; instructions are left out, since they do not name colours.

        A query's picture asks for the thing it shows, whatever its surroundings: its border is left out.
        """
        return self._stacked([query.parts for query in queries], surroundings=False)

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Return [N, D] float32, L2-normalised."""
        return self._stacked([candidate.parts for candidate in candidates], surroundings=True)

    def knows(self, query: Query) -> bool:
        """Return whether a query says something that pictures are found by: a picture, or a colour."""
        return bool(query.pictures) or self.knows_word(query.text)

    def knows_word(self, text: str) -> bool:
        """Return whether a text names a colour."""
        return any(colours.any() for colours in text_colours(text))

    def is_telling(self, query: Query, best: float) -> bool:
        """Return whether the best score of a query can mean anything: more is shared than what every item has."""
        if self.knows(query):
            return True
        constant = self.weights.constant
        least = min(weight for weight in (self.weights.thing, self.weights.around, self.weights.words, 1) if weight)
        shared = constant**2 / np.sqrt((self.weights.words**2 + constant**2) * (least**2 + constant**2))
        return bool(word_features(query.text).any()) and best > shared * (1 + 1e-4)

    def _stacked(self, items: Sequence[tuple[Part, ...]], *, surroundings: bool) -> Vectors:
        if not items:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._vector(parts, surroundings=surroundings) for parts in items])

    def _vector(self, parts: tuple[Part, ...], *, surroundings: bool) -> Floats:
        text, weights = text_in(parts), self.weights
        thing, around = text_colours(text)
        for ref in pictures_in(parts):
            middle, border = self._look(ref)
            thing = thing + middle
            if surroundings:
                around = around + border
        blocks = [
            weights.thing * _unit(np.sqrt(ANCHOR_WEIGHTS * thing)),
            weights.around * _unit(np.sqrt(ANCHOR_WEIGHTS * around)),
            weights.words * _unit(word_features(text)),
            np.array([weights.constant], dtype=np.float32),
        ]
        return _unit(np.concatenate(blocks))

    def _look(self, ref: ImageRef) -> tuple[Floats, Floats]:
        return picture_features(self.store.thumbnail(ref, _Square()))


class _Square:
    """The size rule of this encoder: one square for every picture, so that middle and border are where they are."""

    cell = SIDE

    def fit(self, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002 - the interface of a size rule
        return SIDE, SIDE


def picture_features(image: Image.Image) -> tuple[Floats, Floats]:
    """Return the colours of the thing [A] and of its surroundings [A].

    The border counts as surroundings; the colours that the middle has and the border lacks count as the thing.
    """
    near = nearness(to_lab(np.asarray(image, dtype=np.uint8)))
    middle, border = (np.einsum("ij,ija->a", mask, near) for mask in _masks())
    thing = np.maximum(middle - border, 0) + 0.1 * middle
    return thing, border


def word_features(text: str) -> Floats:
    """Return [WORD_SLOTS]: signed hashed counts of the words of a text, damped by the square root.

    The hash is BLAKE2b, the same on every machine and in every process.
    """
    features = np.zeros(WORD_SLOTS, dtype=np.float32)
    for word, count in Counter(_WORD.findall(text.lower())).items():
        if word not in _STOP:
            slot, sign = _slot(word)
            features[slot] += sign * count**0.5
    return features


@lru_cache(maxsize=65536)
def _slot(word: str) -> tuple[int, float]:
    number = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return (number >> 1) % WORD_SLOTS, 1.0 if number & 1 else -1.0


def _unit(vector: Floats) -> Floats:
    """Return the vector at length 1; zeros stay zeros."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 0 else vector


@lru_cache(maxsize=1)
def _masks() -> tuple[Floats, Floats]:
    """Return the weights [SIDE, SIDE] of the middle and of the border, each summing to 1."""
    offset = np.abs(np.arange(SIDE) - (SIDE - 1) / 2) / (SIDE / 2)
    outward = np.maximum(offset[:, None], offset[None, :])
    middle = np.exp(-((outward / 0.55) ** 2))
    border = (outward > 0.8).astype(np.float64)
    return (middle / middle.sum()).astype(np.float32), (border / border.sum()).astype(np.float32)

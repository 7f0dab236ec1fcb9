"""Encoders by the names that commands and index manifests use."""

from __future__ import annotations

from ..errors import ConfigError
from ..images import ImageStore
from .encoder import Encoder

NAMES = ("hash",)
"""Encoders that can be named."""


def encoder_named(spec: str, images: ImageStore) -> Encoder:
    """Return the encoder of a name.

    Args:
        spec: `hash`, the one without a model.
        images: reads the pictures.

    Raises:
        ConfigError: there is no such encoder.
    """
    if spec == "hash":
        from .hash_encoder import HashEncoder

        return HashEncoder(images)
    raise ConfigError(f"no encoder is called {spec!r}; there are: {', '.join(NAMES)}")

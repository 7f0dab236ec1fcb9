"""Encoders by the names that commands and index manifests use: `hash`, `shipped`, or a layout and a model's folder.

A model's folder may be moved; its new path is then named. Vectors are compared by fingerprint, which depends on the
contents of the folder and not on its path.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from ..images import Thumbnails
from ..models.shipped import ENCODER, LAYOUT, SHIPPED, shipped_folder
from .encoder import Encoder

LAYOUTS = ("lamra", "qwen3vl_embedding", "clip")
"""Layouts of model folders: two of Qwen-VL models, and CLIP or SigLIP."""

NAMES = ("hash", SHIPPED, *(f"{layout}:FOLDER" for layout in LAYOUTS))
"""Names of the encoders."""


def encoder_named(spec: str, images: Thumbnails, *, dtype: str = "float32", device: str = "auto") -> Encoder:
    """Return the encoder of a name.

    Args:
        spec: `hash`, which needs no model; `shipped`, the small model in the package, which knows the drawn catalogue
            only; or `LAYOUT:FOLDER` with a layout of `LAYOUTS`.
        images: reads the pictures.
        dtype: number format of a model's weights; `auto` keeps the stored one. Part of the fingerprint.
        device: device a model runs on, as torch names it; `auto` takes a GPU where there is one.

    Raises:
        ConfigError: there is no such encoder or folder, or the folder holds another kind of model.
        MissingDependency: the extra `models` is not installed.
    """
    if spec == "hash":
        from .hash_encoder import HashEncoder

        return HashEncoder(images)
    layout, _, place = (LAYOUT, "", str(shipped_folder(ENCODER))) if spec == SHIPPED else spec.partition(":")
    if layout not in LAYOUTS or not place:
        raise ConfigError(f"no encoder is called {spec!r}; there are: {', '.join(NAMES)}")
    folder = Path(place)
    if not folder.is_dir():
        raise ConfigError(
            f"{spec}: no such folder; name a model's folder on this machine, the new one if it was moved, with "
            f"--encoder {layout}:FOLDER"
        )
    _require_models()
    if layout == "clip":
        from .layouts.clip import ClipEncoder

        return ClipEncoder(folder, images, dtype=dtype, device=device)
    from .layouts.encoder import open_layout

    return open_layout(layout, folder, images, dtype=dtype, device=device)


def folder_of(spec: str) -> Path | None:
    """Return the model folder an encoder's name points to; None for an encoder without a folder of its own."""
    layout, _, place = spec.partition(":")
    return Path(place) if layout in LAYOUTS and place else None


def lasting_name(spec: str) -> str:
    """Return a name as an index stores it: a folder by its absolute path, so that it works from any directory.

    `shipped` stays as it is: another copy of the package finds its own; the fingerprint shows whether it is the same.
    """
    folder = folder_of(spec)
    return spec if folder is None else f"{spec.partition(':')[0]}:{folder.resolve()}"


def _require_models() -> None:
    """Raise MissingDependency before the layout modules fail: they import these libraries at module level."""
    from .._optional import require

    for library in ("torch", "transformers", "tokenizers"):
        require(library, extra="models")

"""Encoders by the names that commands and index manifests use: `hash`, `shipped`, or a layout and a model's folder.

A model's folder may be moved: its new place is named then. Vectors are compared by fingerprint, which holds what is
in the folder and not where it lies.
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
"""Encoders that can be named."""


def encoder_named(spec: str, images: Thumbnails, *, dtype: str = "float32", device: str = "auto") -> Encoder:
    """Return the encoder of a name.

    Args:
        spec: `hash`, the one without a model; `shipped`, the small one in the package, which knows the drawn
            catalogue only; or `LAYOUT:FOLDER` with a layout of `LAYOUTS`.
        images: reads the pictures.
        dtype: number format of a model's weights; `auto` is as they are stored. Part of the fingerprint.
        device: where a model runs, as torch names it; `auto` takes a GPU where there is one.

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
            f"{spec}: no such folder; name a model's folder on this machine, and if it was moved its new place, with "
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
    """Return a name as an index keeps it: a folder by its absolute path, to be found from any working directory.

    `shipped` stays as it is: another copy of the package finds its own; the fingerprint tells whether it is equal.
    """
    folder = folder_of(spec)
    return spec if folder is None else f"{spec.partition(':')[0]}:{folder.resolve()}"


def _require_models() -> None:
    """Say in one sentence that the extra is not installed; the modules of the layouts import it at their head."""
    from .._optional import require

    for library in ("torch", "transformers", "tokenizers"):
        require(library, extra="models")

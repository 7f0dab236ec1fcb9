"""The stock Qwen-VL processors without their video part, which needs torchvision, and the files other programs read.

A saved folder names the stock classes: transformers with torchvision and vLLM load it, where a class of ours
would leave them a bare tokenizer. AutoProcessor prefers that name to a registered class, so hand the
processor of `open_processor` to whoever takes one (TRL's `processing_class`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import AutoProcessor, Qwen2_5_VLConfig, Qwen2_5_VLProcessor, Qwen3VLConfig, Qwen3VLProcessor
from transformers.processing_utils import ProcessorMixin

from .patches import PatchGeometry
from .pretrained import open_part
from .vocabulary import PICTURE_END, PICTURE_PAD, PICTURE_START

VIDEO_PAD = "<|video_pad|>"

MOST_PIXELS = 16_777_216
"""Pixels above which the stock processors reduce a picture, as in the published Qwen3-VL folders."""


class _ImageOnly:
    """What both processors share; it precedes the stock class among the bases."""

    tokenizer: Any
    image_processor: Any

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **_: Any
    ) -> None:
        marks = {"image": PICTURE_PAD, "video": VIDEO_PAD, "vision_start": PICTURE_START, "vision_end": PICTURE_END}
        for name, mark in marks.items():
            setattr(self, f"{name}_token", mark)
            setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(mark))
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template or template())

    def save_pretrained(self, save_directory: str | Path, **_: Any) -> list[str]:
        """Write tokenizer, chat template and the stock processors' files; returns their names."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save_pretrained(str(folder))
        pictures = self.image_processor
        geometry = PatchGeometry(
            patch=pictures.patch_size,
            merge=pictures.merge_size,
            temporal=pictures.temporal_patch_size,
            mean=tuple(pictures.image_mean),
            std=tuple(pictures.image_std),
        )
        family = "qwen3_vl" if isinstance(self, Qwen3VLProcessor) else "qwen2_5_vl"
        write_processor_files(folder, family, geometry)
        return sorted(str(path) for path in folder.iterdir() if path.suffix in (".json", ".jinja"))


class ImageOnlyQwen3VL(_ImageOnly, Qwen3VLProcessor):  # type: ignore[misc]
    """Qwen3-VL's processor for text and still pictures."""


class ImageOnlyQwen25VL(_ImageOnly, Qwen2_5_VLProcessor):  # type: ignore[misc]
    """Qwen2.5-VL's processor for text and still pictures."""


_STOCK: Mapping[str, Mapping[str, str]] = {
    "qwen3_vl": {
        "processor_class": "Qwen3VLProcessor",
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "video_processor_type": "Qwen3VLVideoProcessor",
    },
    "qwen2_5_vl": {
        "processor_class": "Qwen2_5_VLProcessor",
        "image_processor_type": "Qwen2VLImageProcessor",
        "video_processor_type": "Qwen2VLVideoProcessor",
    },
}
"""Family -> the names that the published folders have in their processor files."""


def register() -> None:
    """Let AutoProcessor return these processors for folders of the families that name no processor class."""
    AutoProcessor.register(Qwen3VLConfig, ImageOnlyQwen3VL, exist_ok=True)
    AutoProcessor.register(Qwen2_5_VLConfig, ImageOnlyQwen25VL, exist_ok=True)


def template() -> str:
    """Return the chat template that ships: it renders what `agent.wire.render` does."""
    return (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8")


def open_processor(folder: Path, family: str) -> Any:
    """Return the processor of a model folder, with the chat template that ships.

    Raises:
        ConfigError: the folder's tokenizer or processor files cannot be read.
    """
    processors: Mapping[str, Any] = {"qwen3_vl": ImageOnlyQwen3VL, "qwen2_5_vl": ImageOnlyQwen25VL}
    processor = open_part(processors[family], folder, what="the processor")
    processor.chat_template = template()
    return processor


def write_processor_files(folder: Path, family: str, geometry: PatchGeometry) -> None:
    """Write the chat template and the stock processors' files into a model folder, and remove one of our class.

    The limits keep every picture of at least one visual token as it is, so that no server resizes it.

    Args:
        folder: the model's folder.
        family: `qwen3_vl` or `qwen2_5_vl`.
        geometry: how pictures are cut.
    """
    names = _STOCK[family]
    shared = {
        "size": {"shortest_edge": geometry.cell**2, "longest_edge": MOST_PIXELS},
        "patch_size": geometry.patch,
        "temporal_patch_size": geometry.temporal,
        "merge_size": geometry.merge,
        "image_mean": list(geometry.mean),
        "image_std": list(geometry.std),
        "processor_class": names["processor_class"],
    }
    _write(folder / "preprocessor_config.json", shared | {"image_processor_type": names["image_processor_type"]})
    _write(
        folder / "video_preprocessor_config.json", shared | {"video_processor_type": names["video_processor_type"]}
    )
    (folder / "processor_config.json").unlink(missing_ok=True)
    (folder / "chat_template.jinja").write_text(template(), encoding="utf-8")
    tokenizer = folder / "tokenizer_config.json"
    if tokenizer.exists():
        found = json.loads(tokenizer.read_bytes())
        _write(tokenizer, found | {"processor_class": names["processor_class"]})


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

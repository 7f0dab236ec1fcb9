"""Pins what is found out about a model folder without loading a weight, and that each finding says the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.doctor.folders import MARKS, TEMPLATE, write_json, write_model

from vretrver.agent.dialects import dialect_named
from vretrver.doctor.findings import Severity
from vretrver.doctor.model_folder import check_model_folder
from vretrver.doctor.model_pictures import PixelCheck
from vretrver.doctor.model_text import MARKS as WIRE_MARKS

PUBLISHED_3 = {"size": {"shortest_edge": 65536, "longest_edge": 16777216}}
"""Limits in the published Qwen3-VL folders: 64 to 16,384 visual tokens."""


def found(folder: Path, dialect: str = "vretrver") -> dict[str, tuple[Severity, str]]:
    """Return subject -> verdict and sentence."""
    findings = list(check_model_folder(folder, dialect_named(dialect)))
    return {finding.subject: (finding.severity, finding.sentence) for finding in findings}


def test_nothing_is_wrong_with_a_whole_folder_of_either_family(tmp_path: Path) -> None:
    for family, dialect in (("qwen3_vl", "vretrver"), ("qwen2_5_vl", "released")):
        findings = found(write_model(tmp_path / family, family=family), dialect)
        assert {verdict for verdict, _ in findings.values()} == {Severity.OK}, findings
        assert list(findings) == ["model family", "picture sizes", "tokenizer", "chat template", "weights"]
    assert findings["weights"][1] == "0.00 billion parameters in BF16/F32, 0.0 GB in 2 files, all whole"


def test_the_marks_are_those_of_the_wire_form() -> None:
    assert set(WIRE_MARKS) == set(MARKS)


def test_thumbnails_below_the_published_limit_would_be_enlarged_and_the_flag_is_given(tmp_path: Path) -> None:
    verdict, sentence = found(write_model(tmp_path, sizes=PUBLISHED_3))["picture sizes"]
    assert verdict is Severity.WARNING
    assert "what is shown as candidate: 288 x 224 becomes 320 x 256, 80 tokens for 63" in sentence
    assert '--mm-processor-kwargs \'{"size": {"shortest_edge": 1024, "longest_edge": 16777216}}\'' in sentence


def test_the_flag_that_is_given_keeps_every_size(tmp_path: Path) -> None:
    _, sentence = found(write_model(tmp_path, sizes=PUBLISHED_3))["picture sizes"]
    limits = json.loads(sentence.split("--mm-processor-kwargs '")[1].rstrip("'"))
    assert found(write_model(tmp_path, sizes=limits))["picture sizes"][0] is Severity.OK


def test_a_dialect_for_another_cell_is_warned_of(tmp_path: Path) -> None:
    verdict, sentence = found(write_model(tmp_path, family="qwen2_5_vl"))["picture sizes"]
    assert verdict is Severity.WARNING
    assert "in cells of 32 px and the model reads 28 px" in sentence
    assert "--dialect released" in sentence
    verdict, sentence = found(write_model(tmp_path / "3"), "released")["picture sizes"]
    assert (verdict, "--dialect" in sentence) == (Severity.WARNING, False)


@pytest.mark.parametrize(
    ("size", "becomes"),
    [((256, 256), (256, 256)), ((320, 192), (352, 224)), ((96, 96), (256, 256)), ((5120, 5120), (4096, 4096))],
)
def test_sizes_are_changed_as_the_qwen_preprocessor_changes_them(
    size: tuple[int, int], becomes: tuple[int, int]
) -> None:
    pixels = PixelCheck.read({"patch_size": 16, "merge_size": 2, **PUBLISHED_3})
    assert pixels.resized(size) == becomes
    assert pixels.keeps(size) is (size == becomes)


def change(name: str, **fields: Any) -> Callable[[Path], None]:
    """Return what changes fields of a JSON file; None removes one."""

    def apply(folder: Path) -> None:
        value = json.loads((folder / name).read_text()) | fields
        write_json(folder / name, {key: item for key, item in value.items() if item is not None})

    return apply


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def text(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content) and None  # type: ignore[func-returns-value]


THINKING = TEMPLATE + "{% set content = content.split('</think>')[-1] %}"
CHANGED: dict[str, tuple[Callable[[Path], None], str, Severity, str]] = {
    "no config": (remove("config.json"), "model folder", Severity.WRONG, "config.json: the file is missing"),
    "broken config": (text("config.json", "{"), "model folder", Severity.WRONG, "not a JSON file that can be read"),
    "list config": (text("config.json", "[]"), "model folder", Severity.WRONG, "not a JSON object"),
    "another family": (change("config.json", model_type="llava"), "model family", Severity.WRONG, "is a llava"),
    "no preprocessor": (remove("preprocessor_config.json"), "preprocessor", Severity.WRONG, "the file is missing"),
    "other cell": (
        change("preprocessor_config.json", patch_size=14), "preprocessor", Severity.WRONG, "makes cells of 28 px",
    ),
    "no numbers": (
        change("preprocessor_config.json", min_pixels="many"), "model folder", Severity.WRONG, "not whole numbers",
    ),
    "no tokenizer": (remove("tokenizer.json"), "tokenizer", Severity.WRONG, "neither tokenizer.json nor vocab.json"),
    "other tokenizer": (
        change("tokenizer.json", added_tokens=[{"id": 4, "content": "<|im_start|>"}]), "tokenizer", Severity.WRONG,
        "does not know <|im_end|>, <|vision_start|>, <|image_pad|>, <|vision_end|>",
    ),
    "other ids": (change("config.json", image_token_id=9), "tokenizer", Severity.WRONG, "<|image_pad|> is 8 in the"),
    "broken tokenizer": (text("tokenizer.json", "{"), "model folder", Severity.WRONG, "files cannot be read"),
    "no template": (remove("tokenizer_config.json"), "chat template", Severity.WRONG, "none, servers refuse chats"),
    "other template": (
        text("chat_template.jinja", "[INST] {{ content }}"), "chat template", Severity.WARNING, "not write the marks",
    ),
    "thinking template": (
        change("tokenizer_config.json", chat_template=THINKING), "chat template", Severity.WARNING,
        "use the Instruct",
    ),
    "named templates": (
        change("tokenizer_config.json", chat_template=[{"name": "default", "template": TEMPLATE}]), "chat template",
        Severity.OK, "leaves earlier turns alone",
    ),
    "no weights": (remove("model-1.safetensors"), "weights", Severity.WRONG, "the weight file is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_wrong_is_said_in_one_sentence(name: str, tmp_path: Path) -> None:
    apply, subject, verdict, words = CHANGED[name]
    apply(write_model(tmp_path))
    assert found(tmp_path)[subject][0] is verdict
    assert words in found(tmp_path)[subject][1]
    assert "\n" not in found(tmp_path)[subject][1]


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    assert "no such folder" in found(tmp_path / "gone")["model folder"][1]
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    assert "checked through its server" in found(tmp_path / "model.gguf")["model folder"][1]
    write_json(tmp_path / "adapter_config.json", {})
    assert "holds an adapter only" in found(tmp_path)["model folder"][1]

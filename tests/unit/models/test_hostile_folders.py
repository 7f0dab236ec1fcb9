"""Pins that no code of a model folder runs and nobody is asked: with a `y` on standard input, for every loader."""

from __future__ import annotations

import ast
import io
import json
import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tiny_clip import PLACES, clip_folder
from tests.tiny_models import folder_of

import vretrver
from vretrver.errors import ConfigError
from vretrver.images import ImageStore
from vretrver.models import pretrained
from vretrver.models.loading import load_model
from vretrver.models.processor import open_processor
from vretrver.retrieval.encoders import encoder_named

SOURCE = Path(vretrver.__file__).parent

CODE = """
from pathlib import Path
from transformers import *
Path(__file__).with_name("ran").touch()
Path({marker!r}).touch()
class Evil:
    pass
"""

AUTO_MAP = {
    f"Auto{name}": "evil.Evil"
    for name in ("Config", "Model", "Processor", "ImageProcessor", "VideoProcessor", "FeatureExtractor")
} | {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}

CONFIGS = (
    "config.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
)
UNKNOWN = {
    "tokenizer_config.json": "tokenizer_class",
    "preprocessor_config.json": "image_processor_type",
    "processor_config.json": "processor_class",
    "video_preprocessor_config.json": "video_processor_type",
}


def _local(folder: Path) -> Any:
    return load_model(folder, device="cpu")


def _encoder(layout: str) -> Callable[[Path], Any]:
    return lambda folder: encoder_named(f"{layout}:{folder}", ImageStore({"": folder}), device="cpu")


LOADERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "local": ("qwen3_vl", _local),
    "local, of Qwen2.5-VL": ("qwen2_5_vl", _local),
    "a processor": ("qwen3_vl", lambda folder: open_processor(folder, "qwen3_vl")),
    "lamra": ("qwen3_vl", _encoder("lamra")),
    "qwen3vl_embedding": ("qwen3_vl", _encoder("qwen3vl_embedding")),
    "clip": ("clip", _encoder("clip")),
    "clip, of SigLIP": ("siglip", _encoder("clip")),
    "clip, of SigLIP 2": ("siglip2", _encoder("clip")),
}


class Stdin(io.StringIO):
    """Says yes to whatever is asked."""

    def __init__(self) -> None:
        super().__init__("y\n" * 50)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Stdin:
    told = Stdin()
    monkeypatch.setattr("sys.stdin", told)
    return told


def _copy(family: str, place: Path) -> Path:
    source = clip_folder(family) if family in PLACES else folder_of(family)
    folder = Path(shutil.copytree(source, place / "model"))
    (folder / "evil.py").write_text(CODE.format(marker=str(place / "ran")))
    return folder


def _add(path: Path, **more: object) -> None:
    found = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(found | more))


def _nothing_ran(place: Path, stdin: Stdin) -> None:
    assert not list(place.rglob("ran"))
    assert stdin.tell() == 0, "somebody read standard input"


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("loader", LOADERS)
def test_a_folder_that_names_code_is_refused_before_it_is_loaded(
    tmp_path: Path, stdin: Stdin, loader: str, name: str
) -> None:
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    _add(folder / name, auto_map=AUTO_MAP)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"{folder / name}: auto_map names code of the folder, and no code of a folder is run; use a folder whose "
        "model the library knows, and remove the key"
    )
    _nothing_ran(tmp_path, stdin)


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("loader", LOADERS)
def test_a_folder_that_names_an_unknown_class_is_refused(
    tmp_path: Path, stdin: Stdin, loader: str, name: str
) -> None:
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    _add(folder / name, **{UNKNOWN[name]: "Evil"})
    with pytest.raises(ConfigError, match=rf"{name}: {UNKNOWN[name]} is 'Evil', which is not one of the classes"):
        load(folder)
    _nothing_ran(tmp_path, stdin)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("loader", LOADERS)
def test_nobody_is_asked_even_where_nothing_is_looked_through(
    tmp_path: Path, stdin: Stdin, loader: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flags alone suffice: the files are handed to the library as they are."""
    for module in ("models.pretrained", "models.folder", "retrieval.layouts.clip"):
        monkeypatch.setattr(f"vretrver.{module}.vet_folder", str)
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    _add(folder / name, auto_map=AUTO_MAP, **({UNKNOWN[name]: "Evil"} if name in UNKNOWN else {}))
    with suppress(ConfigError):  # some of these files are not read at all
        load(folder)
    _nothing_ran(tmp_path, stdin)


def test_code_named_deep_inside_is_found(tmp_path: Path, stdin: Stdin) -> None:
    folder = _copy("clip", tmp_path)
    _add(folder / "processor_config.json", parts=[{"image_processor": {"auto_map": AUTO_MAP}}])
    with pytest.raises(ConfigError, match="auto_map names code of the folder"):
        _encoder("clip")(folder)
    _nothing_ran(tmp_path, stdin)


@pytest.mark.parametrize("part", ["text_config", "vision_config"])
@pytest.mark.parametrize("loader", ["local", "lamra", "clip"])
def test_a_part_of_another_model_is_refused(tmp_path: Path, loader: str, part: str) -> None:
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    found = json.loads((folder / "config.json").read_text())
    found[part]["model_type"] = "evil"
    (folder / "config.json").write_text(json.dumps(found))
    with pytest.raises(ConfigError, match=rf"config\.json: {part} is of 'evil' in a {family} model"):
        load(folder)


def test_an_adapter_that_names_a_model_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = _copy("clip", tmp_path)
    _add(folder / "adapter_config.json", base_model_name_or_path=str(tmp_path / "elsewhere"))
    with pytest.raises(ConfigError, match="holds an adapter, which names a model elsewhere"):
        _encoder("clip")(folder)


class Marker:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl"])
@pytest.mark.parametrize("loader", ["local", "lamra", "clip"])
def test_pickled_weights_are_refused(tmp_path: Path, loader: str, name: str) -> None:
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Marker(tmp_path / "ran")))
    with pytest.raises(ConfigError, match=f"{name} is pickled, which can run code and is never opened"):
        load(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("loader", ["local", "lamra", "clip"])
def test_pickled_copies_beside_safetensors_are_not_opened(tmp_path: Path, loader: str) -> None:
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Marker(tmp_path / "ran")))
    torch.save({}, folder / "model.pt")
    load(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("shard", ["pytorch_model.bin", "../x.safetensors", "/x.safetensors", "a\\b.safetensors", 7])
@pytest.mark.parametrize("loader", ["local", "lamra", "clip"])
def test_an_index_of_weights_names_safetensors_of_its_folder_only(tmp_path: Path, loader: str, shard: object) -> None:
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}, "metadata": {}}))
    with pytest.raises(ConfigError, match=r"index\.json: names .*, not a safetensors file of this folder"):
        load(folder)


def test_a_configuration_cannot_name_its_weights(tmp_path: Path) -> None:
    folder = _copy("clip", tmp_path)
    _add(folder / "config.json", transformers_weights="pytorch_model.bin")
    with pytest.raises(ConfigError, match="names its weights in transformers_weights; remove the key"):
        _encoder("clip")(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5_000, '{"a": ' * 50_000, "\x00", '{"a":\ud800}', "[]"])
@pytest.mark.parametrize("loader", ["local", "lamra", "clip"])
def test_a_file_that_is_no_configuration_is_one_sentence(tmp_path: Path, loader: str, text: str) -> None:
    family, load = LOADERS[loader]
    folder = _copy(family, tmp_path)
    (folder / "config.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError, match=r"config\.json: not a JSON (file|object)") as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def _calls(path: Path, *names: str) -> list[tuple[str, dict[str | None, str]]]:
    """Return the calls of functions with such names in a file: (name, keyword -> its source)."""
    return [
        (ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords})
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(names)
    ]


def test_every_loading_call_of_the_package_has_the_flags() -> None:
    loading = {path: _calls(path, ".from_pretrained") for path in SOURCE.rglob("*.py")}
    (place, calls) = next((path, calls) for path, calls in loading.items() if calls)
    assert sum(map(len, loading.values())) == 1, "only models/pretrained.py reads a model folder through transformers"
    assert place == Path(pretrained.__file__)
    assert calls[0][1]["trust_remote_code"] == "False"
    assert calls[0][1]["local_files_only"] == "True"
    assert '"use_safetensors": True' in place.read_text()


@pytest.mark.parametrize(
    ("name", "flag", "value"), [("torch.load", "weights_only", "True"), ("np.load", "allow_pickle", "False")]
)
def test_no_file_is_unpickled(name: str, flag: str, value: str) -> None:
    calls = [call for path in SOURCE.rglob("*.py") for call in _calls(path, name)]
    assert calls
    assert all(words.get(flag) == value for _, words in calls)
    assert not [call for path in SOURCE.rglob("*.py") for call in _calls(path, "pickle.load", "pickle.loads")]

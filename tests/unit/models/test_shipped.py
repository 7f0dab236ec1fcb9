"""Pins the models that lie in the package: whole folders in hub layout, small, packaged, and said when missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from vretrver.doctor.weights import read_weights
from vretrver.errors import ConfigError
from vretrver.images import ImageStore
from vretrver.models import shipped
from vretrver.models.agent_recipe import agent_recipe_of
from vretrver.models.shipped import AGENT, ENCODER, shipped_folder
from vretrver.policies.named import model_folder, policy_named
from vretrver.retrieval.encoders import encoder_named, lasting_name
from vretrver.world.tiny.views import VIEWS

ROOT = Path(__file__).parents[3]
FILES = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "preprocessor_config.json",
    "video_preprocessor_config.json", "model.safetensors",
)  # fmt: skip


@pytest.mark.parametrize("name", [AGENT, ENCODER])
def test_a_shipped_folder_is_whole_and_in_hub_layout(name: str) -> None:
    folder = shipped_folder(name)
    for file in FILES:
        assert (folder / file).is_file(), file
    assert read_weights(folder).dtypes == ("BF16",)


def test_both_are_small_enough_for_a_package() -> None:
    files = [path for name in (AGENT, ENCODER) for path in shipped_folder(name).iterdir()]
    assert sum(path.stat().st_size for path in files) < 30_000_000


def test_a_wheel_holds_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(ZipFile(wheel).namelist())
    for folder in (shipped_folder(AGENT), shipped_folder(ENCODER)):
        assert {path.relative_to(ROOT / "src").as_posix() for path in folder.iterdir()} <= names
    assert {"vretrver/py.typed", "vretrver/models/chat_template.jinja", "vretrver/report/base.css"} <= names
    assert not [name for name in names if name.startswith(("tests/", "measure/")) or "__pycache__" in name]


def test_the_agent_says_what_it_was_trained_with() -> None:
    recipe = agent_recipe_of(shipped_folder(AGENT))
    assert recipe is not None
    assert (recipe.dialect, recipe.views) == ("vretrver", VIEWS)


def test_they_are_named_as_policy_and_encoder(tmp_path: Path) -> None:
    assert model_folder("shipped") == shipped_folder(AGENT)
    assert model_folder("local:x") == Path("x")
    assert model_folder("first-k") is None
    assert policy_named("shipped").fingerprint.startswith("local:qwen3_vl agent@")
    store = ImageStore({"": tmp_path})
    named = encoder_named(f"lamra:{shipped_folder(ENCODER)}", store)
    assert encoder_named("shipped", store).fingerprint == named.fingerprint
    assert lasting_name("shipped") == "shipped"


def test_a_copy_without_them_says_so_and_what_they_are_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "models" / "shipped.py"))
    with pytest.raises(ConfigError, match=r"shipped agent is not there \(config.json is missing\).*`make models`"):
        policy_named("shipped")
    with pytest.raises(ConfigError, match="for the demonstration on the drawn catalogue"):
        encoder_named("shipped", ImageStore({"": tmp_path}))


def test_naming_them_loads_no_torch() -> None:
    code = (
        "import sys; from vretrver.policies.named import model_folder; model_folder('shipped'); "
        "print(sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Models of a hub by id, against a hub of our own: what is asked, taken, checked, kept and said."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stub_hub import StubHub, files_of, use
from tests.tiny_clip import clip_folder

from vretrver.errors import ConfigError, ServiceError, StorageError
from vretrver.models import hub as hubs
from vretrver.models.hub import folder_at, lasting_place, size_text
from vretrver.models.hub_id import HubId, hub_id_of, name_of
from vretrver.models.vetting import vet_folder

NAME = "acme/tiny"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubHub]:
    with StubHub() as stub:
        use(stub, cache, monkeypatch)
        stub.model(NAME, files_of(clip_folder("clip")))
        yield stub


@pytest.fixture
def said() -> list[str]:
    return []


def again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new process knows: nothing but the cache."""
    monkeypatch.setattr(hubs, "_FOUND", {})


@pytest.mark.parametrize(
    ("place", "model"),
    [
        ("openai/clip-vit-base-patch32", HubId(name="openai/clip-vit-base-patch32")),
        ("Qwen/Qwen3-VL-2B-Instruct@main", HubId(name="Qwen/Qwen3-VL-2B-Instruct", revision="main")),
        ("a/b@refs/pr/7", HubId(name="a/b", revision="refs/pr/7")),
        ("/a/b", None),
        ("./a/b", None),
        ("../b", None),
        ("a", None),
        ("a/b/c", None),
        ("a/b@", None),
        ("a/b@../../x", None),
        ("a--b/c", None),
        ("a/b.git", None),
        ("a/b c", None),
        ("http://a/b", None),
        ("a/" + "b" * 97, None),
        ("x" * 70_000, None),
        ("a/b@" + "c" * 300, None),
        ("a/" + "b" * 96 + "@" + "c" * 250, HubId(name="a/" + "b" * 96, revision="c" * 250)),
        ("a/b\0", None),
    ],
)
def test_an_id_has_an_owner_and_a_name_and_perhaps_a_revision(place: str, model: HubId | None) -> None:
    assert hub_id_of(place) == model


def test_a_folder_that_exists_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert hub_id_of(NAME) is None
    assert folder_at(NAME) == Path(NAME)
    assert lasting_place(NAME) == str(tmp_path / "acme" / "tiny")


def test_what_is_neither_is_one_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        folder_at("models/clip/base")
    assert str(caught.value) == (
        "models/clip/base: no such folder; name a folder on this machine, or a model of the hub as owner/name or "
        "owner/name@revision"
    )


def test_a_model_is_said_and_taken_and_then_found_without_the_hub(
    hub: StubHub, cache: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.models[NAME].refs["main"]
    folder = folder_at(NAME, note=said.append)
    size = sum(map(len, files_of(clip_folder("clip")).values()))
    assert said == [f"downloading {size_text(size)} of {NAME} at {commit[:7]} (licence mit) into {cache}"]
    assert folder == cache / "models--acme--tiny" / "snapshots" / commit
    assert files_of(folder) == files_of(clip_folder("clip"))
    assert name_of(folder) == lasting_place(NAME) == f"{NAME}@{commit}"
    asked = len(hub.seen)
    assert folder_at(NAME, note=said.append) == folder
    assert len(hub.seen) == asked, "the commit is looked up once per process"
    again(monkeypatch)
    assert folder_at(f"{NAME}@{commit}", note=said.append) == folder
    assert len(hub.seen) == asked, "a commit names the same files forever"
    assert folder_at(NAME, note=said.append) == folder
    assert hub.seen[asked:] == [("GET", f"/api/models/{NAME}/revision/main")]
    assert len(said) == 1


def test_weights_come_last_and_code_and_pickles_never(hub: StubHub) -> None:
    extra = dict.fromkeys(
        ("model.py", "pytorch_model.bin", "a.pt", "b.pickle", "onnx/config.json", "README.md"), b"x"
    )
    hub.model(NAME, {**files_of(clip_folder("clip")), **extra, "vocab.txt": b"a\n", "spiece.model": b"\0"})
    folder = folder_at(NAME)
    assert hub.downloads()[-1] == "model.safetensors"
    assert {path.name for path in folder.iterdir()} == {*files_of(clip_folder("clip")), "vocab.txt", "spiece.model"}


def test_a_revision_is_a_branch_a_tag_or_a_commit(hub: StubHub) -> None:
    files = files_of(clip_folder("clip"))
    old = hub.models[NAME].refs["main"]
    new = hub.models[NAME].push({**files, "merges.txt": b"v2"}, ref="v2")
    proposed = hub.models[NAME].push({**files, "merges.txt": b"v3"}, ref="refs/pr/3")
    assert lasting_place(f"{NAME}@refs/pr/3") == f"{NAME}@{proposed}"
    assert lasting_place(NAME) == f"{NAME}@{old}"
    assert lasting_place(f"{NAME}@v2") == f"{NAME}@{new}"
    assert folder_at(f"{NAME}@{old}").name == old
    with pytest.raises(ServiceError, match=rf"^{NAME} has no revision 'v9' at {hub.url}; name a branch, a tag or a"):
        folder_at(f"{NAME}@v9")


def test_a_model_that_will_not_be_opened_is_refused_before_its_weights_are_taken(hub: StubHub) -> None:
    hub.model("acme/code", {**files_of(clip_folder("clip")), "config.json": b'{"auto_map": {"AutoModel": "m.M"}}'})
    with pytest.raises(ConfigError, match="auto_map names code of the folder, and no code of a folder is run"):
        folder_at("acme/code")
    assert "model.safetensors" not in hub.downloads()


@pytest.mark.parametrize(
    ("drop", "add", "sentence"),
    [
        ("model.safetensors", "pytorch_model.bin", r"has no model\.safetensors .* \(pickles can run code\); name"),
        ("config.json", "open_clip_config.json", r"has no config\.json, so it is no model in the layout"),
    ],
)
def test_a_model_in_another_form_is_refused_before_anything_is_taken(
    hub: StubHub, drop: str, add: str, sentence: str
) -> None:
    files = files_of(clip_folder("clip"))
    hub.model(NAME, {**{name: data for name, data in files.items() if name != drop}, add: b"{}"})
    with pytest.raises(ConfigError, match=f"^{NAME} {sentence}"):
        folder_at(NAME)
    assert hub.downloads() == []


def test_shards_are_those_that_the_index_names(hub: StubHub) -> None:
    files = files_of(clip_folder("clip"))
    weights = files.pop("model.safetensors")
    files["model.safetensors.index.json"] = b'{"weight_map": {"a": "model-00001-of-00001.safetensors"}}'
    hub.model(NAME, {**files, "model-00001-of-00001.safetensors": weights, "other.safetensors": b"x"})
    assert {path.name for path in folder_at(NAME).glob("*.safetensors")} == {"model-00001-of-00001.safetensors"}
    files["model.safetensors.index.json"] = b'{"weight_map": {"a": "../../x.safetensors"}}'
    hub.model("acme/odd", {**files, "model-00001-of-00001.safetensors": weights})
    with pytest.raises(ConfigError, match=r"names '\.\./\.\./x\.safetensors', which the model does not have"):
        folder_at("acme/odd")


@pytest.mark.parametrize("variable", hubs.OFFLINE)
def test_offline_the_cache_is_enough_and_what_it_lacks_is_one_sentence(
    hub: StubHub, cache: Path, said: list[str], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_at(NAME, note=said.append)
    asked = len(hub.seen)
    again(monkeypatch)
    monkeypatch.setenv(variable, "1")
    assert folder_at(NAME, note=said.append) == folder
    with pytest.raises(ServiceError) as caught:
        folder_at("acme/other", note=said.append)
    assert str(caught.value) == (
        f"acme/other is not in {cache}, or not whole, and {variable} forbids to ask the hub; unset it to download "
        "the model, or name a folder on this machine"
    )
    (folder / "model.safetensors").unlink()
    again(monkeypatch)
    with pytest.raises(ServiceError, match="or not whole, and"):
        folder_at(NAME, note=said.append)
    assert len(hub.seen) == asked


def test_a_hub_that_is_not_there_is_said_and_the_cache_used(
    hub: StubHub, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_at(NAME)
    again(monkeypatch)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert folder_at(NAME, note=said.append) == folder
    assert said == [f"http://127.0.0.1:9 cannot be reached; {name_of(folder)} is taken from the cache"]
    with pytest.raises(
        ServiceError, match=r"^http://127\.0\.0\.1:9 cannot be reached for acme/other \(ConnectError\)"
    ):
        folder_at("acme/other")


def test_a_model_that_is_not_there_is_one_sentence(hub: StubHub) -> None:
    with pytest.raises(ServiceError) as caught:
        folder_at("models/LamRA-Ret")
    assert str(caught.value) == (
        f"models/LamRA-Ret is no folder on this machine and no model that {hub.url} shows (401); correct the name, "
        "or, where the model is private, set HF_TOKEN"
    )


def test_a_gated_model_needs_a_token_which_is_never_shown(
    hub: StubHub, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.models[NAME].gated = True
    with pytest.raises(ServiceError) as caught:
        folder_at(NAME)
    assert str(caught.value) == (
        f"{NAME} is gated (403): accept its conditions at {hub.url}/{NAME}, then set HF_TOKEN to a token of yours"
    )
    assert set(hub.tokens) == {None}
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    folder_at(NAME, note=said.append)
    assert hub.tokens[-1] == "Bearer hf_secret"
    assert "hf_secret" not in " ".join(said)


def test_a_hub_out_of_order_is_one_sentence(hub: StubHub) -> None:
    hub.down = True
    with pytest.raises(ServiceError, match=rf"^{hub.url} answered 503 for {NAME}: .*; try later$") as caught:
        folder_at(NAME)
    assert "\n" not in str(caught.value)


def test_a_download_that_broke_off_goes_on(hub: StubHub, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.cut["model.safetensors"] = 1000
    folder_at(NAME, note=said.append)
    assert hub.downloads().count("model.safetensors") == 2, "the rest was asked for, in the same run"
    hub.model("acme/other", {**files_of(clip_folder("clip")), "merges.txt": b"other"})
    hub.cut["model.safetensors"] = -1
    with pytest.raises(ServiceError, match="acme/other"):
        folder_at("acme/other", note=said.append)
    before = len(hub.downloads())
    hub.cut.clear()
    folder_at("acme/other", note=said.append)
    assert hub.downloads()[before:] == ["model.safetensors"], "what arrived whole is kept"
    assert said[-1].startswith(f"downloading {size_text(len(files_of(clip_folder('clip'))['model.safetensors']))} of")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_bytes_that_were_changed_on_the_way_are_not_kept(hub: StubHub, name: str) -> None:
    hub.changed.add(name)
    with pytest.raises(ServiceError, match=f"{name} arrived with other bytes than the hub states and was removed"):
        folder_at(NAME)
    hub.changed.clear()
    assert files_of(folder_at(NAME)) == files_of(clip_folder("clip"))


def test_a_full_disk_is_said_before_anything_is_taken(
    hub: StubHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 7))
    with pytest.raises(
        StorageError, match=rf"^{NAME} needs .* kB and {cache} has 7 bytes free; free space, or set HF"
    ):
        folder_at(NAME)
    assert hub.downloads() == []


def test_a_link_out_of_the_cache_is_refused(hub: StubHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_at(NAME)
    (tmp_path / "private.json").write_text("{}")
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to(tmp_path / "private.json")
    for place in (NAME, f"{NAME}@{folder.name}"):
        again(monkeypatch)
        with pytest.raises(ConfigError, match=r"config\.json: is a link that leads out of the cache"):
            folder_at(place)


def test_files_that_others_left_in_the_cache_are_vetted(hub: StubHub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_at(NAME)
    (folder / "processor_config.json").write_text('{"auto_map": {"AutoProcessor": "evil.Evil"}}')
    again(monkeypatch)
    with pytest.raises(ConfigError, match=r"processor_config\.json: auto_map names code"):
        folder_at(NAME, fits=vet_folder)


def test_sizes_are_said_as_people_say_them() -> None:
    assert [size_text(size) for size in (7, 1234, 605_200_000, 4_255_140_312)] == [
        "7 bytes",
        "1.23 kB",
        "605 MB",
        "4.26 GB",
    ]

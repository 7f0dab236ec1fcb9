"""Pins what is said of a model of the hub: what its first use downloads, and, once it is here, its folder's state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stub_hub import StubHub, files_of, use
from tests.tiny_models import folder_of

from vretrver.agent.dialects import dialect_named
from vretrver.doctor.findings import Severity
from vretrver.doctor.hub_model import check_hub_model
from vretrver.models.hub import folder_at
from vretrver.models.hub_id import HubId

MODEL = HubId(name="acme/agent")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubHub]:
    with StubHub() as stub:
        use(stub, tmp_path / "cache", monkeypatch)
        stub.model("acme/agent", files_of(folder_of("qwen3_vl")), licence="apache-2.0")
        yield stub


def test_what_is_not_here_is_weighed_and_not_downloaded(hub: StubHub, tmp_path: Path) -> None:
    (said,) = check_hub_model(MODEL, dialect_named("vretrver"))
    commit = hub.models["acme/agent"].refs["main"]
    assert said.severity is Severity.NOTE
    assert f"acme/agent@{commit} (licence apache-2.0) is not in the cache; its first use downloads " in said.sentence
    assert said.sentence.endswith(f" into {tmp_path / 'cache'}, and its files can be checked then")
    assert hub.downloads() == []


def test_what_is_here_is_checked_as_a_folder(hub: StubHub, tmp_path: Path) -> None:
    folder = folder_at("acme/agent")
    first, family, *_ = check_hub_model(MODEL, dialect_named("vretrver"))
    assert first.sentence == f"acme/agent@{folder.name} is in the cache {tmp_path / 'cache'}"
    assert family.sentence.startswith("qwen3_vl, as ")


def test_what_the_hub_does_not_have_is_wrong(hub: StubHub) -> None:
    (said,) = check_hub_model(HubId(name="acme/gone"), dialect_named("vretrver"))
    assert said.severity is Severity.WRONG
    assert said.sentence.startswith("acme/gone is no folder on this machine and no model that http://127.0.0.1:")

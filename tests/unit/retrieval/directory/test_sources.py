"""Pins what a manifest says of its sources: read back as written, absent in old ones, refused where hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vretrver.errors import DataError
from vretrver.retrieval.directory.manifest import Manifest, manifest_from_json
from vretrver.retrieval.directory.sources import ColumnsRecord, SourceRecord

COLUMNS = ColumnsRecord(id="sku", text=("title",), metadata=(("price", "float"), ("shop", None)))
TABLE = SourceRecord(path="../goods.csv", kind="table", root="../photos", named={"x": "../y"}, columns=COLUMNS)
FOLDER = SourceRecord(path="../two", kind="folder", key="two", max_mb=100)


def stored(**values: Any) -> str:
    manifest = Manifest(fingerprint="f", dimension=3, sources=(TABLE, FOLDER))
    value = json.loads(manifest.to_json())
    value["sources"][1] |= values
    return json.dumps(value)


def test_sources_are_read_back_as_they_were() -> None:
    assert manifest_from_json(stored(), where=Path("idx")).sources == (TABLE, FOLDER)
    old = json.loads(stored())
    del old["sources"]
    assert manifest_from_json(json.dumps(old), where=Path("idx")).sources == ()


def test_a_source_knows_its_ids_and_roots() -> None:
    assert [FOLDER.has_named(did) for did in ("two/a.png", "two", "two#page=1", "twofold/a.png", "a.png")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert not TABLE.has_named("two/a.png")
    assert (FOLDER.root_names, TABLE.root_names) == (frozenset({"two/"}), frozenset({"", "x/"}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": 3}, "the paths of a source are not texts"),
        ({"path": "a\0b"}, "the paths of a source are not texts"),
        ({"kind": "device"}, "a source is of kind 'device'"),
        ({"key": "../up"}, "the key of a source is '../up'"),
        ({"key": ""}, "2 sources, or two of one key"),
        ({"max_mb": True}, "a source's limit is 'True' MiB"),
        ({"named": []}, "damaged"),
        ({"columns": {"id": "a", "text": [], "image": [], "metadata": [["a", "code"]]}}, "has a type there is not"),
        ({"columns": {"id": "a"}}, "damaged"),
        ({"root": {"a": 1}}, "the paths of a source are not texts"),
    ],
)
def test_a_strangers_source_is_checked(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match="the manifest is damaged") as caught:
        manifest_from_json(stored(**values), where=Path("idx"))
    assert message in str(caught.value)

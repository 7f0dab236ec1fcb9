"""Pins what `index_sources` takes as its sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from vretrver.assembly.indexing import index_sources
from vretrver.errors import DataError


@pytest.mark.parametrize("kind", [str, Path])
def test_one_source_needs_no_list(tmp_path: Path, kind: type[str] | type[Path]) -> None:
    (tmp_path / "letters").mkdir()
    Image.new("RGB", (40, 40), "red").save(tmp_path / "letters" / "red.png")
    assert index_sources(tmp_path / "idx", kind(tmp_path / "letters")).items.encoded == 1


def test_one_source_that_is_not_there_is_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^letters: no such folder or file; name a folder of pictures, a document"):
        index_sources("x.index", "letters")

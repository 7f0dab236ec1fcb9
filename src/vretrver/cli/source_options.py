"""What the options of `vretrver index` say of its sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .columns import roots_of

if TYPE_CHECKING:
    from ..assembly.indexing import IndexOptions


def source_options(
    sources: Sequence[Path],
    out: Path,
    *,
    id_column: str | None,
    text_columns: str | None,
    image_columns: str | None,
    metadata_columns: str | None,
    root: list[str] | None,
    max_mb: int | None,
    moved: bool,
) -> IndexOptions:
    """Return what the options of the command say; a column that is not named is the one that the index remembers.

    Args:
        sources: the sources that are named; none means those that the index remembers.
        out: the index directory.
        id_column: as `--id-column`.
        text_columns: as `--text-columns`.
        image_columns: as `--image-columns`.
        metadata_columns: as `--metadata-columns`.
        root: as `--root`.
        max_mb: as `--max-mb`.
        moved: as `--moved`.

    Raises:
        ConfigError: the options do not go together, or say something of sources that are not named.
        DataError: the index is damaged.
    """
    from ..assembly.indexing import IndexOptions, known_manifest
    from ..assembly.opened_sources import columns_of
    from ..assembly.sources import kind_of
    from ..data.sources.columns import columns_from

    manifest = known_manifest(out)
    if not sources:
        values = {
            "id-column": id_column, "text-columns": text_columns, "image-columns": image_columns,
            "metadata-columns": metadata_columns, "root": root, "max-mb": max_mb, "moved": moved,
        }  # fmt: skip
        given = next((name for name, value in values.items() if value), None)
        if given is not None and manifest is not None:
            raise ConfigError(f"--{given} is of a source; name the SOURCE too")
        return IndexOptions()
    tables = () if manifest is None or kind_of(sources[0]) != "table" else manifest.sources
    columns = columns_from(
        id_column=id_column,
        text=text_columns,
        image=image_columns,
        metadata=metadata_columns,
        remembered=columns_of(next((one.columns for one in tables if one.columns is not None), None)),
    )
    base, named = roots_of(root)
    return IndexOptions(columns=columns, root=base, named_roots=named, max_mb=max_mb, moved=moved)

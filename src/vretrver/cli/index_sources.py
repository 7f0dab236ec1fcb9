"""Which sources `vretrver index` reads: those that are named, or those that the index remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .columns import roots_of
from .output import note

if TYPE_CHECKING:
    from ..assembly.sources import SourcePlan
    from ..retrieval.directory.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What the options of the command say of the sources."""

    id_column: str | None = None
    """As `--id-column`."""
    text_columns: str | None = None
    """As `--text-columns`."""
    image_columns: str | None = None
    """As `--image-columns`."""
    metadata_columns: str | None = None
    """As `--metadata-columns`."""
    root: list[str] | None = None
    """As `--root`."""
    max_mb: int | None = None
    """As `--max-mb`."""
    moved: bool = False
    """As `--moved`."""

    @property
    def given(self) -> Mapping[str, object]:
        """Option -> what was given, for those that were."""
        values = {
            "id-column": self.id_column, "text-columns": self.text_columns, "image-columns": self.image_columns,
            "metadata-columns": self.metadata_columns, "root": self.root, "max-mb": self.max_mb, "moved": self.moved,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value}


def plan_of(
    paths: Sequence[Path], out: Path, manifest: Manifest | None, options: SourceOptions, *, trust: bool
) -> SourcePlan:
    """Return what a run reads.

    Args:
        paths: the sources that are named; none takes those that the index remembers.
        out: the index directory.
        manifest: its manifest; None where there is no index yet.
        options: what is said of the sources.
        trust: whether the index may read what it remembers, wherever that is.

    Raises:
        ConfigError: there is nothing to read, or the options do not go together.
        DataError: a source is not there.
    """
    from ..assembly.opened_sources import columns_of
    from ..assembly.sources import kind_of, plan_named, plan_remembered
    from ..data.sources.columns import columns_from

    if not paths:
        if manifest is None:
            raise ConfigError(f"{out}: there is no index, so it remembers no sources; name a SOURCE")
        if options.given:
            raise ConfigError(f"--{next(iter(options.given))} is of a source; name the SOURCE too")
        return plan_remembered(out, manifest, trust=trust, note=note)
    tables = () if manifest is None or kind_of(paths[0]) != "table" else manifest.sources
    columns = columns_from(
        id_column=options.id_column,
        text=options.text_columns,
        image=options.image_columns,
        metadata=options.metadata_columns,
        remembered=columns_of(next((one.columns for one in tables if one.columns is not None), None)),
    )
    base, named = roots_of(options.root)
    return plan_named(
        paths,
        out,
        manifest,
        columns=columns,
        root=base,
        named=named,
        max_mb=options.max_mb,
        moved=options.moved,
        trust=trust,
        note=note,
    )

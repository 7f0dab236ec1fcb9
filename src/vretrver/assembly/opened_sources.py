"""The sources of a plan opened as one, the roots an index has after it, and what may be deleted by it."""

from __future__ import annotations

from collections.abc import Callable, Container
from pathlib import Path

from ..data.rows import split_page
from ..data.sources.columns import Columns, MetadataColumn
from ..data.sources.several import Keyed, joined
from ..data.sources.source import Source, read_source
from ..images import ImageLimits
from ..retrieval.directory.manifest import Manifest, stored_root
from ..retrieval.directory.sources import ColumnsRecord, SourceRecord
from .source_places import moved_error, place_of
from .sources import SourcePlan


def open_plan(plan: SourcePlan, directory: Path, *, sound: Container[str] = frozenset()) -> Source:
    """Open the sources of a plan as one.

    Raises:
        DataError: as `read_source`.
        ConfigError: likewise.
    """
    opened = [_opened(one, plan.places[one.key], directory, sound) for one in plan.now]
    if len(opened) == 1 and not plan.now[0].key:
        return opened[0]
    parts = [
        Keyed(key=record.key, source=source, folder=record.kind == "folder")
        for record, source in zip(plan.now, opened, strict=True)
    ]
    return joined(parts, limits=_limits(plan.now[0]))


def roots_after(
    plan: SourcePlan, source: Source, directory: Path, manifest: Manifest, *, pictures: bool
) -> dict[str, str]:
    """Return the roots of an index after a run.

    Args:
        plan: what is read.
        source: the same, opened.
        directory: the index directory.
        manifest: what it says now.
        pictures: whether it has pictures already, which must stay where they are.

    Raises:
        ConfigError: pictures that are indexed would be looked for elsewhere.
    """
    others = {name for one in plan.all if one not in plan.now for name in one.root_names}
    kept = {name: root for name, root in manifest.roots.items() if name in others}
    old = {name: root for name, root in manifest.roots.items() if name not in others}
    new = {name: stored_root(root, directory) for name, root in source.roots.items()}
    changed = any(new.get(name, root) != root for name, root in old.items()) or not new.keys() & old.keys()
    if old and changed and not plan.moved and pictures:
        raise moved_error(directory, old, new)
    return {**kept, **new}


def deletable(plan: SourcePlan, source: Source) -> Callable[[str], bool]:
    """Return what says whether a did that the sources did not yield may be deleted.

    What belongs to another source stays. What a source could not read is not gone: it stays, with what lies below a
    folder or in a document that could not be read. A row that could not be read may be any item's, so then nothing is
    deleted.
    """
    table = any(one.kind == "table" for one in plan.now)

    def may(did: str) -> bool:
        refused = {item.path for item in source.refused}
        if (table and refused) or not plan.owns(did):
            return False
        file, _ = split_page(did)
        return not refused & {did, file, *(str(parent) for parent in Path(file).parents)}

    return may


def columns_of(record: ColumnsRecord | None) -> Columns | None:
    """Return remembered columns as a table is read with."""
    if record is None:
        return None
    metadata = tuple(MetadataColumn(name=name, kind=kind) for name, kind in record.metadata)
    return Columns(id=record.id, text=record.text, image=record.image, metadata=metadata)


def _opened(record: SourceRecord, path: Path, directory: Path, sound: Container[str]) -> Source:
    root = record.root
    return read_source(
        path,
        columns=columns_of(record.columns),
        root=root if root is None or "://" in root else place_of(directory, root),
        root_name=record.root_name,
        named_roots={name: place_of(directory, folder) for name, folder in record.named.items()},
        limits=_limits(record),
        sound=sound,
    )


def _limits(record: SourceRecord) -> ImageLimits | None:
    return None if record.max_mb is None else ImageLimits(max_bytes=record.max_mb * 2**20)

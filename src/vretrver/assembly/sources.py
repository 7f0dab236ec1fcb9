"""The sources of an index: those named now, those it remembers, their ids and roots beside one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..data.sources.columns import Columns
from ..data.sources.tables import kind_of_table
from ..errors import ConfigError, DataError
from ..retrieval.directory.manifest import Manifest, stored_root
from ..retrieval.directory.sources import ColumnsRecord, Kind, SourceRecord
from .confirmed import Note
from .source_places import confirm, moved_error, place_of, places_of, root_places


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """What a run reads, and what the index will say it is made of."""

    now: tuple[SourceRecord, ...]
    """The sources that are read."""
    all: tuple[SourceRecord, ...]
    """All sources of the index, those not read now included."""
    places: Mapping[str, Path]
    """Key -> where a source that is read lies, as the user named it."""
    moved: bool = False
    """Whether the user says that pictures lie elsewhere now."""

    def owns(self, did: str) -> bool:
        """Return whether an id is of a source that is read now, so that it may be gone."""
        owner = next((one for one in self.all if one.has_named(did)), None)
        return owner in self.now if owner is not None else any(not one.key for one in self.now)


def plan_named(
    paths: Sequence[Path],
    directory: Path,
    manifest: Manifest | None,
    *,
    columns: Columns | None = None,
    root: Path | str | None = None,
    named: Mapping[str, Path] | None = None,
    max_mb: int | None = None,
    moved: bool = False,
    trust: bool = False,
    note: Note,
) -> SourcePlan:
    """Return the plan for sources that the user names.

    Args:
        paths: the sources; several must be folders and documents.
        directory: the index directory.
        manifest: its manifest; None where there is no index yet.
        columns: of a table: what its columns hold; None takes what the index remembers.
        root: of a table: where its picture paths start from.
        named: of a table: NAME -> folder.
        max_mb: limit of a file in MiB.
        moved: whether they are the index's sources, moved.
        trust: whether the index may read where it remembers a table's pictures to be.
        note: takes messages for a person.

    Raises:
        ConfigError: they do not go together.
        DataError: one is not there.
    """
    known = () if manifest is None else manifest.sources
    for path in paths:
        if not path.exists():
            raise DataError(
                f"{path}: no such folder or file; name a folder of pictures, a document, a table or a pool"
            )
    kinds = [kind_of(path) for path in paths]
    if len(paths) > 1 and "table" in kinds:
        raise ConfigError(f"{paths[kinds.index('table')]}: a table is indexed by itself; leave the other sources out")
    found: list[SourceRecord] = []
    for path, kind in zip(paths, kinds, strict=True):
        before = _same(path, kind, known, directory, moved=moved, alone=len(paths) == 1)
        key = _key_of(path, kind, before, (*known, *found), directory, single=len(paths) == 1, note=note)
        if any(one.key == key or one.path == stored_root(path, directory) for one in found):
            raise ConfigError(f"{path}: it is named twice; leave one out")
        record = SourceRecord(
            path=stored_root(path, directory),
            kind=kind,
            key=key,
            root=None if root is None else stored_root(root, directory),
            named={name: stored_root(folder, directory) for name, folder in (named or {}).items()},
            columns=None if columns is None else _recorded(columns),
            max_mb=max_mb,
        )
        if before is not None:
            record = _filled(record, before)
            if record.root == before.root and record.named == before.named:  # its roots are the index's word
                confirm(directory, root_places(directory, [record]), trust=trust, note=note)
        found.append(record)
    keys = {one.key for one in found}
    return SourcePlan(
        now=tuple(found),
        all=(*(one for one in known if one.key not in keys), *found),
        places={one.key: path for one, path in zip(found, paths, strict=True)},
        moved=moved,
    )


def plan_remembered(directory: Path, manifest: Manifest, *, trust: bool = False, note: Note) -> SourcePlan:
    """Return the plan for the sources that an index remembers; one that is not there is left as it is, and said so.

    Raises:
        ConfigError: it remembers none, or some outside of it that the user has not confirmed.
        DataError: none of them is there.
    """
    if not manifest.sources:
        raise ConfigError(
            f"{directory}: nothing to do; name a SOURCE, the index does not remember what it is made of"
        )
    confirm(directory, places_of(directory, manifest.sources), trust=trust, note=note)
    places = {one.key: place_of(directory, one.path) for one in manifest.sources}
    there = [one for one in manifest.sources if places[one.key].exists()]
    for one in manifest.sources:
        if one not in there:
            note(f"left as it is: {places[one.key]}, which is not there now")
    if not there:
        raise DataError(f"{directory}: none of its sources is there now; name what is to be indexed")
    return SourcePlan(now=tuple(there), all=manifest.sources, places={one.key: places[one.key] for one in there})


def kind_of(path: Path) -> Kind:
    """Return what a source is, by what it is on disk and by its name."""
    if path.is_dir():
        return "folder"
    return "document" if kind_of_table(path) is None else "table"


def _same(
    path: Path, kind: Kind, known: Sequence[SourceRecord], directory: Path, *, moved: bool, alone: bool
) -> SourceRecord | None:
    """Return the remembered source that a path is: at the same place, a table for a table, or, moved, of its name."""
    place = stored_root(path, directory)
    same = next((one for one in known if one.path == place), None)
    if same is not None:
        return same
    if kind == "table":
        return next((one for one in known if one.kind == "table"), None)
    gone = [one for one in known if not place_of(directory, one.path).exists()]
    if moved and alone and (len(known) == 1 or len(gone) == 1):
        return (gone or known)[0]
    return next((one for one in known if moved and one.key == path.resolve().name), None)


def _filled(record: SourceRecord, before: SourceRecord) -> SourceRecord:
    """Return a record with what the index remembers of the source where the user says nothing now."""
    if record.root is None and not record.named:
        record = replace(record, root=before.root, named=before.named)
    return replace(record, columns=record.columns or before.columns, max_mb=record.max_mb or before.max_mb)


def _key_of(
    path: Path,
    kind: Kind,
    before: SourceRecord | None,
    others: Sequence[SourceRecord],
    directory: Path,
    *,
    single: bool,
    note: Note,
) -> str:
    """Return what the ids of a source begin with.

    Raises:
        ConfigError: it cannot stand beside what the index holds, or its own sources are gone and may have been moved.
    """
    if before is not None:
        return before.key
    if single and not others:
        return ""
    if kind == "table" or any(one.kind == "table" for one in others):
        raise ConfigError(
            f"{path}: a table is indexed by itself, and {directory} is of other things; name another -o"
        )
    if single and not any(place_of(directory, one.path).exists() for one in others):
        raise moved_error(directory, {one.key: one.path for one in others}, {"": stored_root(path, directory)})
    key = _key(path, others, directory)
    if single:
        note(f"{path} is added beside what {directory} holds; its ids begin with {key}")
    return key


def _key(path: Path, others: Sequence[SourceRecord], directory: Path) -> str:
    """Return the name of a source among others: its own, with a number where that is taken."""
    name = path.resolve().name or "root"
    taken = {one.key for one in others}
    unnamed = [place_of(directory, one.path) for one in others if not one.key]
    for number in range(1, len(taken) + 3):
        key = name if number == 1 else f"{name}-{number}"
        if key not in taken and not any((folder / key).exists() for folder in unnamed):
            return key
    raise ConfigError(f"{path}: {name} and the names after it are taken by what lies in {unnamed[0]}; rename it")


def _recorded(columns: Columns) -> ColumnsRecord:
    metadata = tuple((column.name, column.kind) for column in columns.metadata)
    return ColumnsRecord(id=columns.id, text=columns.text, image=columns.image, metadata=metadata)

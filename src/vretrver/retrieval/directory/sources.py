"""What an index was made of, kept in its manifest so that `vretrver index -o INDEX` alone brings it up to date.

A record may be a stranger's: it is checked when it is read, and nothing it names is opened without the user's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal["folder", "document", "table"]
"""A folder of pictures and documents, one such file, or a table, a pool or a file of candidates."""

ColumnKind = Literal["text", "int", "float", "bool", "date"]
"""Types that a metadata column may be declared as."""

MOST_SOURCES = 1000
"""Most sources of an index; a manifest with more is damaged or hostile."""

_MOST_TEXT = 2**16
_MOST_COLUMNS = 10_000
_MOST_MB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsRecord:
    """Which columns of a table hold what."""

    id: str
    """Column of the did."""
    text: tuple[str, ...] = ()
    """Columns of texts."""
    image: tuple[str, ...] = ()
    """Columns of picture paths."""
    metadata: tuple[tuple[str, ColumnKind | None], ...] = ()
    """Columns kept as metadata: name, and the type its values are turned into or None."""

    def __post_init__(self) -> None:
        texts = (self.id, *self.text, *self.image, *(name for name, _ in self.metadata))
        if len(texts) > _MOST_COLUMNS or not all(_is_text(text) for text in texts):
            raise ValueError("the columns of a source are not texts")
        if any(kind not in (None, *get_args(ColumnKind)) for _, kind in self.metadata):
            raise ValueError("a column of a source has a type there is not")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One source of an index."""

    path: str
    """The folder or file, as `manifest.stored_root` writes it."""
    kind: Kind
    """What it is."""
    key: str = ""
    """What its ids begin with and `key/` its root is called, where the index has several sources; empty where ids
    are paths below the folder and the root has no name."""
    root: str | None = None
    """Of a table: the folder, or URL of a store, that its picture paths start from; None is the default."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Of a table: NAME -> folder of the paths that begin with `NAME/`."""
    columns: ColumnsRecord | None = None
    """Of a table whose columns were named."""
    max_mb: int | None = None
    """Limit of a file in MiB; None is the default."""

    def __post_init__(self) -> None:
        texts = (self.path, self.key, self.root or "", *self.named, *self.named.values())
        if len(texts) > _MOST_COLUMNS or not all(_is_text(text) for text in texts) or not self.path:
            raise ValueError("the paths of a source are not texts")
        if self.kind not in get_args(Kind):
            raise ValueError(f"a source is of kind {str(self.kind)[:60]!r}")
        if "/" in self.key or self.key in (".", ".."):
            raise ValueError(f"the key of a source is {self.key[:60]!r}, which is no name of a folder")
        if self.max_mb is not None and (type(self.max_mb) is not int or not 1 <= self.max_mb <= _MOST_MB):
            raise ValueError(f"a source's limit is {str(self.max_mb)[:60]!r} MiB")

    @property
    def root_name(self) -> str:
        """Name of the root of its pictures."""
        return f"{self.key}/" if self.key else ""

    @property
    def root_names(self) -> frozenset[str]:
        """Names of all its roots."""
        return frozenset({self.root_name, *(f"{name}/" for name in self.named)})

    def has_named(self, did: str) -> bool:
        """Return whether an id begins as those of this source do; never true where it has no key."""
        return bool(self.key) and (did == self.key or did.startswith((f"{self.key}/", f"{self.key}#page=")))


def source_from_json(value: Any) -> SourceRecord:
    """Read a stored record; raises ValueError, TypeError, KeyError or AttributeError for what is none."""
    columns = value["columns"]
    if columns is not None:
        columns = ColumnsRecord(
            id=columns["id"],
            text=tuple(columns["text"]),
            image=tuple(columns["image"]),
            metadata=tuple((name, kind) for name, kind in columns["metadata"]),
        )
    named = value["named"]
    return SourceRecord(
        path=value["path"],
        kind=value["kind"],
        key=value["key"],
        root=value["root"],
        named=dict(named.items()),
        columns=columns,
        max_mb=value["max_mb"],
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value and len(value) <= _MOST_TEXT

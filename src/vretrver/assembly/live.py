"""An index that changes while it is searched: items come and go by id, one at a time or many."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from ..errors import ConfigError
from ..files import refuse_filled
from ..images import ImageStore
from ..records import Candidate
from ..retrieval.directory.index import check_encoder
from ..retrieval.directory.manifest import DATABASE, LOCK, Manifest, stored_root
from ..retrieval.directory.update import UpdateReport, update_index
from ..retrieval.directory.writer import IndexWriter
from ..retrieval.encoder import Encoder
from ..retrieval.encoders import encoder_named, lasting_name
from ..text.files import ReadTextMode
from .adding import IndexTarget, candidates_of_file
from .confirmed import Note, confirmed_encoder, confirmed_roots, remember_encoder, remember_pictures
from .corpus import unsaid, unseen
from .index_texts import bring_texts_and_words
from .indexing import known_manifest, read_text_of


class LiveIndex:
    """Puts items into an index directory and takes them out; threads may share one, and others may search meanwhile.

    Every call is on disk when it returns, and holds the lock of the index only while it writes. Vectors are found at
    once, words and the text on pictures after `refresh`, which leaving `with` calls.

    Args:
        directory: the index directory.
        encoder: the one it was made with.
        images: reads the pictures of its items.
        read_text: how much of the text on them is read.
        note: takes messages for a person.
    """

    def __init__(
        self, directory: Path, encoder: Encoder, images: ImageStore, *, read_text: ReadTextMode, note: Note
    ) -> None:
        self.directory, self.images = directory, images
        self._encoder, self._read_text, self._note = encoder, read_text, note
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Return the index."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Bring words and texts up to date, unless an error ends it; the next `refresh` does it then."""
        if kind is None:
            self.refresh()

    def put(self, items: Iterable[Candidate | Path]) -> UpdateReport:
        """Add items, or replace those whose id is there; what is unchanged is not encoded again.

        Args:
            items: candidates, or files below the folders that the index is made of, whose ids are their paths there.

        Returns:
            How many were encoded, copied, described or unchanged, and which could not be read.

        Raises:
            ConfigError: an item is neither candidate nor path, or a file lies in none of the index's folders.
            DataError: an id appears twice, or metadata cannot be stored.
            IndexBusy: another process is writing.
            StorageError: the disk is full. After any error, what was committed is kept.
        """
        with self._lock, IndexWriter(self.directory) as writer:
            target = IndexTarget(directory=self.directory, manifest=writer.manifest, images=self.images)
            return update_index(writer, _candidates(target, items), self._encoder, self.images)

    def delete(self, ids: Sequence[str]) -> int:
        """Remove items and return how many of the ids there were; files stay where they are.

        Raises:
            IndexBusy: another process is writing.
        """
        with self._lock, IndexWriter(self.directory) as writer:
            return writer.delete(ids)

    def refresh(self) -> None:
        """Read the text of new pictures and bring the words up to date; goes through all items, so not after each.

        Raises:
            IndexBusy: another process is writing.
            StorageError: the disk is full. What was read is kept.
        """
        with self._lock:
            bring_texts_and_words(self.directory, self.images, mode=self._read_text, note=self._note, progress=unseen)


def open_live(
    directory: Path | str,
    *,
    encoder: str | None = None,
    roots: Mapping[str, Path | str] | None = None,
    device: str = "auto",
    read_text: ReadTextMode | None = None,
    trust: bool = False,
    note: Note = unsaid,
) -> LiveIndex:
    """Open an index to put items into it and take them out; a new one is made where there is none.

    Args:
        directory: the index directory.
        encoder: name of what makes the vectors; None is the index's, for a new one `hash`.
        roots: root name -> folder of the pictures of items; None is what the index remembers, for a new one the
            working directory.
        device: where the encoder's model runs.
        read_text: how much of the text on pictures `refresh` reads; None is what the index remembers, for a new one
            `auto`.
        trust: whether to open, and remember, what the index names outside of itself.
        note: takes messages for a person.

    Raises:
        ConfigError: the folder holds other things, or the index names a model or pictures outside of itself that the
            user has not confirmed.
        IndexBusy: another process is writing a new index.
        IndexMismatch: the index was made with another encoder.
        DataError: the index is damaged.
    """
    out = Path(directory)
    refuse_filled(out, ours=(DATABASE, LOCK), what="index")
    manifest = known_manifest(out)
    if manifest is None:
        places: Mapping[str, Path | str] = roots or {"": Path()}
        name = encoder or "hash"
    else:
        places = roots or confirmed_roots(out, manifest.places(out), note=note, trust=trust)
        name = encoder or confirmed_encoder(manifest.encoder, where=out, note=note, trust=trust)
    if not name:
        raise ConfigError(f"{out}: its vectors were imported; name their encoder")
    images = ImageStore(places or {"": Path()})
    used = encoder_named(name, images, device=device)
    if manifest is None:
        _create(out, used, lasting_name(name), places, note)
    else:
        check_encoder(out, manifest, used)
    live = LiveIndex(out, used, images, read_text=read_text_of(read_text, manifest), note=note)
    if manifest is None:
        live.refresh()
    return live


def _create(directory: Path, encoder: Encoder, name: str, places: Mapping[str, Path | str], note: Note) -> None:
    new = Manifest(fingerprint=encoder.fingerprint, dimension=encoder.dimension, encoder=name)
    with IndexWriter(directory, new=new) as writer:
        writer.set_roots({root: stored_root(place, directory) for root, place in places.items()})
    remember_encoder(name, note=note)
    remember_pictures(directory, places, note=note)


def _candidates(target: IndexTarget, items: Iterable[Candidate | Path]) -> Iterator[Candidate]:
    for item in items:
        if isinstance(item, Path):
            yield from candidates_of_file(target, item)
        elif isinstance(item, Candidate):
            yield item
        else:
            raise ConfigError(
                f"items are Candidate objects or paths, got {type(item).__name__}; write "
                "Candidate(did=..., parts=parts_of(text=...))"
            )

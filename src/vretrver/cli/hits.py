"""What `vretrver rerank` is given: hits on the command line, in request files, as a ranking of ids, or published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.named import QUERY
from ..errors import ConfigError, DataError
from ..images import ImageStore
from ..records import Hit, Query
from .inputs import candidates_of, folder_of, note_other_pages, query_of, requests_of
from .output import note
from .rankings import from_ranking

if TYPE_CHECKING:
    from ..agent.dialect import Dialect
    from ..assembly.known import KnownCorpus
    from ..data.published.messages import PublishedPrompt
    from ..data.sources.columns import Columns

Pair = tuple[Query, Sequence[Hit]]
"""A query and its hits, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueriesWithHits:
    """Queries with hits, and what is needed to show them."""

    pairs: list[Pair]
    """The queries in the order given."""
    images: ImageStore
    """Where their pictures are read from."""
    several: bool = True
    """Whether they are a list, however long, and not one query of the command line."""
    prompt: PublishedPrompt | None = None
    """The texts a published file carries for its checkpoint."""

    def dialect(self, name: str) -> Dialect:
        """Return a dialect by name; `released` takes its texts from the file where that carries them."""
        from ..agent.dialects import dialect_named
        from ..agent.dialects.released import released

        if name == "released" and self.prompt is not None:
            return released(system_text=self.prompt.system_text, guidelines=self.prompt.guidelines)
        return dialect_named(name)


def what_to_rerank(
    files: Sequence[Path],
    *,
    text: str | None,
    image: Path | None,
    run: Path | None,
    queries: Path | None,
    corpus: str | Path | None,
    root: Path | None,
    path_map: Sequence[str],
    depth: int,
    columns: Columns | None = None,
    trust: bool = False,
) -> QueriesWithHits:
    """Return what the options of `vretrver rerank` give; raises ConfigError when they do not go together."""
    published = len(files) == 1 and files[0].suffix == ".parquet" and not text and image is None
    if path_map and not published:
        raise ConfigError("--map is for published evaluation files (.parquet); elsewhere give --root")
    if run is None and queries is not None:
        raise ConfigError("--queries goes with --run, the ranking that names their ids")
    if run is not None:
        if files or text or image is not None:
            raise ConfigError("--run brings queries and candidates by id; name no other query and no candidates")
        known = _known(corpus, columns, root=root, trust=trust)
        pairs, roots = from_ranking(run, queries=queries, known=known, root=root, depth=depth)
        return QueriesWithHits(pairs=pairs, images=ImageStore(roots))
    if text or image is not None:
        if not files:
            raise ConfigError("a query and no candidates; name pictures and .txt files after it")
        if any(file.suffix in (".jsonl", ".parquet") for file in files):
            raise ConfigError(f"{files[0]}: it brings its own queries; leave --text and --image out")
        query = query_of(text, image)
        hits, roots = candidates_of(files)
        images = ImageStore({**roots, QUERY: folder_of(image)})
        note_other_pages(hits, images)
        return QueriesWithHits(pairs=[(query, hits)], images=images, several=False)
    if len(files) != 1:
        what = f"{len(files)} files and no query" if files else "nothing to rerank"
        raise ConfigError(f"{what}; give one JSONL of queries, or --text or --image and then candidate files")
    if published:
        return _from_published(files[0], root=root, folders=_folders(path_map))
    own: dict[str, Path | str] = {"": root or (Path() if str(files[0]) == "-" else files[0].parent)}
    if corpus is None:
        requests = list(requests_of(files[0]))
        return QueriesWithHits(pairs=[(request.query, request.hits) for request in requests], images=ImageStore(own))
    known = _known(corpus, columns, root=root, trust=trust)
    requests = list(requests_of(files[0], root=QUERY, known=known.candidates))
    images = ImageStore({**known.roots, QUERY: own[""]})
    return QueriesWithHits(pairs=[(request.query, request.hits) for request in requests], images=images)


def _known(corpus: str | Path | None, columns: Columns | None, *, root: Path | None, trust: bool) -> KnownCorpus:
    from ..assembly.known import known_corpus

    if corpus is None:
        raise ConfigError("--run names candidates by id; say which they are of with --index or --corpus")
    return known_corpus(str(corpus), root=root, columns=columns, trust=trust, note=note)


def _from_published(file: Path, *, root: Path | None, folders: Mapping[str, Path]) -> QueriesWithHits:
    from ..data.published.evaluation import read_evaluation
    from ..data.published.rows import PathMap

    rows = list(read_evaluation(file, paths=PathMap(folders)))
    if not rows:
        raise DataError(f"{file}: it holds no row")
    other = next((row for row in rows if row.prompt != rows[0].prompt), None)
    if other is not None:
        raise DataError(f"{other.where}: its prompt is worded unlike that of the first row; split the file")
    return QueriesWithHits(
        pairs=[(row.request.query, row.request.hits) for row in rows],
        images=ImageStore({"": root or file.parent, **folders}),
        prompt=rows[0].prompt,
    )


def _folders(path_map: Sequence[str]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for option in path_map:
        parts = option.split("=")
        splits = (("=".join(parts[:at]), Path("=".join(parts[at:]))) for at in range(1, len(parts)))
        found = next(((old, new) for old, new in splits if old and str(new) and new.is_dir()), None)
        if found is None or option.endswith("="):
            raise ConfigError(f"--map {option}: write OLD=NEW, NEW being a folder that exists")
        folders[found[0]] = found[1]
    return folders

"""Collections whose words are searched: captions and keywords of real pictures, receipts that differ in one fact."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vretrver.records import Candidate, ImageRef, Query, parts_of

_NAMES = (
    *("Adler", "Baumann", "Çelik", "Díaz", "Eriksen", "Fournier", "García", "Häußler", "Ivanova", "Jørgensen"),
    *("Kowalski", "López", "Müller", "Nowak"),
)
_GOODS = ("paper", "toner", "chairs", "lamps", "cables", "screens", "desks", "coffee", "stamps", "folders", "flowers")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What is searched, what is asked, and what answers."""

    items: list[Candidate]
    """The corpus."""
    asked: list[tuple[Query, frozenset[str]]]
    """Queries with the dids that answer them."""
    root: Path
    """Folder of the pictures."""


def _rows(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _query(number: int, text: str) -> Query:
    return Query(qid=str(number), parts=parts_of(text=text))


def captions(data: Path) -> Collection:
    """Return pictures with four of their five captions; the fifth asks for them."""
    root = data / "coco_small"
    told: dict[str, list[str]] = {}
    for row in _rows(root / "query/test/mbeir_cocosmall_task0_test.jsonl"):
        told.setdefault(str(row["pos_cand_list"][0]), []).append(str(row["query_txt"]))  # type: ignore[index]
    items = [
        Candidate(
            did=str(row["did"]),
            parts=parts_of(text="\n".join(told[str(row["did"])][1:]), images=[ImageRef(path=str(row["img_path"]))]),
        )
        for row in _rows(root / "cand_pool/local/mbeir_cocosmall_task0_test_cand_pool.jsonl")
    ]
    asked = [(_query(n, texts[0]), frozenset({did})) for n, (did, texts) in enumerate(told.items())]
    return Collection(items=items, asked=asked, root=root)


def keywords(data: Path, count: int) -> Collection:
    """Return emoji with their names, and their other keywords as queries."""
    root = data / "emoji"
    items = [
        Candidate(
            did=str(row["did"]),
            parts=parts_of(
                text=json.loads(str(row["src_content"]))["name"], images=[ImageRef(path=str(row["img_path"]))]
            ),
        )
        for row in _rows(root / "cand_pool/local/mbeir_emoji_task0_cand_pool.jsonl")
    ]
    rows = list(_rows(root / "query/test/mbeir_emoji_task0_test.jsonl"))
    chosen = [row for row in rows if json.loads(str(row["query_src_content"]))["kind"] != "name"][
        :: len(rows) // count
    ]
    asked = [
        (_query(n, str(row["query_txt"])), frozenset(map(str, row["pos_cand_list"])))  # type: ignore[call-overload]
        for n, row in enumerate(chosen)
    ]
    return Collection(items=items, asked=asked, root=root)


def receipts(count: int, *, seed: int = 1) -> Collection:
    """Return texts of invoices in pairs of twins that differ in one fact, asked for by facts written otherwise."""
    rng = random.Random(seed)
    items, asked = [], []
    for n in range(0, count, 2):
        facts = _facts(rng, n)
        twin = dict(facts)
        other = rng.choice(["code", "day", "cents"])
        twin[other] = {"code": facts["code"] + 1, "day": facts["day"] % 28 + 1, "cents": (facts["cents"] + 7) % 100}[
            other
        ]
        for place, one in enumerate((facts, twin)):
            items.append(Candidate(did=str(n + place), parts=parts_of(text=_written(rng, one))))
            asked.append((_query(n + place, _asked(rng, one)), frozenset({str(n + place)})))
    return Collection(items=items, asked=asked, root=Path())


def _facts(rng: random.Random, number: int) -> dict[str, int]:
    return {
        "code": 2 * number + 100, "day": rng.randint(1, 28), "month": rng.randint(1, 12),
        "year": rng.randint(2019, 2024), "euros": rng.randint(1000, 9999), "cents": rng.randint(10, 99),
        "name": rng.randrange(len(_NAMES)),
    }  # fmt: skip


def _dates(f: dict[str, int]) -> Sequence[str]:
    month = _MONTHS[f["month"] - 1]
    return (
        f"{f['day']:02d}.{f['month']:02d}.{f['year']}", f"{f['year']}-{f['month']:02d}-{f['day']:02d}",
        f"{f['day']} {month} {f['year']}", f"{month} {f['day']}, {f['year']}",
    )  # fmt: skip


def _amounts(f: dict[str, int]) -> Sequence[str]:
    whole, rest = divmod(f["euros"], 1000)
    cents = f["cents"]
    return f"{whole}.{rest:03d},{cents} EUR", f"€{whole},{rest:03d}.{cents}", f"{f['euros']},{cents} €"


def _written(rng: random.Random, f: dict[str, int]) -> str:
    goods = "\n".join(
        f"{rng.randint(2, 9)} x {name} {rng.randint(2, 90)},{rng.randint(10, 99)}" for name in rng.sample(_GOODS, 4)
    )
    return (
        f"Invoice INV-{f['year']}/{f['code']:05d}\n{_NAMES[f['name']]} GmbH\nDate {rng.choice(_dates(f))}\n{goods}\n"
        f"Total {rng.choice(_amounts(f))}"
    )


def _asked(rng: random.Random, f: dict[str, int]) -> str:
    return (
        f"{_NAMES[f['name']]}, invoice inv {f['year']}/{f['code']:05d} of {rng.choice(_dates(f))} over "
        f"{rng.choice(_amounts(f))}"
    )

"""An example or two for the help of every command; a test runs them in this order, each on what those before it left.

`photos`, `more-photos`, `products.csv`, `queries.tsv` and `manual.pdf` are files of the person who reads.
"""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "examples": ("vretrver examples --out try",),
    "catalogue": ("vretrver catalogue --out world --items 25",),
    "index": (
        "vretrver index photos more-photos -o photos.index",
        (
            "vretrver index products.csv -o shop --id-column sku --text-columns title --image-columns photo "
            "--metadata-columns price:float,since:date"
        ),
        "vretrver index -o shop --delete",
    ),
    "add": (
        'vretrver add shop \'{"sku": "SKU-9", "title": "red mug with a rim", "price": 7.5}\'',
        "vretrver add photos.index photos/red.png",
    ),
    "search": (
        'vretrver search shop --text "red mug" --filter "price < 20 AND year = 2019" --top 3',
        "vretrver search shop --queries queries.tsv --top 50 --format jsonl -o hits.jsonl",
        'vretrver search photos --text "blue" --policy first-k --depth 50 --top 3 --report page.html',
    ),
    "rerank": (
        "vretrver rerank --run hits.jsonl --index shop --policy first-k --trace run.jsonl --top 3",
        'vretrver rerank --text "the red one" photos/red.png photos/blue.png --json',
    ),
    "trace": ("vretrver trace run.jsonl",),
    "info": ("vretrver info shop --check",),
    "delete": ("vretrver delete shop SKU-9",),
    "doctor": ("vretrver doctor --index shop",),
    "mirror": ("vretrver mirror shop qdrant://localhost:6333/shop",),
    "demo": ("vretrver demo --items 25 --queries 3 --policy oracle --out demo-out",),
    "train pictures": ("vretrver train pictures --out drawn --items 50",),
    "train tokenizer": ("vretrver train tokenizer --out tokenizer",),
    "train perception": (
        "vretrver train perception --out tower --set gallery=drawn --set held_out=drawn --set tokenizer=tokenizer",
    ),
    "train embed": ("vretrver train embed --out encoder --set start.tokenizer=tokenizer --set data.gallery=drawn",),
    "train expert": ("vretrver train expert --out practice --set gallery=drawn --set 'stages=[{windows: 4}]'",),
    "train sft": ("vretrver train sft --out agent --set start.tokenizer=tokenizer --set trajectories=practice",),
    "train curriculum": ("vretrver train curriculum --list",),
    "experiment looks": (
        "vretrver experiment looks --out looks --set agent=agent --set encoder=shipped --set gallery=drawn",
    ),
}
"""Command -> lines for its help."""


def epilog_of(command: str) -> str:
    """Return the last part of a command's help; a blank line keeps each example on a line of its own."""
    lines = EXAMPLES[command]
    return "\n\n".join((f"Example{'s' if len(lines) > 1 else ''}:", *lines))

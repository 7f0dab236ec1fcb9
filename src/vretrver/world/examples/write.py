"""Writing the example files.

    documents/         letters, invoices and receipts: scans, PDFs with a text layer, PDFs that are scans
    questions.jsonl    a question for each document, by three facts
    shop/              products.jsonl with pictures/, and hits.jsonl, what a search found for one query
    photos/            pictures by place, with days, two of them twice
    README.txt         the commands to try

Everything follows from constants; pixels of documents also depend on PDFium's version.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from ..._optional import require
from ...files import replace_file
from ..documents.write import write_documents
from .goods import write_shop
from .photos import write_photos

NOTE = "README.txt"
"""Written first: a folder that has it is one of example files."""

DOCUMENTS, SEED = 9, 274
"""How many documents are drawn, and from which seed: a third of them are twins that differ in one fact."""

_COMMANDS = """\
Files to try vretrver on; all of them are drawn. Run the commands in the folder that holds this one, {name}.

Documents, searched by what they say (scans need the extra `ocr`):
  vretrver index {name}/documents -o documents.index
  vretrver search documents.index --text "invoice Henrik Berger 14.07.2022 total 699.76" --top 2
  vretrver search documents.index --text "invoice Henrik Berger 14.07.2022 total 699.76" --policy reader --top 2

Photos, by the words of their names and their days:
  vretrver index {name}/photos -o photos.index --read-text never
  vretrver search photos.index --text picnic --filter "year = 2020" --report photos.html

A shop, by words and fields; then your own hits, reranked by what is printed on the pictures (extra `ocr`), or by an
agent that looks (extra `models`):
  vretrver index {name}/shop/products.jsonl -o shop.index --id-column sku --text-columns title \\
      --image-columns photo --metadata-columns colour,price,in_stock --read-text never
  vretrver search shop.index --text "striped mug" --filter "price < 20 AND in_stock = TRUE" --top 2
  vretrver rerank {name}/shop/hits.jsonl --index shop.index --policy reader --trace shop.jsonl --top 2
  vretrver rerank {name}/shop/hits.jsonl --index shop.index --policy shipped --report shop.html
"""


def write_examples(out: Path) -> None:
    """Write the example files into a folder; files of the same names are written again.

    Args:
        out: the folder; made where there is none.

    Raises:
        DataError: the folder cannot be written.
        MissingDependency: the extra `sources`, which draws the pages, is not installed.
    """
    require("pypdfium2", extra="sources")
    out.mkdir(parents=True, exist_ok=True)
    replace_file(out / NOTE, _COMMANDS.format(name=out.resolve().name).encode())
    _write_documents(out)
    write_shop(out / "shop")
    write_photos(out / "photos")


def _write_documents(out: Path) -> None:
    """Write the documents under names that say what they are, and the questions that some document answers."""
    folder = out / "documents"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as held:
        drawn = Path(held)
        write_documents(drawn, DOCUMENTS, SEED)
        names: dict[str, str] = {}
        for row in _lines(drawn / "truth.jsonl"):
            file = row["file"]
            names[file] = f"{row['kind']}-{file}"
            shutil.copyfile(drawn / "documents" / file, folder / names[file])
        questions = [row for row in _lines(drawn / "queries.jsonl") if row["answer"]]
    asked = [
        {"qid": row["qid"], "text": row["text"], "metadata": {"answer": names[row["answer"]]}} for row in questions
    ]
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in asked)
    replace_file(out / "questions.jsonl", lines.encode())


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

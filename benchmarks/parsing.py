"""How fast chapters are parsed and made into notebooks, on one core.

Chapters are repeated to 10 MB and go the whole way in memory: text, blocks, index, selection for a
framework, notebook text. The rate counts the chapters' bytes once for each notebook made of them.

    .venv/bin/python benchmarks/parsing.py [FOLDER]

FOLDER holds chapters (`*.md` or `*.txt`); without it the book's own are taken.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from pathlib import Path

from polybook.citations import Bibliography
from polybook.config import TocEntry
from polybook.dialect import parse
from polybook.frameworks import chapter_frameworks, select
from polybook.languages import ENGLISH
from polybook.notebook import NotebookFlavour, to_notebook, write_notebook
from polybook.references import Chapter, build_index

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = ("mxnet", "pytorch", "tensorflow")
MEGABYTE = 1_000_000
SIZE = 10 * MEGABYTE
ROUNDS = 5


def read_chapters(folder: Path) -> list[str]:
    """Return the texts of the chapters in a folder."""
    paths = sorted(
        path for path in folder.rglob("*") if path.suffix in (".md", ".txt") and path.stem != "README"
    )
    return [path.read_text(encoding="utf-8") for path in paths]


def repeat(texts: list[str], size: int) -> list[str]:
    """Return the texts over and over until they have `size` bytes together."""
    whole = sum(len(text.encode()) for text in texts)
    return texts * (size // whole + 1)


def make_notebooks(texts: list[str]) -> tuple[float, float, int]:
    """Return the CPU seconds of parsing and of everything, and the chapters' bytes over all notebooks."""
    start = time.process_time()
    documents = [parse(text, f"{number}.md") for number, text in enumerate(texts)]
    parsed = time.process_time()
    chapters = [Chapter.of(TocEntry(str(number), (number,)), one) for number, one in enumerate(documents)]
    index = build_index(chapters, ENGLISH, Bibliography({}))
    names = frozenset(chapter.name for chapter in chapters)
    done = 0
    for text, chapter in zip(texts, chapters, strict=True):
        for framework in chapter_frameworks(chapter.document, FRAMEWORKS, "mxnet"):
            selected = Chapter.of(chapter.entry, select(chapter.document, framework, "mxnet"))
            flavour = NotebookFlavour(chapter.name, None, lambda path: path)
            write_notebook(to_notebook(selected, index, flavour, names))
            done += len(text.encode())
    return parsed - start, time.process_time() - start, done


def main() -> None:
    """Print the rates, the median of several rounds."""
    gc.set_threshold(100_000, 50, 1000)  # as the command line does
    texts = repeat(read_chapters(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "chapters"), SIZE)
    size = sum(len(text.encode()) for text in texts)
    rounds = [make_notebooks(texts) for _ in range(ROUNDS)]
    parsing = statistics.median(size / parsed for parsed, _, _ in rounds) / MEGABYTE
    chapters = statistics.median(size / whole for _, whole, _ in rounds) / MEGABYTE
    notebooks = statistics.median(done / whole for _, whole, done in rounds) / MEGABYTE
    print(f"chapters                        {size / MEGABYTE:8.1f} MB in {len(texts)} files")
    print(f"parsing alone                   {parsing:8.1f} MB of chapters a second")
    print(f"parsing and all notebooks       {chapters:8.1f} MB of chapters a second")
    print(f"the same, for each notebook     {notebooks:8.1f} MB of chapters a second")


if __name__ == "__main__":
    main()

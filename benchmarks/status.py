"""How long polybook takes to find out that nothing has to run, in a large book.

The chapters of this book, in all its languages, are copied until there are 200 of them, each with code that
differs from that of the others, and with the results that are stored of it. Only the first copy saves
definitions, which all use. Each command runs as an author would run it, its start included:

    nothing known        the first call in a new clone
    nothing changed      every other
    prose edited         a paragraph of one chapter, in the source language
    a cell edited        of one chapter that saves nothing
    a saved cell edited  which all chapters use through the library

    .venv/bin/python benchmarks/status.py [CHAPTERS]
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from polybook.dialect import parse, strip_save_marks
from polybook.dialect.cells import replace_code
from polybook.model import Cell, write
from polybook.pipeline.book import Book, load_book
from polybook.pipeline.units import BUILD_FOLDER, OUTPUTS_FOLDER, find_state, find_units
from polybook.store import Store

ROOT = Path(__file__).parents[1]
CHAPTERS = 200
ROUNDS = 5
#: What is edited: a chapter, a text in it, and what stands there then.
PROSE = ("rnn", "\n\n", "\n\nA new paragraph.\n\n")
CELL = ("rnn", "#@tab pytorch\n", "#@tab pytorch\nimport sys\n")
SAVED = ("text", "def __len__(self):\n", "def __len__(self):\n        assert self\n")


def copy_of(text: str, number: int) -> str:
    """Return a chapter whose cells differ from those of all other copies in a comment only."""

    def differing(cell: Cell) -> Cell:
        return replace_code(cell, f"{strip_save_marks(cell.code)}# Copy {number}\n")

    blocks = parse(text, "").blocks
    return write([differing(each) if isinstance(each, Cell) and each.code else each for each in blocks])


def write_book(root: Path, count: int) -> None:
    """Write a book of `count` chapters with this book's results for each."""
    original = load_book(ROOT)
    shutil.copytree(ROOT / "requirements", root / "requirements")
    shutil.copytree(ROOT / "chapters", root / "chapters")
    shutil.copytree(ROOT / "img", root / "img")
    shutil.copy(ROOT / "_config.yml", root)
    sources = [name for name in original.toc.chapters if original.leading[name].document.cells]
    others = [name for name in original.toc.chapters if name not in sources]
    copies = [(sources[number % len(sources)], number // len(sources)) for number in range(count)]
    names = [f"{name}-{number}" if number else name for name, number in copies]
    toc = {
        "format": "jb-book",
        "root": others[0],
        "chapters": [{"file": each} for each in names + others[1:]],
    }
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    for (source, number), name in zip(copies, names, strict=True):
        for language in original.config.languages.values() if number else ():
            text = (root / language.folder / f"{source}.md").read_text(encoding="utf-8")
            (root / language.folder / f"{name}.md").write_text(copy_of(text, number), encoding="utf-8")
    write_results(original, root, dict(zip(names, (source for source, _ in copies), strict=True)))


def write_results(original: Book, root: Path, sources: dict[str, str]) -> None:
    """Store for each chapter what is stored of the one that it is a copy of."""
    results = {unit.name: find_state(unit)[0].results.record for unit in find_units(original)}
    store = Store(root / OUTPUTS_FOLDER)
    for name, source in sources.items():
        for framework in original.config.frameworks:
            record = results.get(f"{framework}/{source}")
            if record is not None:
                store.save(framework, replace(record, chapter=name))


def measure(root: Path, command: str, *, is_stale: Callable[[int], bool]) -> tuple[float, float]:
    """Return the seconds of one command, on the clock and of the processor.

    Args:
        root: The book.
        command: The command.
        is_stale: Whether so many results may be stale.
    """
    start, before = time.perf_counter(), os.times()
    words = [sys.executable, "-m", "polybook", command, "--book", str(root)]
    answer = subprocess.run(words, check=True, capture_output=True, text=True)
    seconds, after = time.perf_counter() - start, os.times()
    stale = len(re.findall(r"^stale ", answer.stdout, re.MULTILINE))
    assert is_stale(stale), answer.stdout[:2000]
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, spent


@contextmanager
def edited(root: Path, chapter: str, old: str, new: str) -> Iterator[None]:
    """Change the first place of a text in a chapter of the source language while the block runs."""
    path = root / "chapters/en" / f"{chapter}.md"
    text = path.read_text(encoding="utf-8")
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def measure_all(root: Path) -> Iterator[tuple[str, float, float]]:
    """Yield for each case its name and its seconds, on the clock and of the processor."""
    shutil.rmtree(root / BUILD_FOLDER, ignore_errors=True)
    yield "nothing known", *measure(root, "status", is_stale=lambda count: count == 0)
    yield "nothing changed", *measure(root, "status", is_stale=lambda count: count == 0)
    with edited(root, *PROSE):
        yield "prose edited", *measure(root, "status", is_stale=lambda count: count == 0)
    with edited(root, *CELL):
        yield "a cell edited", *measure(root, "status", is_stale=lambda count: count == 1)
    with edited(root, *SAVED):
        yield "a saved cell edited", *measure(root, "status", is_stale=lambda count: count > 1)


def main() -> None:
    """Print the seconds, each the median of several calls."""
    count = int(sys.argv[1]) if sys.argv[1:] else CHAPTERS
    times: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_book(root, count)
        for _ in range(ROUNDS):
            for case, *seconds in measure_all(root):
                times.setdefault(case, []).append((seconds[0], seconds[1]))
    print(f"polybook status, {count} chapters in {len(load_book(ROOT).config.frameworks)} frameworks")
    print(f"{'':20} on the clock  of the processor")
    for case, rounds in times.items():
        clock, processor = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
        print(f"{case:20} {clock:10.2f} s {processor:14.2f} s")


if __name__ == "__main__":
    main()

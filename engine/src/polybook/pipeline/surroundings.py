"""What a chapter's page, its notebooks and the findings about it are made of besides its own text.

Of other chapters they know only what can be referred to and what those save to the library. So while an
author writes, only what is made of that chapter is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from ..model import Cell, Heading
from ..references import Chapter, Index
from .book import Book
from .inputs import Inputs, digest_outside
from .kept import Kept
from .units import BUILD_FOLDER, data_names


def kept_of(book: Book, inputs: Inputs) -> Kept:
    """Return what was made of a book's chapters in builds before this one."""
    return Kept(book.root / BUILD_FOLDER / "kept", _surroundings(book, inputs))


def _surroundings(book: Book, inputs: Inputs) -> str:
    """Return a digest of all that is made into a chapter's page but the chapter's own text."""
    chapters = (chapter for chapters in book.translated.values() for chapter in chapters.values())
    facts = {
        "files": inputs.digest_without({book.root / chapter.document.path for chapter in chapters}),
        "data": digest_outside(data_names(book)),
        "entries": [(entry.chapter, entry.number) for entry in book.toc.entries],
        "shown": {
            tag: [chapter.document.path for chapter in book.shown(tag).values()] for tag in book.indexes
        },
        "indexes": {tag: _facts(index) for tag, index in book.indexes.items()},
        "saved": [list(_saved(chapter)) for chapter in book.leading.values()],
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _facts(index: Index) -> list[object]:
    """Return what the chapters of a language know of each other; lines are not among it."""
    targets = [
        (name, target.kind.value, target.chapter, target.number, target.title)
        for name, target in index.targets.items()
    ]
    return [targets, sorted(index.cited), index.bibliography_chapter]


def _saved(chapter: Chapter) -> Iterator[str]:
    """Yield what the library takes from a chapter: its cells and, for their places, its headings."""
    document = chapter.document
    if any("@save" in cell.code for cell in document.cells):
        yield document.path
        yield from (block.source for block in document.blocks if isinstance(block, Cell | Heading))

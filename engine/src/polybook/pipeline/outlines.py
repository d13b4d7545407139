"""What the key of a run takes from chapters, worked out once for each text of their code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..keys import digest_code
from ..library import find_closure, may_save, names_used
from ..references import Chapter
from ..training import cells_that_train
from .book import Book
from .files import digest_program
from .memo import Memo

_FILE = Path("_build", "outlines.json")


@dataclass(frozen=True, slots=True)
class Outline:
    """A chapter's code for one framework, as far as a key needs it."""

    #: Where each cell that runs stands among the chapter's cells, from 0.
    positions: tuple[int, ...]
    #: The digest of each cell, as `keys.digest_code` has it.
    cells: tuple[str, ...]
    #: The numbers of the cells that train, from 0.
    training: tuple[int, ...]
    #: The digests of the library's definitions that they use, with all that those use in turn, by name.
    definitions: dict[str, str]


class Outlines:
    """The outlines of a book's chapters.

    Args:
        book: The book.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self._libraries: dict[str, Any] = {}

    @cached_property
    def _memo(self) -> Memo:
        config = self.book.config
        aliases = {name: dict(to) for name, to in config.aliases.items()}
        settings = [config.frameworks, config.library, aliases, config.trains]
        context = json.dumps([digest_program(), sys.version, settings])
        return Memo(self.book.root / _FILE, context)

    def of(self, chapter: Chapter) -> Iterator[tuple[str, Outline]]:
        """Yield each framework that a chapter has code for, with the outline of that code."""
        codes = [cell.code for cell in chapter.document.cells]
        default = self.book.default_framework(chapter)
        answer = self._memo.value("cells", [default, *codes], lambda: self._cells(chapter))
        for framework, (positions, cells, training, uses) in answer.items():
            definitions = self._definitions(framework, uses)
            yield framework, Outline(tuple(positions), tuple(cells), tuple(training), definitions)

    def keep(self) -> None:
        """Keep what has been worked out for the next call."""
        self._memo.keep()

    def _cells(self, chapter: Chapter) -> dict[str, Any]:
        """Return for each framework the cells that run: positions, digests, which train, names they use."""
        answer = {}
        positions = {cell.line: number for number, cell in enumerate(chapter.document.cells)}
        for framework in self.book.frameworks_of(chapter):
            cells = self.book.selected(chapter, framework).document.cells
            running = [cell for cell in cells if cell.code]
            module = self.book.config.library
            codes = [cell.code for cell in running]
            uses = names_used("\n".join(codes), module) if module else ()
            answer[framework] = (
                [positions[cell.line] for cell in running],
                [digest_code(code) for code in codes],
                cells_that_train(codes, self.book.config.trains),
                sorted(uses),
            )
        return {framework: each for framework, each in answer.items() if each[0]}

    def _definitions(self, framework: str, names: Iterable[str]) -> dict[str, str]:
        if self.book.config.library is None:
            return {}
        if framework not in self._libraries:
            self._libraries[framework] = self._library(framework)
        known = self._libraries[framework]
        found = find_closure(names, {name: uses for name, (_, uses) in known.items()})
        return {name: known[name][0] for name in sorted(found)}

    def _library(self, framework: str) -> Any:
        """Return the digest and the uses of each definition of a framework's library, by name."""
        texts = [framework, self.book.config.source_language.default_framework]
        for chapter in self.book.leading.values():
            if may_save(chapter.document):
                texts += [chapter.document.path, *(cell.code for cell in chapter.document.cells)]
        return self._memo.value("library", texts, lambda: self._read_library(framework))

    def _read_library(self, framework: str) -> dict[str, Any]:
        definitions = self.book.libraries[framework].definitions
        return {name: (digest_code(each.code), sorted(each.uses)) for name, each in definitions.items()}

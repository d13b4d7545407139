"""What can be run, and how its stored results stand to it; nothing here starts a kernel."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..config import ChapterSettings
from ..data import digest_data
from ..diagnostics import Code, Diagnostic
from ..keys import DAMAGED, NEVER_RUN, ON_PROCESSOR, KeyParts, explain
from ..library import names_used
from ..model import Cell
from ..outputs import PROCESSOR, Record, Results
from ..references import Chapter
from ..results import check_record
from ..store import Store
from .book import Book
from .outlines import Outline, Outlines

BUILD_FOLDER = "_build"
OUTPUTS_FOLDER = "outputs"
ENVIRONMENTS_FOLDER = ".venvs"

#: Names a folder that data files are looked for in first.
DATA_VARIABLE = "D2L_DATA"
#: Where the library keeps the files it has downloaded.
DATA_CACHE = Path("~/.cache/d2l")


@dataclass(frozen=True)
class Unit:
    """One chapter's code in one framework: what is run at once."""

    #: The book it belongs to.
    book: Book = field(repr=False)
    #: The chapter as it is written.
    chapter: Chapter
    #: The framework's name.
    framework: str
    #: What the key takes from both.
    outline: Outline = field(repr=False)

    @property
    def name(self) -> str:
        """What to call it: `pytorch/rnn`."""
        return f"{self.framework}/{self.chapter.name}"

    @property
    def settings(self) -> ChapterSettings:
        """What the configuration says of the chapter."""
        return self.book.config.chapters.get(self.chapter.name, ChapterSettings())

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells that hold code, in order."""
        chapter = self.book.selected(self.chapter, self.framework)
        return [cell for cell in chapter.document.cells if cell.code]

    @cached_property
    def codes(self) -> list[str]:
        """The code of each cell."""
        return [cell.code for cell in self.cells]

    @property
    def places(self) -> list[tuple[str, int]]:
        """Where each cell stands, for messages."""
        document = self.chapter.document
        cells = document.cells
        return [(document.path, cells[position].line) for position in self.outline.positions]

    @cached_property
    def definitions(self) -> dict[str, str]:
        """The library's definitions that the code uses, with all that those use in turn."""
        library = self.book.libraries.get(self.framework)
        if library is None or self.book.config.library is None:
            return {}
        return library.closure(names_used("\n".join(self.codes), self.book.config.library))

    def parts(self, record: Record | None) -> KeyParts:
        """Return what the key of an execution now would be made of.

        What only a run can tell is taken from the stored record: which data files are read, their
        digests where a file is not on this machine, and the framework's version where nothing pins it.
        """
        stored = record.provenance if record else None
        data = dict(stored.data) if stored else {}
        data |= {name: digest for name, digest in digest_data(data, data_roots(self.book)).items() if digest}
        pinned = self.book.requirements[self.framework].version
        version = pinned or (stored.version if stored else "")
        return KeyParts(self.framework, version, self.outline.cells, self.outline.definitions, data)


@dataclass(frozen=True, slots=True)
class State:
    """How a unit stands to its stored results."""

    #: The unit.
    unit: Unit
    #: What is stored.
    results: Results
    #: Why it has to run, a sentence; empty for fresh results.
    reason: str

    @property
    def word(self) -> str:
        """`fresh`, `stale` or `missing`."""
        if self.results.record is None:
            return "missing"
        return "fresh" if self.results.is_fresh else "stale"


def find_units(book: Book) -> list[Unit]:
    """Return everything in a book that can be run, in reading order."""
    outlines = Outlines(book)
    units = [unit for chapter in book.leading.values() for unit in units_of(chapter, outlines)]
    outlines.keep()
    return units


def units_of(chapter: Chapter, outlines: Outlines) -> Iterator[Unit]:
    """Yield the units of one chapter."""
    for framework, outline in outlines.of(chapter):
        yield Unit(outlines.book, chapter, framework, outline)


def find_state(unit: Unit) -> tuple[State, list[Diagnostic]]:
    """Return how a unit stands to its stored results, and what is damaged in them."""
    found: list[Diagnostic] = []
    record = Store(unit.book.root / OUTPUTS_FOLDER).load(unit.framework, unit.chapter.name, found.append)
    if record is None:  # what a key would be is not worth its time
        return State(unit, Results(None, is_fresh=False), DAMAGED if found else NEVER_RUN), found
    parts = unit.parts(record)
    is_fresh = record.parts == parts
    reason = "" if is_fresh else explain(record.parts, parts)
    if is_fresh and lacks_gpu(unit, record):
        is_fresh, reason = False, ON_PROCESSOR
    return State(unit, Results(record, is_fresh), reason), found


def rejected_of(book: Book) -> Store:
    """Return what keeps results that differ from those that the same code gave before, until accepted."""
    return Store(execution_folder(book) / "rejected")


def accept_rejected(book: Book, units: Iterable[Unit]) -> int:
    """Store what runs of the code as it is now gave and was not stored; return how many results that were.

    Raises:
        ExecutionError: Another polybook is running code of this book.
    """
    rejected, store = rejected_of(book), Store(book.root / OUTPUTS_FOLDER)
    accepted = 0
    for unit in units:
        name = (unit.framework, unit.chapter.name)
        record = rejected.load(*name, lambda _: None)
        stored = find_state(unit)[0].results if record else None
        if record and stored and stored.record and stored.is_fresh and stored.record.key == record.key:
            with store.lock():
                store.save(unit.framework, record)
            rejected.remove(*name)
            accepted += 1
    return accepted


def lacks_gpu(unit: Unit, record: Record) -> bool:
    """Return whether a result is a processor's though its chapter needs a GPU."""
    return unit.settings.gpu and record.provenance.device == PROCESSOR


def check_results(state: State) -> list[Diagnostic]:
    """Return in which way stored results are not what the author expects; old ones are of no line."""
    record, unit = state.results.record, state.unit
    if record is None:
        return []
    path = unit.chapter.document.path
    if not state.results.is_fresh:
        return list(check_record(record, unit.settings.expect, [(path, 0)] * len(record.cells)))
    return list(check_record(record, unit.settings.expect, unit.places, unit.outline.training))


def check_outputs(book: Book) -> Iterator[Diagnostic]:
    """Yield what is wrong with the stored results: damaged, not as expected, of no chapter, or not there."""
    units = find_units(book)
    states = [find_state(unit) for unit in units]
    for state, found in states:
        yield from found
        yield from check_results(state)
    stored = set(Store(book.root / OUTPUTS_FOLDER).names())
    for framework, chapter in sorted(stored - {(unit.framework, unit.chapter.name) for unit in units}):
        path = f"{OUTPUTS_FOLDER}/{framework}/{chapter}.json"
        what = f"The book has no code in {framework} that this is the result of."
        advice = "Delete it with the folder of its plots, or put the chapter into `_toc.yml`."
        yield Diagnostic(path, 0, Code.ORPHANED_RESULT, what, advice)
    if units and not stored:
        what = "Nothing is stored of any chapter."
        yield Diagnostic(OUTPUTS_FOLDER, 0, Code.NO_RESULTS, what, "Run `make execute`.")


def data_names(book: Book) -> set[str]:
    """Return the names of the data files that the runs have read whose results are stored."""
    store = Store(book.root / OUTPUTS_FOLDER)
    ignore: list[Diagnostic] = []
    records = (
        store.load(framework, chapter, ignore.append)
        for framework in book.config.frameworks
        for chapter in book.leading
    )
    return {name for record in records if record for name in record.provenance.data}


def data_roots(book: Book) -> list[Path]:
    """Return the folders that data files are looked for in."""
    return outside_roots() + ([book.root / book.config.library] if book.config.library else [])


def outside_roots() -> list[Path]:
    """Return the folders outside the book that data files are looked for in."""
    named = os.environ.get(DATA_VARIABLE)
    return [*([Path(named).absolute()] if named else []), DATA_CACHE.expanduser()]


def execution_folder(book: Book) -> Path:
    """Return the folder that code runs in; all that is in it can be made again."""
    return book.root / BUILD_FOLDER / "execution"

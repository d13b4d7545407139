"""What polybook writes into the book itself: the library, and the code of translations."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from ..diagnostics import Code, Diagnostic
from ..dialect.python import imported_packages
from ..frameworks import FRAMEWORKS
from ..library import package_text
from ..model import write
from ..translation import sync
from .book import Book
from .files import write_if_changed


def _library_files(book: Book) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file of the library, without modules whose saved cells have errors."""
    if book.config.library is None or all(library.diagnostics for library in book.libraries.values()):
        return
    needed = {
        FRAMEWORKS[name].module: book.requirements[name].of(imported_packages(library.text))
        for name, library in book.libraries.items()
    }
    yield f"{book.config.library}/__init__.py", package_text(book.config.title, book.config.library, needed)
    for name, library in book.libraries.items():
        if not library.diagnostics:
            yield f"{book.config.library}/{FRAMEWORKS[name].module}.py", library.text


def _findings(book: Book) -> list[Diagnostic]:
    found = (one for library in book.libraries.values() for one in library.diagnostics)
    return list(dict.fromkeys(found))


def write_libraries(book: Book) -> tuple[list[Diagnostic], list[str]]:
    """Write the library; return what is wrong with the saved cells, and the files that changed.

    A module whose saved cells are in error is left as it was.
    """
    written = [path for path, text in _library_files(book) if write_if_changed(book.root / path, text)]
    return _findings(book), written


def check_libraries(book: Book) -> list[Diagnostic]:
    """Return what is wrong with the saved cells, and which modules are not what the chapters say."""
    found = _findings(book)
    for path, text in _library_files(book):
        try:
            on_disk = (book.root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            on_disk = ""
        if on_disk != text:
            what = "The library is not what the chapters say."
            found.append(Diagnostic(path, 0, Code.LIBRARY_OUT_OF_DATE, what, "Run `polybook library`."))
    return found


def sync_translations(book: Book) -> list[str]:
    """Take the code of translated chapters from the source language; return the files that changed."""
    written = []
    sources = book.translated[book.config.source]
    for tag, chapters in book.translated.items():
        for name, chapter in chapters.items():
            if tag == book.config.source or name not in sources:
                continue
            document = chapter.document
            text = sync(sources[name].document, document)
            if text != write(document.blocks):
                file = book.root / document.path
                mark = codecs.BOM_UTF8 if file.read_bytes().startswith(codecs.BOM_UTF8) else b""
                write_if_changed(file, mark + text.encode("utf-8"))
                written.append(document.path)
    return written

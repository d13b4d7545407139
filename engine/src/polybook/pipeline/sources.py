"""What polybook writes into the book itself: the library, and the code of translations."""

from __future__ import annotations

import codecs
from collections.abc import Container, Iterator, Mapping

from ..diagnostics import Code, Diagnostic
from ..dialect.python import imported_packages
from ..frameworks import FRAMEWORKS
from ..library import package_text
from ..model import write
from ..translation import sync
from .book import Book
from .files import write_if_changed


def library_texts(book: Book, frameworks: Container[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file of the library, without modules whose saved cells have errors.

    Args:
        book: The book.
        frameworks: Leave out the modules of all others; `None` for no others.
    """
    if book.config.library is None or all(library.diagnostics for library in book.libraries.values()):
        return
    needed = {
        FRAMEWORKS[name].module: book.requirements[name].of(imported_packages(library.text))
        for name, library in book.libraries.items()
    }
    yield f"{book.config.library}/__init__.py", package_text(book.config.title, book.config.library, needed)
    for name, library in book.libraries.items():
        if not library.diagnostics and (frameworks is None or name in frameworks):
            yield f"{book.config.library}/{FRAMEWORKS[name].module}.py", library.text


def _findings(book: Book, frameworks: Container[str] | None = None) -> list[Diagnostic]:
    libraries = (
        library for name, library in book.libraries.items() if frameworks is None or name in frameworks
    )
    return list(dict.fromkeys(one for library in libraries for one in library.diagnostics))


def write_libraries(book: Book) -> tuple[list[Diagnostic], list[str]]:
    """Write the library; return what is wrong with the saved cells, and the files that changed.

    A module whose saved cells are in error is left as it was.
    """
    written = [path for path, text in library_texts(book) if write_if_changed(book.root / path, text)]
    return _findings(book), written


def check_libraries(book: Book, frameworks: Container[str] | None = None) -> list[Diagnostic]:
    """Return what is wrong with the saved cells, and which modules are not what the chapters say.

    Args:
        book: The book.
        frameworks: Look at no others; `None` for all.
    """
    files = dict(library_texts(book, frameworks))
    return _findings(book, frameworks) + [_outdated(path) for path in outdated_files(book, files)]


def outdated_files(book: Book, files: Mapping[str, str]) -> list[str]:
    """Return the paths of those files that do not have these texts on disk."""
    return [path for path, text in files.items() if _read(book, path) != text]


def _read(book: Book, path: str) -> str:
    try:
        return (book.root / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _outdated(path: str) -> Diagnostic:
    what = "The library is not what the chapters say."
    return Diagnostic(path, 0, Code.LIBRARY_OUT_OF_DATE, what, "Run `polybook library`.")


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

"""Writing one notebook per chapter, language and framework."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..notebook import NotebookFlavour, to_notebook, write_notebook
from ..references import Chapter
from .book import Book
from .files import write_tree


@dataclass(frozen=True, slots=True)
class Edition:
    """A book in one language and for one framework."""

    #: The book.
    book: Book
    #: The language of its readers.
    language: str
    #: The framework whose code is in it.
    framework: str
    #: The chapters that there are notebooks of, by their names.
    chapters: Mapping[str, Chapter]

    @classmethod
    def of(cls, book: Book, language: str, framework: str) -> Edition:
        """Return the edition; its chapters are those with code for the framework, or without any code."""
        chapters = {
            name: chapter
            for name, chapter in book.shown(language).items()
            if framework in (book.frameworks_of(chapter) or book.config.frameworks)
        }
        return cls(book, language, framework, chapters)

    def path(self, chapter: str) -> str:
        """Return where a chapter's notebook lies, `<language>/<framework>/<chapter>.ipynb`."""
        return f"{self.language}/{self.framework}/{chapter}.ipynb"


def write_notebooks(book: Book, folder: Path) -> list[str]:
    """Make `folder` hold the book's notebooks and the images they show.

    Returns:
        The notebooks' paths relative to `folder`.
    """
    images: dict[str, Path] = {}
    notebooks: dict[str, str] = {}
    for language in book.config.languages:
        for framework in book.config.frameworks:
            edition = Edition.of(book, language, framework)
            for name in edition.chapters:
                notebooks[edition.path(name)] = notebook_text(edition, name, images)
    write_tree(folder, {**images, **notebooks})
    return list(notebooks)


def notebook_text(edition: Edition, name: str, images: dict[str, Path]) -> str:
    """Return the notebook of the chapter called `name`; its images are added to `images`."""
    book = edition.book
    chapter = edition.chapters[name]
    index = book.index_for(chapter, edition.language)
    here = posixpath.dirname(edition.path(name))

    def find_image(path: str) -> str | None:
        return find_file(book.root, path, here, images)

    flavour = NotebookFlavour(name, index.bibliography_chapter, find_image)
    selected = book.selected(chapter, edition.framework)
    return write_notebook(to_notebook(selected, index, flavour, frozenset(edition.chapters)))


def find_file(root: Path, path: str, here: str, found: dict[str, Path]) -> str | None:
    """Return the address of one of the book's files seen from the folder `here`, or `None` without it.

    Args:
        root: The book's folder.
        path: The file's path in the book; one that leaves the book is put into `outside/`.
        here: The folder, relative to the tree that the file will be copied to.
        found: Gets the file under its path in that tree.
    """
    file = root / path
    try:
        if not file.is_file():
            return None
    except OSError:  # a name too long for the disk
        return None
    name = f"outside/{path.replace('../', '')}" if path.startswith("../") else path
    found[name] = file
    return posixpath.relpath(name, here or ".")

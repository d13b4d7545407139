"""Writing one notebook per chapter, language and framework."""

from __future__ import annotations

import posixpath
from pathlib import Path

from ..notebook import NotebookFlavour, address, to_notebook, write_notebook
from ..references import Chapter
from .book import Book
from .files import write_tree


def write_notebooks(book: Book, folder: Path) -> list[str]:
    """Make `folder` hold the book's notebooks and the images they show.

    Returns:
        The notebooks' paths relative to `folder`: `<language>/<framework>/<chapter>.ipynb`.
    """
    images: dict[str, Path] = {}
    notebooks: dict[str, str] = {}
    for language in book.config.languages:
        for framework in book.config.frameworks:
            chapters = notebook_chapters(book, language, framework)
            for chapter in chapters.values():
                name = f"{language}/{framework}/{chapter.name}.ipynb"
                notebooks[name] = notebook_text(
                    book, chapter, language, framework, frozenset(chapters), images
                )
    write_tree(folder, {**images, **notebooks})
    return list(notebooks)


def notebook_chapters(book: Book, language: str, framework: str) -> dict[str, Chapter]:
    """Return the chapters that there are notebooks of: with code for the framework, or without any code."""
    return {
        name: chapter
        for name, chapter in book.shown(language).items()
        if framework in (book.frameworks_of(chapter) or book.config.frameworks)
    }


def notebook_text(
    book: Book,
    chapter: Chapter,
    language: str,
    framework: str,
    chapters: frozenset[str],
    images: dict[str, Path],
) -> str:
    """Return a chapter's notebook.

    Args:
        book: The book.
        chapter: The chapter, in the language that readers get.
        language: The language whose words stand before numbers.
        framework: The framework whose code is in it.
        chapters: Names of the chapters that can be linked to.
        images: Gets the images that the notebook shows, by their paths in the tree of notebooks.
    """
    index = book.indexes[language]
    here = posixpath.dirname(f"{language}/{framework}/{chapter.name}")

    def find_image(path: str) -> str | None:
        return find_file(book.root, path, here, images)

    flavour = NotebookFlavour(chapter.name, index.bibliography_chapter, find_image)
    selected = book.selected(chapter, framework)
    return write_notebook(to_notebook(selected, index, flavour, chapters))


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
    return address(name, here)

"""The page of one chapter, made of the chapter and of what is stored of its runs."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel import Locale

from ..diagnostics import Diagnostic
from ..frameworks import select
from ..languages import Language
from ..notebook import markdown_cell, notebook_of, write_notebook
from ..outputs import Results
from ..references import Chapter
from ..site.metadata import ANCHORS, OWN_WORDS, WRITTEN_IN
from ..site.pages import PageBuilder, PageFlavour
from ..site.sections import section_anchors
from ..store import Store
from .book import Book
from .notebooks import find_file
from .outlines import Outlines
from .units import OUTPUTS_FOLDER, find_state, units_of


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a plain Jupyter Book."""

    #: A notebook.
    text: str
    #: The pictures that it shows, by their paths in the source tree.
    images: Mapping[str, Path]
    #: What is stale or damaged in the stored results.
    diagnostics: Sequence[Diagnostic]


def make_page(chapter: Chapter, language: str, outlines: Outlines) -> Page:
    """Return the page of a chapter for the readers of a language."""
    book = outlines.book
    images: dict[str, Path] = {}
    results, diagnostics = _results(chapter, outlines)
    index = book.index_for(chapter, language)
    words = book.terms.in_plots(index.language.tag)
    builder = PageBuilder(index, book.default_framework(chapter), frozenset(book.shown(language)), words)
    flavour = PageFlavour(chapter.name, index.bibliography_chapter, _image_finder(book, chapter.name, images))
    page = builder.page(chapter, _showers(book, chapter), results, flavour)
    source = book.leading[chapter.name].document
    page["metadata"][WRITTEN_IN] = book.language_of(chapter).language.tag
    page["metadata"][ANCHORS] = section_anchors(source, chapter.document)
    _add_notices(page, book, chapter, language, results)
    return Page(write_notebook(page), images, diagnostics)


def empty_page(title: str) -> str:
    """Return a page with nothing but a title."""
    return write_notebook(notebook_of([markdown_cell(f"# {title}")]))


def _results(chapter: Chapter, outlines: Outlines) -> tuple[dict[str, Results], list[Diagnostic]]:
    """Return what is stored of a chapter's runs, per framework, and what is damaged in it."""
    results: dict[str, Results] = {}
    diagnostics: list[Diagnostic] = []
    store = Store(outlines.book.root / OUTPUTS_FOLDER)
    if not any(store.has(framework, chapter.name) for framework in outlines.book.config.frameworks):
        return {}, []  # what could be run is not worth its time
    for unit in units_of(chapter, outlines):
        state, found = find_state(unit)
        results[unit.framework] = state.results
        diagnostics += found
    return results, diagnostics


def _image_finder(book: Book, chapter: str, images: dict[str, Path]) -> Callable[[str], str | None]:
    return lambda path: find_file(book.root, path, posixpath.dirname(chapter), images)


def _showers(book: Book, chapter: Chapter) -> dict[str, Callable[[str], str]]:
    default = book.default_framework(chapter)
    return {
        framework: book.code_shower(select(chapter.document, framework, default), framework)
        for framework in book.frameworks_of(chapter)
    }


def _add_notices(
    page: dict[str, Any], book: Book, chapter: Chapter, language: str, results: Mapping[str, Results]
) -> None:
    """Say under a page's title what its reader must know."""
    words = book.config.languages[language].language
    notices = []
    if chapter is not book.translated[language].get(chapter.name):
        written_in = _name(book.language_of(chapter).language, words)
        notices.append(_notice(words.untranslated.format(written_in)))
    read = (one.record.provenance.data for one in results.values() if one.record)
    data = {name for digests in read for name, digest in digests.items() if digest}
    if any(name.endswith("story.txt") for name in data):
        notices.append(_notice(words.fallback_text))
    if not notices:
        return
    if not page["cells"] or page["cells"][0]["cell_type"] != "markdown":
        page["cells"].insert(0, markdown_cell("") | {"id": "notices", "source": []})
    lines: list[str] = page["cells"][0]["source"]
    title = next((number for number, line in enumerate(lines) if line.startswith("# ")), -1)
    lines[title + 1 : title + 1] = ["\n", *notices, "\n"]


def _name(language: Language, reader: Language) -> str:
    """Return what those who read one language call another."""
    code = Locale.parse(language.tag, sep="-").language
    return str(Locale.parse(reader.catalogue).languages.get(code, language.name))


def _notice(text: str) -> str:
    return f"\n:::{{note}}\n:class: {OWN_WORDS}\n\n{text}\n:::\n"

"""Building the site: a source tree per language, Sphinx over each, and the page that leads to them."""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..diagnostics import Diagnostic
from ..frameworks import select
from ..languages import Language
from ..notebook import write_notebook
from ..references import Chapter
from ..site.pages import PageBuilder, PageFlavour, Results
from .book import Book
from .execution import results_of
from .files import write_tree
from .notebooks import find_file


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a plain Jupyter Book in one language."""

    #: Contents, or files to copy, by their paths in the source tree.
    files: Mapping[str, str | Path]
    #: What is stale or damaged in the stored results.
    diagnostics: Sequence[Diagnostic]


def site_source(book: Book, language: str) -> Source:
    """Return the source tree of one language of the site."""
    index = book.indexes[language]
    images: dict[str, Path] = {}
    pages: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    for chapter in book.shown(language).values():
        results, found = results_of(book, chapter)
        diagnostics += found
        builder = PageBuilder(
            index, book.default_framework(chapter), frozenset(book.toc.chapters)
        )
        flavour = PageFlavour(
            chapter.name, index.bibliography_chapter, _image_finder(book, chapter.name, images)
        )
        page = builder.page(chapter, _showers(book, chapter), results, flavour)
        _add_notices(page, book, chapter, language, results)
        pages[f"{chapter.name}.ipynb"] = write_notebook(page)
    toc = yaml.safe_dump(toc_data(book, language), allow_unicode=True, sort_keys=False)
    return Source({**images, **pages, "_toc.yml": toc}, diagnostics)


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
        notices.append(_notice(words.untranslated.format(_language_of(book, chapter).name)))
    data = {name for one in results.values() if one.record for name in one.record.provenance.data}
    if any(name.endswith("story.txt") for name in data):
        notices.append(_notice(words.fallback_text))
    lines: list[str] = page["cells"][0]["source"] if page["cells"] else []
    title = next((number for number, line in enumerate(lines) if line.startswith("# ")), -1)
    lines[title + 1 : title + 1] = ["\n", *notices, "\n"] if notices else []


def _notice(text: str) -> str:
    return f"\n:::{{note}}\n{text}\n:::\n"


def _language_of(book: Book, chapter: Chapter) -> Language:
    for tag, chapters in book.translated.items():
        if chapters.get(chapter.name) is chapter:
            return book.config.languages[tag].language
    return book.config.source_language.language


def toc_data(book: Book, language: str) -> dict[str, Any]:
    """Return the table of contents for Sphinx: captions translated, missing chapters left out.

    Numbers are in the headings already, so Sphinx numbers nothing.
    """
    captions = book.config.languages[language].captions
    present = book.shown(language).keys()

    def cleaned(entries: list[Any]) -> list[Any]:
        kept: list[Any] = []
        for entry in entries:
            name = str(entry.get("file", "")).removesuffix(".md")
            inner = [
                (key, cleaned(entry[key])) for key in ("chapters", "sections", "parts") if key in entry
            ]
            if "file" in entry and name not in present:
                kept += [one for _, many in inner for one in many]
                continue
            others = {key: value for key, value in entry.items() if key not in ("numbered", "caption")}
            if "caption" in entry:
                others["caption"] = captions.get(entry["caption"], entry["caption"])
            kept.append(others | {key: many for key, many in inner if many})
        return [entry for entry in kept if entry]

    raw = copy.deepcopy(dict(book.toc.raw))
    for key in ("options", "defaults"):
        raw.pop(key, None)
    for key in ("parts", "chapters", "sections"):
        if key in raw:
            raw[key] = cleaned(raw[key])
    return raw


def build_site(book: Book, folder: Path, languages: Sequence[str]) -> list[Diagnostic]:
    """Make `folder`/html hold the site of these languages; return what is wrong with stored results."""
    raise NotImplementedError

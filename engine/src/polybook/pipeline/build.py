"""Building the site: a source tree per language, Sphinx over each, and the page that leads to them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ..config import chapter_name
from ..diagnostics import Diagnostic
from ..errors import RenderError
from ..frameworks import select
from ..notebook import markdown_cell, notebook_of, write_notebook
from ..outputs import Results
from ..references import Chapter
from ..site.landing import landing_page
from ..site.pages import PageBuilder, PageFlavour
from ..site.settings import Site, sphinx_settings
from ..site.sitemap import sitemap
from .book import Book
from .files import write_if_changed, write_tree
from .notebooks import NOTEBOOKS_FOLDER, find_file, notebook_addresses, write_notebooks
from .outlines import Outlines
from .progress import Progress
from .render import render_site
from .units import BUILD_FOLDER, find_state, units_of
from .workers import Workers

#: What holds further entries in a table of contents, in all formats of `_toc.yml`.
_TOC_LISTS = {"parts", "chapters", "sections", "subtrees", "entries"}
#: What would make Sphinx number chapters.
_UNWANTED_TOC_KEYS = {"numbered", "options", "defaults"}


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a plain Jupyter Book in one language."""

    #: Contents, or files to copy, by their paths in the source tree.
    files: Mapping[str, str | Path]
    #: What is stale or damaged in the stored results.
    diagnostics: Sequence[Diagnostic]


def site_source(book: Book, language: str) -> Source:
    """Return the source tree of one language of the site."""
    images: dict[str, Path] = {}
    pages: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    shown = book.shown(language)
    outlines = Outlines(book)
    for chapter in shown.values():
        results, found = _results(chapter, outlines)
        diagnostics += found
        index = book.index_for(chapter, language)
        words = book.terms.in_plots(index.language.tag)
        builder = PageBuilder(index, book.default_framework(chapter), frozenset(shown), words)
        flavour = PageFlavour(
            chapter.name, index.bibliography_chapter, _image_finder(book, chapter.name, images)
        )
        page = builder.page(chapter, _showers(book, chapter), results, flavour)
        _add_notices(page, book, chapter, language, results)
        pages[f"{chapter.name}.ipynb"] = write_notebook(page)
    if book.toc.root not in shown:  # Sphinx cannot do without it
        title = markdown_cell(f"# {book.config.languages[language].title}")
        pages[f"{book.toc.root}.ipynb"] = write_notebook(notebook_of([title]))
    toc = yaml.safe_dump(toc_data(book, language), allow_unicode=True, sort_keys=False)
    return Source({**images, **pages, "_toc.yml": toc}, diagnostics)


def _results(chapter: Chapter, outlines: Outlines) -> tuple[dict[str, Results], list[Diagnostic]]:
    """Return what is stored of a chapter's runs, per framework, and what is damaged in it."""
    results: dict[str, Results] = {}
    diagnostics: list[Diagnostic] = []
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
        notices.append(_notice(words.untranslated.format(book.language_of(chapter).language.name)))
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


def _notice(text: str) -> str:
    return f"\n:::{{note}}\n{text}\n:::\n"


def toc_data(book: Book, language: str) -> dict[str, Any]:
    """Return the table of contents for Sphinx: captions translated, missing chapters left out.

    Numbers are in the headings already, so Sphinx numbers nothing. The root stays in any case.
    """
    captions = book.config.languages[language].captions
    present = book.shown(language).keys()

    def cleaned(entry: Mapping[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in entry.items() if key not in _UNWANTED_TOC_KEYS}
        if "caption" in entry:
            kept["caption"] = captions.get(entry["caption"], entry["caption"])
        for key in _TOC_LISTS & kept.keys():
            kept[key] = [one for inner in kept[key] for one in present_parts(inner)]
            if not kept[key]:
                del kept[key]
        return kept

    def present_parts(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield an entry, what is below it where its own chapter is missing, or nothing."""
        kept = cleaned(entry)
        if "file" in entry and chapter_name(entry["file"]) not in present:
            yield from _entries_below(kept)
        elif kept.keys() & {"file", "url", *_TOC_LISTS}:
            yield kept

    return cleaned(book.toc.raw)


def _entries_below(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key in entry.keys() & _TOC_LISTS:
        for inner in entry[key]:
            if key in ("parts", "subtrees"):
                yield from _entries_below(inner)
            else:
                yield inner


def build_site(
    book: Book, languages: Sequence[str], progress: Progress, workers: Workers
) -> list[Diagnostic]:
    """Build the site of these languages below `_build`; return what is wrong with results and pages.

    Args:
        book: The book.
        languages: Tags of the languages to build.
        progress: Is told of each language that is finished.
        workers: The processes to use.
    """
    build = book.root / BUILD_FOLDER
    diagnostics: list[Diagnostic] = []
    for language in languages:
        source = site_source(book, language)
        diagnostics += source.diagnostics
        write_tree(build / language / "source", source.files)
    site_facts = _site(book)
    chosen = {tag: book.config.languages[tag] for tag in languages}
    settings = {
        tag: {
            **sphinx_settings(site_facts, one.language, one.title, book.terms.glossary(tag)),
            "polybook_notebooks": notebook_addresses(book, tag),
        }
        for tag, one in chosen.items()
    }
    diagnostics += render_site(build, settings, workers, partial(_locate, book), progress.step)
    try:
        write_notebooks(book, build / "html" / NOTEBOOKS_FOLDER)
    except RenderError as error:
        diagnostics += error.diagnostics
    titles = [(language.language, language.title) for language in book.config.languages.values()]
    cover = Path(book.config.cover) if book.config.cover else None
    if cover:
        write_if_changed(build / "html" / cover.name, (book.root / cover).read_bytes())
    landing = landing_page(titles, f"{book.toc.root}.html", cover.name if cover else "")
    write_if_changed(build / "html" / "index.html", landing)
    if book.config.site_url:
        write_if_changed(build / "html" / "sitemap.xml", sitemap(book.config.site_url, book.translated))
    return list(dict.fromkeys(diagnostics))


def _site(book: Book) -> Site:
    config = book.config
    languages = [each.language for each in config.languages.values()]
    return Site(config.author, config.frameworks, languages, config.raw, discussions=config.discussions or "")


def _locate(book: Book, language: str, page: str, line: int) -> tuple[str, int]:
    """Return the chapter that a page was made from; its lines are not the chapter's."""
    chapter = book.shown(language).get(page.removesuffix(".ipynb"))
    return (chapter.document.path, 0) if chapter else (page, line)

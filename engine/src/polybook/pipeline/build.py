"""Building the site: a source tree per language, Sphinx over each, and the page that leads to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..config import chapter_name
from ..diagnostics import Diagnostic
from ..errors import RenderError
from ..languages import Language
from ..references import Chapter
from ..site.sitemap import sitemap
from .book import Book
from .files import write_if_changed, write_tree
from .kept import Kept, text_of
from .notebooks import NOTEBOOKS_FOLDER, notebook_addresses, write_notebooks
from .outlines import Outlines
from .progress import Progress
from .render import render_language, write_mathjax
from .units import BUILD_FOLDER
from .workers import Workers

if TYPE_CHECKING:
    from .pages import Page

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


def site_source(book: Book, language: str, kept: Kept | None = None) -> Source:
    """Return the source tree of one language of the site.

    Args:
        book: The book.
        language: The tag of the language.
        kept: The pages of chapters that are the same as before.
    """
    kept = kept or Kept()
    files: dict[str, str | Path] = {}
    diagnostics: list[Diagnostic] = []
    shown = book.shown(language)
    outlines = Outlines(book)
    for name, chapter in shown.items():
        make = partial(_page, chapter, language, outlines)
        titles = [one.title for one in book.leading[name].document.headings]
        parts = [text_of(chapter), *titles]
        page = kept.get(f"pages/{language}/{name}", parts, make)
        diagnostics += page.diagnostics
        files |= page.images
        files[f"{name}.ipynb"] = page.text
    if book.toc.root not in shown:  # Sphinx cannot do without it
        files[f"{book.toc.root}.ipynb"] = _empty_page(book.config.languages[language].title)
    toc = yaml.safe_dump(toc_data(book, language), allow_unicode=True, sort_keys=False)
    return Source({**files, "_toc.yml": toc}, diagnostics)


def _page(chapter: Chapter, language: str, outlines: Outlines) -> Page:
    from .pages import make_page  # slow to import

    return make_page(chapter, language, outlines)


def _empty_page(title: str) -> str:
    from .pages import empty_page

    return empty_page(title)


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
    book: Book, languages: Sequence[str], progress: Progress, workers: Workers, kept: Kept | None = None
) -> list[Diagnostic]:
    """Build the site of these languages below `_build`; return what is wrong with book, results and pages.

    Args:
        book: The book.
        languages: Tags of the languages to build.
        progress: Is told of each language that is finished.
        workers: The processes to use.
        kept: What was made of chapters that are the same as before.
    """
    build = book.root / BUILD_FOLDER
    kept = kept or Kept()
    diagnostics: list[Diagnostic] = []

    def render(language: str, settings: Mapping[str, Any]) -> Sequence[Diagnostic]:
        found = render_language(build, language, settings, workers, partial(_locate, book, language))
        progress.step(language)
        return found

    with ThreadPoolExecutor(workers.at_once) as executor:  # they wait for processes, which begin at once
        renderings = []
        for language in languages:
            source = site_source(book, language, kept)
            diagnostics += source.diagnostics
            write_tree(build / language / "source", source.files)
            renderings.append(executor.submit(render, language, _settings(book, language, kept)))
        diagnostics = [*book.check(kept), *diagnostics]
        more = _write_rest(book, build / "html", kept)
        pages = [found for rendering in renderings for found in rendering.result()]
    return list(dict.fromkeys([*diagnostics, *pages, *more]))


def _write_rest(book: Book, site: Path, kept: Kept) -> Sequence[Diagnostic]:
    """Write what is on a site beside the pages of each language; return what is wrong with it."""
    write_mathjax(site)
    titles = [(language.language, language.title) for language in book.config.languages.values()]
    cover = Path(book.config.cover) if book.config.cover else None
    if cover:
        write_if_changed(site / cover.name, (book.root / cover).read_bytes())
    make = partial(_landing_page, titles, f"{book.toc.root}.html", cover.name if cover else "")
    write_if_changed(site / "index.html", kept.get("landing", (), make))
    if book.config.site_url:
        write_if_changed(site / "sitemap.xml", sitemap(book.config.site_url, book.translated))
    try:
        write_notebooks(book, site / NOTEBOOKS_FOLDER, kept)
    except RenderError as error:
        return error.diagnostics
    return ()


def _landing_page(titles: Sequence[tuple[Language, str]], home: str, cover: str) -> str:
    from ..site.landing import landing_page  # slow to import

    return landing_page(titles, home, cover)


def _settings(book: Book, language: str, kept: Kept) -> dict[str, Any]:
    """Return the settings with which Sphinx builds a language."""
    settings = kept.get(f"settings/{language}", (), partial(_make_settings, book, language))
    return {**settings, "polybook_notebooks": notebook_addresses(book, language)}


def _make_settings(book: Book, language: str) -> dict[str, Any]:
    from ..site.settings import Site, sphinx_settings  # slow to import

    config, one = book.config, book.config.languages[language]
    languages = [each.language for each in config.languages.values()]
    discussions = config.discussions or ""
    site = Site(
        one.author or config.author, config.frameworks, languages, config.raw, discussions=discussions
    )
    return sphinx_settings(site, one.language, one.title, book.terms.glossary(language))


def _locate(book: Book, language: str, page: str, line: int) -> tuple[str, int]:
    """Return the chapter that a page was made from; its lines are not the chapter's."""
    chapter = book.shown(language).get(page.removesuffix(".ipynb"))
    return (chapter.document.path, 0) if chapter else (page, line)

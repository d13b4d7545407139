"""A book read from disk."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from ..config import (
    CONFIG_FILE,
    TOC_FILE,
    BookLanguage,
    Config,
    Toc,
    TocEntry,
    read_config,
    read_terms,
    read_toc,
)
from ..diagnostics import Code, Diagnostic
from ..dialect import parse, strip_save_marks
from ..dialect.python import imported_names
from ..errors import ConfigError
from ..frameworks import FRAMEWORKS, chapter_frameworks, select
from ..library import Library, build_library, expand_aliases, free_names
from ..model import Cell, Document, Heading, Mark
from ..references import Chapter, Index, build_index
from ..requirements import Requirements
from ..terms import Terms
from .kept import Kept, text_of

if TYPE_CHECKING:
    from ..citations import Bibliography

_Value = TypeVar("_Value")

#: The folder of the files that pin each framework's environment.
REQUIREMENTS_FOLDER = "requirements"


@dataclass(frozen=True)
class Book:
    """A book: its settings and its chapters in every language."""

    #: The folder with `_config.yml`.
    root: Path
    #: The settings.
    config: Config
    #: The table of contents; some of its chapters may have no file.
    toc: Toc
    #: The translated chapters, by language and name.
    translated: Mapping[str, Mapping[str, Chapter]]
    #: What was wrong with the files.
    diagnostics: tuple[Diagnostic, ...]
    #: The table of terms, empty for a book without one.
    terms: Terms = field(default_factory=Terms)

    def shown(self, language: str) -> dict[str, Chapter]:
        """Return the chapters that readers of a language get: the source language's where one is missing."""
        own, source = self.translated[language], self.translated[self.config.source]
        others = [chapters for tag, chapters in self.translated.items() if tag != language]
        shown = {}
        for name in self.toc.chapters:
            found = (chapters[name] for chapters in (own, source, *others) if name in chapters)
            if chapter := next(found, None):
                shown[name] = chapter
        return shown

    @cached_property
    def leading(self) -> dict[str, Chapter]:
        """The chapters whose code is run."""
        return self.shown(self.config.source)

    @cached_property
    def bibliography(self) -> tuple[Bibliography, list[Diagnostic]]:
        """The works that can be cited, and what is wrong with the files that name them."""
        from ..citations import read_bibliography

        wanted = dict.fromkeys(self.config.bibliographies, (CONFIG_FILE, 0))
        for chapters in self.translated.values():
            for chapter in chapters.values():
                for block in chapter.document.blocks:
                    if isinstance(block, Mark) and block.name == "bibliography":
                        file = (self.root / chapter.document.path).parent / block.value
                        wanted.setdefault(_relative(file, self.root), (chapter.document.path, block.line))
        texts, diagnostics = {}, []
        for path, place in wanted.items():
            try:
                texts[path] = (self.root / path).read_text(encoding="utf-8-sig")
            except UnicodeDecodeError:
                what, advice = f"The bibliography `{path}` is not UTF-8.", "Save it as UTF-8."
                diagnostics.append(Diagnostic(*place, Code.BAD_BIBLIOGRAPHY, what, advice))
            except OSError:
                what, advice = f"There is no bibliography `{path}`.", "Mend its path or add the file."
                diagnostics.append(Diagnostic(*place, Code.BAD_BIBLIOGRAPHY, what, advice))
        bibliography, more = read_bibliography(texts)
        return bibliography, [*diagnostics, *more]

    @cached_property
    def indexes(self) -> dict[str, Index]:
        """The index of each language."""
        return {
            tag: build_index(list(self.shown(tag).values()), language.language, self.bibliography[0])
            for tag, language in self.config.languages.items()
        }

    @cached_property
    def requirements(self) -> dict[str, Requirements]:
        """What the book pins for each framework."""
        folder = self.root / REQUIREMENTS_FOLDER
        return {
            name: Requirements.read(FRAMEWORKS[name], _text(folder / f"{name}.txt"))
            for name in self.config.frameworks
        }

    @cached_property
    def libraries(self) -> dict[str, Library]:
        """The library of each framework, as the chapters say it; empty for a book without one."""
        if self.config.library is None:
            return {}
        chapters = [(chapter.document.path, chapter.document) for chapter in self.leading.values()]
        return {
            name: build_library(
                chapters,
                FRAMEWORKS[name],
                self.config.source_language.default_framework,
                module=self.config.library,
                aliases=self.config.aliases.get(name, {}),
            )
            for name in self.config.frameworks
        }

    def default_framework(self, chapter: Chapter) -> str:
        """Return the framework of a chapter's unmarked cells: that of the language it is written in."""
        return self.language_of(chapter).default_framework

    def language_of(self, chapter: Chapter) -> BookLanguage:
        """Return the language that a chapter is written in."""
        others = (tag for tag in self.translated if tag != self.config.source)
        for tag in (self.config.source, *others):
            if self.translated[tag].get(chapter.name) is chapter:
                return self.config.languages[tag]
        return self.config.source_language

    def index_for(self, chapter: Chapter, language: str) -> Index:
        """Return the index for a chapter shown in a language; its words are those of the chapter's own."""
        return replace(self.indexes[language], language=self.language_of(chapter).language)

    def frameworks_of(self, chapter: Chapter) -> tuple[str, ...]:
        """Return the frameworks that a chapter has code for."""
        default = self.default_framework(chapter)
        return chapter_frameworks(chapter.document, self.config.frameworks, default)

    def selected(self, chapter: Chapter, framework: str) -> Chapter:
        """Return a chapter as it is for one framework, its cells as readers see and run them."""
        document = select(chapter.document, framework, self.default_framework(chapter))
        show = self.code_shower(document, framework)
        blocks = tuple(
            replace(block, code=show(block.code)) if isinstance(block, Cell) else block
            for block in document.blocks
        )
        return Chapter.of(chapter.entry, replace(document, blocks=blocks))

    def code_shower(self, selected: Document, framework: str) -> Callable[[str], str]:
        """Return what makes a selected cell's code the code that readers see and run.

        Marks go, and the library's aliases become the framework's own calls where the chapter imports
        what they need.
        """
        module = self.config.library
        aliases = self.config.aliases.get(framework, {})
        imported = imported_names(cell.code for cell in selected.cells) if module and aliases else set()
        usable = {name: to for name, to in aliases.items() if free_names(to) <= imported}

        def show(code: str) -> str:
            code = strip_save_marks(code).strip("\n")
            return expand_aliases(code, module, usable) if module and usable else code

        return show

    def check(self, kept: Kept | None = None) -> list[Diagnostic]:
        """Return everything that is wrong with the book's text and code.

        Args:
            kept: What was found in chapters that are the same as before.
        """
        kept = kept or Kept()
        diagnostics = [*self.diagnostics, *self.bibliography[1]]
        for tag, chapters in self.translated.items():
            index, shown = self.indexes[tag], self.shown(tag)
            diagnostics += index.diagnostics
            diagnostics += kept.get(f"works/{tag}", (), partial(_findings_in_works, index))
            for name, chapter in chapters.items():
                source = self.translated[self.config.source].get(name) if tag != self.config.source else None
                parts = [text_of(each) for each in (chapter, source) if each]
                find = partial(self._findings, chapter, index, shown, source)
                diagnostics += kept.get(f"findings/{tag}/{name}", parts, find)
        # Findings have lines, which are not among what the library is made of.
        diagnostics += kept.get("findings/library", (), self._library_findings, lasts=lambda found: not found)
        diagnostics += self.terms.check(self.config.translations)
        unique = dict.fromkeys(diagnostics)
        return sorted(unique, key=lambda one: (one.path, one.line, one.code.value))

    def _findings(
        self, chapter: Chapter, index: Index, shown: Container[str], source: Chapter | None
    ) -> list[Diagnostic]:
        """Return what is wrong with a chapter, given the one that it is a translation of, if any."""
        from ..lint import Surroundings, lint
        from ..translation import check_translation

        has_image = partial(_is_file_in, (self.root / chapter.document.path).parent)
        found = list(lint(chapter, Surroundings(index, shown, self.config.frameworks, has_image)))
        return found + (list(check_translation(source, chapter)) if source else [])

    def _library_findings(self) -> list[Diagnostic]:
        return [one for library in self.libraries.values() for one in library.diagnostics]


def _findings_in_works(index: Index) -> list[Diagnostic]:
    return list(index.bibliography.check(index.cited))


def load_book(root: Path, instead: Mapping[str, str] | None = None) -> Book:
    """Read a book.

    Args:
        root: The folder with `_config.yml`.
        instead: Texts to take in the place of some chapters' files, by their paths in the book.

    Raises:
        ConfigError: `_config.yml` or `_toc.yml` cannot be used.
    """
    config = read_config(_read_settings(root / CONFIG_FILE, Code.BAD_CONFIG))
    toc = read_toc(_read_settings(root / TOC_FILE, Code.BAD_TOC))
    terms = _terms(root, config)
    diagnostics: list[Diagnostic] = []
    texts = {
        tag: _texts(root, language.folder, toc.entries, diagnostics, instead or {})
        for tag, language in config.languages.items()
    }
    documents = {tag: _documents(own) for tag, own in texts.items()}
    diagnostics += _missing(config, toc, documents, {one.path for one in diagnostics})
    diagnostics += _unknown_chapters(config, toc)
    toc = replace(toc, entries=tuple(_numbered_after_sections(toc, documents[config.source])))
    entries = {entry.chapter: entry for entry in toc.entries}
    translated = {tag: _chapters(entries, own) for tag, own in texts.items()}
    if not any(translated.values()):
        what = "None of the book's chapters exists."
        raise ConfigError(
            *diagnostics, Diagnostic(TOC_FILE, 0, Code.EMPTY_BOOK, what, "Write one of those it names.")
        )
    return Book(root, config, toc, translated, tuple(diagnostics), terms)


def _terms(root: Path, config: Config) -> Terms:
    if config.terms is None:
        return Terms()
    text = _read_settings(root / config.terms, Code.BAD_TERMS)
    return read_terms(text, config.terms, config.translations)


def _read_settings(path: Path, code: Code) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        advice = "Call polybook in a book's folder, or name one with `--book`."
        if code is Code.BAD_TERMS:
            advice = "Write it, or take `terms` out of `_config.yml`."
        raise ConfigError(Diagnostic(path.name, 0, code, "There is no such file here.", advice)) from error
    except (OSError, UnicodeDecodeError) as error:
        what = f"The file cannot be read: {error}."
        raise ConfigError(Diagnostic(path.name, 0, code, what, "Make it a readable UTF-8 file.")) from error


def _text(path: Path) -> str:
    """Return a file's text, nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


class _Lazy(Mapping[str, _Value]):
    """Values that are made when they are first asked for."""

    def __init__(self, keys: Iterable[str], make: Callable[[str], _Value]) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self._made: dict[str, _Value] = {}

    def __getitem__(self, key: str) -> _Value:
        if key not in self._made:
            if key not in self._keys:
                raise KeyError(key)
            self._made[key] = self._make(key)
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


#: A chapter's text, and its path from the book's folder.
_Source = tuple[str, str]


def _texts(
    root: Path,
    folder: str,
    entries: Iterable[TocEntry],
    diagnostics: list[Diagnostic],
    instead: Mapping[str, str],
) -> dict[str, _Source]:
    """Return the chapters of a language's folder that can be read, or that there is a text for instead."""
    texts = {}
    for entry in entries:
        file = root / folder / f"{entry.chapter}.md"
        path = _relative(file, root)
        if path in instead:
            texts[entry.chapter] = instead[path], path
            continue
        try:
            texts[entry.chapter] = file.read_bytes().decode("utf-8-sig"), path
        except FileNotFoundError:
            continue
        except UnicodeDecodeError as error:
            line = file.read_bytes()[: error.start].count(b"\n") + 1
            what = "The file is not UTF-8 from here on."
            diagnostics.append(Diagnostic(path, line, Code.NOT_UTF8, what, "Save it as UTF-8."))
        except OSError as error:
            what = f"The file cannot be read: {error.strerror}."
            diagnostics.append(Diagnostic(path, 0, Code.UNUSABLE_FILE, what, "Make it readable."))
    return texts


def _documents(texts: Mapping[str, _Source]) -> Mapping[str, Document]:
    """Return the chapters of a language, each parsed once it is asked for."""
    return _Lazy(texts, lambda name: _read_document(*texts[name]))


def _chapters(entries: Mapping[str, TocEntry], texts: Mapping[str, _Source]) -> Mapping[str, Chapter]:
    return _Lazy(texts, lambda name: _read_chapter(entries[name], *texts[name]))


# While a book is served it is read again after every change, and most chapters are as they were.
@lru_cache(4096)
def _read_document(text: str, path: str) -> Document:
    return parse(text, path)


@lru_cache(4096)
def _read_chapter(entry: TocEntry, text: str, path: str) -> Chapter:
    return Chapter.of(entry, _read_document(text, path))


def _numbered_after_sections(toc: Toc, documents: Mapping[str, Document]) -> Iterator[TocEntry]:
    """Yield the chapters; those below a chapter that has sections of its own are numbered after these."""
    names = {entry.number: entry.chapter for entry in toc.entries}
    numbers: dict[tuple[int, ...], tuple[int, ...]] = {(): ()}
    for entry in toc.entries:
        if entry.number:
            *above, last = entry.number
            parent = tuple(above)
            sections = _count_sections(documents.get(names[parent])) if parent else 0
            numbers[entry.number] = (*numbers[parent], last + sections)
        yield replace(entry, number=numbers[entry.number])


def _count_sections(document: Document | None) -> int:
    blocks = document.blocks if document else ()
    return sum(isinstance(block, Heading) and block.level == 2 for block in blocks)


def _missing(
    config: Config, toc: Toc, translated: Mapping[str, Mapping[str, Document]], unreadable: Container[str]
) -> list[Diagnostic]:
    """Return a diagnostic for each chapter that a language does not have, unreadable files left out."""
    diagnostics = []
    for name in toc.chapters:
        lacking = [
            language
            for tag, language in config.languages.items()
            if name not in translated[tag]
            and PurePosixPath(language.folder, f"{name}.md").as_posix() not in unreadable
        ]
        if len(lacking) == len(config.languages):
            what = f"There is no chapter `{name}` in `{config.source_language.folder}`."
            advice = "Write it or take it out of `_toc.yml`; the book is built without it."
            diagnostics.append(Diagnostic(TOC_FILE, 0, Code.MISSING_CHAPTER, what, advice))
            continue
        for language in lacking:
            what = f"There is no `{name}.md` in `{language.folder}`."
            advice = "Readers get another language until it is translated."
            diagnostics.append(Diagnostic(TOC_FILE, 0, Code.UNTRANSLATED_CHAPTER, what, advice))
    return diagnostics


def _unknown_chapters(config: Config, toc: Toc) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each chapter that is configured and not in the table of contents."""
    for name, settings in config.chapters.items():
        if name not in toc.chapters:
            what = f"`chapters` names `{name}`, which `{TOC_FILE}` does not."
            yield Diagnostic(CONFIG_FILE, settings.line, Code.BAD_CONFIG, what, "Mend its name.")


def _is_file_in(folder: Path, path: str) -> bool:
    try:
        return (folder / path).is_file()
    except OSError:  # a name too long for the disk
        return False


def _relative(file: Path, root: Path) -> str:
    """Return a file's path as messages show it."""
    return Path(os.path.relpath(file, root)).as_posix()
